/** Reads tables of the old database and changes nothing in it. */
import { connect } from '../operator/connect.ts';
import { parseDatabaseUrl } from '../operator/database-url.ts';
import type { Cell, Table, Tables, Wanted } from './tables.ts';

/** @param url of the old database; the rules for TLS are those of our own database */
export async function readOldDatabase(url: string, schema: string, wanted: Wanted): Promise<Tables> {
  const sql = await connect(parseDatabaseUrl(url, 'LEGACY_DATABASE_URL'), 1);
  try {
    // One snapshot of all tables, by a transaction that cannot write.
    return await sql.begin('isolation level repeatable read read only', async (transaction) => {
      const found = await transaction<{ table_name: string; column_name: string }[]>`
        select table_name, column_name from information_schema.columns
        where table_schema = ${schema} and table_name = any (${[...wanted.keys()]})
        order by table_name, ordinal_position`;
      const tables = new Map<string, Table>();
      for (const name of new Set(found.map((row) => row.table_name))) {
        const columns = found.flatMap(({ table_name, column_name }) =>
          table_name === name && wanted.get(name)?.has(column_name) ? [column_name] : [],
        );
        if (columns.length === 0) continue;
        // As text: ids may be integers or UUIDs, and tokens text or bytes.
        const cells = columns.map((column) => transaction`${transaction(column)}::text`);
        const list = cells.flatMap((cell, at) => (at === 0 ? [cell] : [transaction`, `, cell]));
        const rows =
          await transaction`select ${list} from ${transaction(schema)}.${transaction(name)}`.values();
        tables.set(name, { columns, rows: rows as unknown as Cell[][] });
      }
      return tables;
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}
