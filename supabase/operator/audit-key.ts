/**
 * `npm run audit:keys`: a new audit key, as the settings take it. The seed is printed here and kept nowhere; with
 * `--public` the public half of the seed on standard input is printed instead, for AUDIT_PUBLIC_KEYS when it retires.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AuditKeyError, parseAuditKeys } from '../../src/crypto/audit-key.ts';

const { values: options } = parseArgs({ options: { public: { type: 'boolean', default: false } } });
const seed = options.public ? readFileSync(0, 'utf8').trim() : randomBytes(32).toString('base64');

try {
  const [key] = (await parseAuditKeys(seed, undefined)).published;
  if (!key) throw new AuditKeyError('missing');
  if (options.public) process.stdout.write(`${key.x}\n`);
  else {
    process.stdout.write(`AUDIT_SIGNING_KEY=${seed}\n`);
    process.stderr.write(
      `Keep it as a secret of the Worker (npx wrangler secret put AUDIT_SIGNING_KEY).\n` +
        `kid ${key.kid}\nPublic half, for AUDIT_PUBLIC_KEYS once another key takes over: ${key.x}\n`,
    );
  }
} catch (error) {
  if (!(error instanceof AuditKeyError)) throw error;
  process.stderr.write('Not an audit key: base64 of 32 bytes, as AUDIT_SIGNING_KEY has it.\n');
  process.exitCode = 1;
}
