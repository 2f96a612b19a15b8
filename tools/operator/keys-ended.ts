/** `npm run keys:ended`: exports the list of key ids that have ended. See the usage text and docs/how-to/back-up-and-restore.md. */
import { existsSync } from 'node:fs';
import { type EndedKeys, endedKeysIn, readEndedKeys, writeEndedKeys } from './backup/ended-keys.ts';
import { printNote, runCommand } from './command.ts';
import { connectAsOperator, LOCAL, WHICH_DATABASE } from './connect.ts';
import { OperatorError, UsageError } from './failure.ts';
import { writeOutput } from './output-file.ts';

const usage = `Usage: npm run keys:ended -- [--local] --out FILE

Writes the ids of all keys that have ended (rotated, revoked or removed). With this list, a restore removes keys that ended
after the backup. Run this command often, for example every hour. The list contains no secret.

  --out FILE  replaces an earlier list, unless that list has ids that the database does not have; - for standard output
${WHICH_DATABASE}`;

const options = { out: { type: 'string' }, local: LOCAL } as const;

await runCommand({ usage, options }, async (values) => {
  if (values.out === undefined) throw new UsageError('--out is missing.');
  const sql = await connectAsOperator(values);
  try {
    const ended = await endedKeysIn(sql);
    requireNothingLost(values.out, ended);
    await writeOutput(values.out, oneChunk(writeEndedKeys(ended)), { replace: true });
    printNote(`${ended.keys.length} key ids have ended, as of ${ended.created_at}.`);
    return 0;
  } finally {
    await sql.end({ timeout: 5 });
  }
});

/** After a restore, an earlier list may have ids that the database does not have. It must not be overwritten. */
function requireNothingLost(path: string, ended: EndedKeys): void {
  if (path === '-' || !existsSync(path)) return;
  const known = new Set(ended.keys.map(({ key_id }) => key_id));
  const lost = readEndedKeys(path).keys.filter(({ key_id }) => !known.has(key_id)).length;
  if (lost === 0) return;
  throw new OperatorError(
    `The file was not replaced, because it has ${lost} key ids that have not ended in this database. If an older backup was restored, these keys must be removed: see docs/how-to/back-up-and-restore.md.`,
  );
}

async function* oneChunk(text: string) {
  yield text;
}
