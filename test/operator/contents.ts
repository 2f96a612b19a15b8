/**
 * Stands in for `pg_dump` and `psql`, which do not come with the embedded PostgreSQL: a dump of the same tables in the
 * same text, by COPY, and the loading of such a text in one transaction. Where a pg_dump that can dump PostgreSQL 17
 * is at hand, the tests run with it too.
 */
import { spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';
import postgres from 'postgres';
import { linesOf, partsOf } from '../../supabase/operator/import/dump-parts.ts';
import { cellsOfCopy } from '../../supabase/operator/import/dump-rows.ts';

/** As in docs/backup.md: accounts come along, sessions do not. */
export const TABLES = ['public.*', 'private.*', 'auth.users', 'auth.identities'];
export const PG_DUMP = process.env.PG_DUMP ?? 'pg_dump';

export function canDumpHere(): boolean {
  const { stdout } = spawnSync(PG_DUMP, ['--version'], { encoding: 'utf8' });
  return Number(/ (\d+)\./.exec(stdout ?? '')?.[1] ?? 0) >= 17;
}

export function dumpByPgDump(databaseUrl: string): string {
  const args = ['--data-only', '--no-owner', ...TABLES.map((table) => `--table=${table}`), databaseUrl];
  const { status, stdout, stderr } = spawnSync(PG_DUMP, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** Tables as `schema.name`, with the columns that are stored and not generated. */
async function tablesOf(sql: postgres.ISql) {
  return sql<{ name: string; columns: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name,
      string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    where c.relkind = 'r' and (n.nspname in ('public', 'private') or c.oid in (
      'auth.users'::regclass, 'auth.identities'::regclass))
    group by n.nspname, c.relname order by 1`;
}

export async function dumpByCopy(databaseUrl: string): Promise<string> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    return await client.begin('isolation level repeatable read read only', async (sql) => {
      let text = "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n";
      for (const { name, columns } of await tablesOf(sql)) {
        text += `\nCOPY ${name} (${columns}) FROM stdin;\n`;
        for await (const chunk of await sql.unsafe(`copy ${name} (${columns}) to stdout`).readable())
          text += chunk;
        text += '\\.\n';
      }
      return text;
    });
  } finally {
    await client.end();
  }
}

export interface Restoring {
  /** Runs before the dump and after it, in its transaction. */
  readonly before?: string;
  readonly after?: string;
}

/**
 * As `psql --single-transaction -v ON_ERROR_STOP=1 -c BEFORE -f DUMP -c AFTER`, with rows as literals: the driver does
 * not come back from a COPY that fails.
 */
export async function restore(databaseUrl: string, dump: string, { before = '', after = '' }: Restoring) {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  const literal = (cell: string | null) => (cell === null ? 'null' : `'${cell.replaceAll("'", "''")}'`);
  try {
    await client.begin(async (sql) => {
      await sql.unsafe(before).simple();
      let target = '';
      for await (const part of partsOf(linesOf(Readable.from([Buffer.from(dump)])))) {
        const copy = part.kind === 'statement' ? /^COPY (.*) FROM stdin;$/s.exec(part.text)?.[1] : undefined;
        if (copy !== undefined) target = copy;
        else if (part.kind === 'statement') await sql.unsafe(part.text).simple();
        else {
          const values = cellsOfCopy(part.line).map(literal).join(', ');
          // Numbers of identity columns are taken as they are, by COPY too.
          await sql.unsafe(`insert into ${target} overriding system value values (${values})`).simple();
        }
      }
      await sql.unsafe(after).simple();
    });
  } finally {
    await client.end();
  }
}

/** Every row of every table that is dumped, in an order of its own, to be compared. */
export async function contentsOf(databaseUrl: string): Promise<Record<string, string[]>> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const contents: Record<string, string[]> = {};
    for (const { name } of await tablesOf(client)) {
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
