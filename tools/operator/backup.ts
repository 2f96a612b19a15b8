/** `npm run backup`: writes the content of the database into one file. See the usage text and docs/how-to/back-up-and-restore.md. */
import type { Sql } from 'postgres';
import type { Manifest } from './backup/format.ts';
import { backupOf } from './backup/write-backup.ts';
import { printNote, runCommand } from './command.ts';
import { connectAsOperator, LOCAL, WHICH_DATABASE } from './connect.ts';
import { UsageError } from './failure.ts';
import { writeOutput } from './output-file.ts';

const usage = `Usage: npm run backup -- [--local] --out FILE

Writes the rows of the schemas public and private, and the accounts of Supabase Auth with their second factors, from one
snapshot. The file contains personal data and sealed keys, but no plain private key and no token. Only its owner can read
it, and you should encrypt it where you store it. The schema is not in the file, because the migrations create it.

  --out FILE  a new file; compressed if its name ends with .gz; - for standard output
${WHICH_DATABASE}`;

const options = { out: { type: 'string' }, local: LOCAL } as const;

await runCommand({ usage, options }, async (values) => {
  if (values.out === undefined) throw new UsageError('--out is missing.');
  const sql = await connectAsOperator(values);
  try {
    const { tables, created_at, newest_event } = await writeBackup(sql, values.out);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    printNote(`Backup of ${created_at}: ${rows} rows of ${tables.length} tables.`);
    printNote(`Newest event: ${newest_event ?? 'none'}.`);
    return 0;
  } finally {
    await sql.end({ timeout: 5 });
  }
});

async function writeBackup(sql: Sql, path: string): Promise<Manifest> {
  let manifest: Manifest | undefined;
  let cause: unknown;
  const writing = sql.begin('isolation level repeatable read read only', async (transaction) => {
    async function* chunks() {
      manifest = yield* backupOf(transaction);
    }
    try {
      await writeOutput(path, chunks(), { replace: false });
    } catch (error) {
      cause = error;
      // If nothing reads the COPY any longer, the connection would wait forever.
      await sql.end({ timeout: 0 });
    }
  });
  await writing.catch((error) => {
    cause ??= error;
  });
  if (cause !== undefined) throw cause;
  if (!manifest) throw new TypeError('a backup ends with its manifest');
  return manifest;
}
