/** Which tables a backup holds. The schema itself comes from the migrations, and is not in a backup. */
import type { ISql } from 'postgres';

export interface Column {
  readonly name: string;
  readonly type: string;
}

export interface StoredTable {
  /** With its schema, quoted where SQL needs it. */
  readonly name: string;
  /** The stored columns: generated ones are computed again. */
  readonly columns: readonly Column[];
}

/** Accounts come along, with their second factors. Sessions and one-time tokens do not: everybody signs in again. */
const AUTH_TABLES = ['auth.users', 'auth.identities', 'auth.mfa_factors'];

/** In the order of their names, by which `private.key_ids` is loaded before the keys. */
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

/** Versions of the migrations that were applied, in the table that the Supabase CLI keeps. */
export async function appliedMigrations(sql: ISql): Promise<string[]> {
  const rows = await sql<{ version: string }[]>`
    select version from supabase_migrations.schema_migrations order by version collate "C"`;
  return rows.map(({ version }) => version);
}

/**
 * Settings of a transaction that writes or reads a backup: one form for every value, no limit of time, and an error
 * where row-level security would hide rows.
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
