import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'supabase', 'migrations');
const SEED = join(import.meta.dirname, '..', '..', 'supabase', 'seed.sql');

/**
 * Applies the migrations that are missing, each in one transaction with its row in the table of the Supabase CLI. Then
 * it runs `seed.sql`, which can run any number of times. Returns the names of the applied migrations.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`create schema if not exists supabase_migrations`;
    await sql`create table if not exists supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text)`;
    const applied = new Set(
      (await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`).map(
        (row) => row.version,
      ),
    );
    const names: string[] = [];
    for (const file of readdirSync(MIGRATIONS).sort()) {
      const [, version, name] = /^(\d+)_(\w+)\.sql$/.exec(file) ?? [];
      if (version === undefined || name === undefined)
        throw new Error(`The file name of a migration is malformed: ${file}`);
      if (applied.has(version)) continue;
      const text = readFileSync(join(MIGRATIONS, file), 'utf8');
      try {
        await sql.begin(async (transaction) => {
          await transaction.unsafe(text).simple();
          await transaction`insert into supabase_migrations.schema_migrations
            ${transaction({ version, name, statements: [text] })}`;
        });
      } catch (cause) {
        throw new Error(`Migration ${file} failed: ${cause instanceof Error ? cause.message : cause}`, {
          cause,
        });
      }
      names.push(file);
    }
    await sql.unsafe(readFileSync(SEED, 'utf8')).simple();
    return names;
  } finally {
    await sql.end();
  }
}
