/** `npm run audit:keys`: prints a new audit key in the form of the settings. The seed is printed and not stored. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AuditKeyError, parseAuditKeys } from '../../src/crypto/audit-key.ts';
import { print, printNote, runCommand } from './command.ts';
import { OperatorError } from './failure.ts';

const usage = `Usage: npm run --silent audit:keys
       npm run --silent audit:keys -- --public < SEED

Prints a new AUDIT_SIGNING_KEY on standard output, and its public key on standard error.

  --public   prints the public key of the seed on standard input, for AUDIT_PUBLIC_KEYS when the key is replaced`;

await runCommand({ usage, options: { public: { type: 'boolean', default: false } } }, async (values) => {
  const seed = values.public ? readFileSync(0, 'utf8').trim() : randomBytes(32).toString('base64');
  const key = await publishedKeyOf(seed);
  if (values.public) print(key.x);
  else {
    print(`AUDIT_SIGNING_KEY=${seed}`);
    printNote('Store it as a secret of the Worker (npx wrangler secret put AUDIT_SIGNING_KEY).');
    printNote(`kid ${key.kid}`);
    printNote(`Public key, for AUDIT_PUBLIC_KEYS when another key replaces this one: ${key.x}`);
  }
  return 0;
});

async function publishedKeyOf(seed: string) {
  try {
    const [key] = (await parseAuditKeys(seed, undefined)).published;
    if (key) return key;
  } catch (error) {
    if (!(error instanceof AuditKeyError)) throw error;
  }
  throw new OperatorError('The input is not an audit key. AUDIT_SIGNING_KEY is 32 bytes in base64.');
}
