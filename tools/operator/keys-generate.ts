/**
 * `npm run keys:generate`: a new master key on standard output and its id on standard error, so that a pipe takes the
 * key alone. The command does not write to a file: a key in a file is easily forgotten there.
 */
import { randomBytes } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { note, runCommand, say } from './command.ts';
import { OperatorError } from './failure.ts';

const usage = `Usage: npm run --silent keys:generate | npx wrangler secret put ENCRYPTION_KEY

Prints a new master key, and its id on standard error. It rejects a file as its standard output.`;

await runCommand({ usage, options: {} }, async () => {
  if (fstatSync(1).isFile()) {
    throw new OperatorError(
      'A master key is not written to a file. Pipe it to where it will live: npm run --silent keys:generate | npx wrangler secret put ENCRYPTION_KEY',
    );
  }
  const key = randomBytes(32).toString('base64');
  const { primary } = await parseKeyring(key);
  say(key);
  note(`id ${primary.id}`);
  return 0;
});
