/**
 * `npm run keys:generate`: a new master key on standard output and its id on standard error, so that a pipe takes the
 * key alone. It writes no file, and refuses to be made to: a key in a file is a key that is forgotten there.
 */
import { randomBytes } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { run, say } from './key-setting.ts';

await run(async () => {
  if (fstatSync(1).isFile()) {
    throw new Error(
      'A master key is not written to a file. Pipe it to where it will live: npm run --silent keys:generate | npx wrangler secret put ENCRYPTION_KEY',
    );
  }
  const key = randomBytes(32).toString('base64');
  const { primary } = await parseKeyring(key);
  say(key);
  process.stderr.write(`id ${primary.id}\n`);
  return 0;
});
