/** `npm run audit:keys`: a new audit key, in the form that the settings take. The seed is printed and not stored. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AuditKeyError, parseAuditKeys } from '../../src/crypto/audit-key.ts';
import { note, runCommand, say } from './command.ts';
import { OperatorError } from './failure.ts';

const usage = `Usage: npm run --silent audit:keys
       npm run --silent audit:keys -- --public < SEED

Prints a new AUDIT_SIGNING_KEY, and its public half on standard error.

  --public   prints the public half of the seed on standard input, for AUDIT_PUBLIC_KEYS when the key retires`;

await runCommand({ usage, options: { public: { type: 'boolean', default: false } } }, async (values) => {
  const seed = values.public ? readFileSync(0, 'utf8').trim() : randomBytes(32).toString('base64');
  const key = await publishedKeyOf(seed);
  if (values.public) say(key.x);
  else {
    say(`AUDIT_SIGNING_KEY=${seed}`);
    note('Keep it as a secret of the Worker (npx wrangler secret put AUDIT_SIGNING_KEY).');
    note(`kid ${key.kid}`);
    note(`Public half, for AUDIT_PUBLIC_KEYS once another key takes over: ${key.x}`);
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
  throw new OperatorError('Not an audit key: base64 of 32 bytes, as AUDIT_SIGNING_KEY has it.');
}
