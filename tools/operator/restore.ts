/** `npm run restore`: loads a backup into an empty database. See docs/how-to/back-up-and-restore.md. */
import type { Sql } from 'postgres';
import { type EndedByLists, endKeys } from './backup/end-keys.ts';
import { type EndedKeys, readEndedKeys } from './backup/ended-keys.ts';
import type { Manifest } from './backup/format.ts';
import { type Loaded, loadBackup } from './backup/load-backup.ts';
import { verifyBackup } from './backup/read-backup.ts';
import { type AfterRestore, printRestored } from './backup/report.ts';
import { prepareTransaction } from './backup/tables.ts';
import { print, runCommand } from './command.ts';
import { connectAsOperator, LOCAL, namedDatabase, WHICH_DATABASE } from './connect.ts';
import { OperatorError, UsageError } from './failure.ts';

const usage = `Usage: npm run restore -- [--local] --from FILE [--ended FILE]
       npm run restore -- --check --from FILE [--ended FILE]

Loads a backup into a database that has the same migrations and no client, account or key. Everything is one
transaction: if anything fails, nothing is written. After a restore, no bot runs and no machine token is valid. The command
prints what you must review.

  --from FILE   the backup, compressed or not
  --ended FILE  a list of "npm run keys:ended"; removes keys that ended after the backup; may be given several times
  --check       verifies the files without a database
${WHICH_DATABASE}`;

const options = {
  from: { type: 'string' },
  ended: { type: 'string', multiple: true },
  check: { type: 'boolean', default: false },
  local: LOCAL,
} as const;

interface Restored {
  readonly loaded: Loaded;
  readonly ended: EndedByLists;
  readonly after: AfterRestore;
}

await runCommand({ usage, options }, async (values) => {
  if (values.from === undefined) throw new UsageError('--from is missing.');
  if (!values.check) namedDatabase(values);
  const lists = (values.ended ?? []).map(readEndedKeys);
  const manifest = await verifyBackup(values.from);
  if (values.check) {
    print(
      `The backup of ${manifest.created_at} is complete and undamaged. ${manifest.tables.length} tables:`,
    );
    for (const { name, rows } of manifest.tables) print(`${String(rows).padStart(10)}  ${name}`);
    return 0;
  }
  const sql = await connectAsOperator(values);
  try {
    printRestored({ manifest, lists, ...(await restore(sql, values.from, manifest, lists)) });
    return 0;
  } finally {
    await sql.end({ timeout: 5 });
  }
});

async function restore(
  sql: Sql,
  path: string,
  manifest: Manifest,
  lists: readonly EndedKeys[],
): Promise<Restored> {
  try {
    return await sql.begin(async (transaction) => {
      await prepareTransaction(transaction);
      const loaded = await loadBackup(transaction, path, manifest);
      const ended = await endKeys(transaction, lists);
      const [row] = await transaction<[{ after: AfterRestore }]>`select private.after_restore() as after`;
      return { loaded, ended, after: row.after };
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== '42P01' && code !== '3F000') throw error;
    throw new OperatorError(
      'Tables of the migrations are missing in the database. Push the migrations of the backup first.',
    );
  }
}
