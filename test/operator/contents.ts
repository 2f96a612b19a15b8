import postgres from 'postgres';
import { storedTables } from '../../tools/operator/backup/tables.ts';

/** Every row of every table that a backup contains, in a fixed order for comparison. */
export async function contentsOf(databaseUrl: string): Promise<Record<string, string[]>> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const contents: Record<string, string[]> = {};
    for (const { name } of await storedTables(client)) {
      const rows = await client.unsafe<{ row: string }[]>(
        `select to_jsonb(t)::text as row from ${name} as t order by 1`,
      );
      contents[name] = rows.map(({ row }) => row);
    }
    return contents;
  } finally {
    await client.end();
  }
}
