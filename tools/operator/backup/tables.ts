/** Which tables a backup contains. The schema is not in a backup, because the migrations create it. */
import type { ISql } from 'postgres';

export interface Column {
  readonly name: string;
  readonly type: string;
}

export interface StoredTable {
  /** The name with its schema, quoted if SQL requires it. */
  readonly name: string;
  /** The stored columns. Generated columns are not in a backup, because PostgreSQL computes them again. */
  readonly columns: readonly Column[];
}

/** A backup has the accounts with their second factors. It has no sessions and one-time tokens: all users sign in again. */
const AUTH_TABLES = ['auth.users', 'auth.identities', 'auth.mfa_factors'];

/** The tables in the order of their names. So `private.key_ids` is loaded before the keys. */
export async function storedTables(sql: ISql): Promise<StoredTable[]> {
  return sql<StoredTable[]>`
    select format('%I.%I', spaces.nspname, tables.relname) as name,
      json_agg(json_build_object(
        'name', columns.attname, 'type', format_type(columns.atttypid, null)) order by columns.attnum) as columns
    from pg_catalog.pg_class as tables
    join pg_catalog.pg_namespace as spaces on spaces.oid = tables.relnamespace
    join pg_catalog.pg_attribute as columns on columns.attrelid = tables.oid
      and columns.attnum > 0 and not columns.attisdropped and columns.attgenerated = ''
    where tables.relkind = 'r' and (
      spaces.nspname in ('public', 'private')
      or tables.oid in (select to_regclass(name) from unnest(${AUTH_TABLES}::text[]) as name))
    group by spaces.nspname, tables.relname
    order by spaces.nspname collate "C", tables.relname collate "C"`;
}

/** The versions of the applied migrations, from the table of the Supabase CLI. */
export async function appliedMigrations(sql: ISql): Promise<string[]> {
  const rows = await sql<{ version: string }[]>`
    select version from supabase_migrations.schema_migrations order by version collate "C"`;
  return rows.map(({ version }) => version);
}

/**
 * Prepares a transaction that writes or reads a backup: a fixed text form for every value, no time limit, and an error
 * if row-level security would hide rows.
 */
export async function prepareTransaction(sql: ISql): Promise<void> {
  await sql
    .unsafe(`
      set local row_security = off;
      set local statement_timeout = 0;
      set local idle_in_transaction_session_timeout = 0;
      set local datestyle = 'ISO';
      set local intervalstyle = 'postgres';
      set local timezone = 'UTC';
      set local bytea_output = 'hex';
      set local extra_float_digits = 1`)
    .simple();
}

export const quoted = (column: string): string => `"${column.replaceAll('"', '""')}"`;
