/**
 * `npm run keys:generate`: prints a new master key on standard output and its id on standard error, so that a pipe
 * receives only the key. The command does not write to a file, because people forget keys in files.
 */
import { randomBytes } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { print, printNote, runCommand } from './command.ts';
import { OperatorError } from './failure.ts';

const usage = `Usage: npm run --silent keys:generate | npx wrangler secret put ENCRYPTION_KEY

Prints a new master key on standard output, and its id on standard error. It fails if standard output is a file.`;

await runCommand({ usage, options: {} }, async () => {
  if (fstatSync(1).isFile()) {
    throw new OperatorError(
      'Standard output must not be a file. Pipe the master key to its destination: npm run --silent keys:generate | npx wrangler secret put ENCRYPTION_KEY',
    );
  }
  const key = randomBytes(32).toString('base64');
  const { primary } = await parseKeyring(key);
  print(key);
  printNote(`id ${primary.id}`);
  return 0;
});
