/** Loads a verified backup into an empty database, inside the caller's transaction. */
import type { TransactionSql } from 'postgres';
import { cellsOfCopy } from '../../import/dump-rows.ts';
import { OperatorError } from '../failure.ts';
import type { Manifest } from './format.ts';
import { readBackup } from './read-backup.ts';
import { appliedMigrations, type Column, quoted, type StoredTable, storedTables } from './tables.ts';

const ROWS_IN_A_STATEMENT = 500;
/** The id of the audit chain of the deployment. */
const DEPLOYMENT = "client_id = '00000000-0000-0000-0000-000000000000'";

/** Rows that an empty database may have: from the migrations, the seed and the operator's tokens, and counters of events. */
const SET_UP_ROWS: Readonly<Record<string, string>> = {
  'public.bot_types': 'true',
  'public.machine_tokens': "client_id is null and scope <> 'bots'",
  'public.key_events': DEPLOYMENT,
  'private.queued_key_events': DEPLOYMENT,
  'private.event_counts': 'true',
  'private.monitor_settings': 'true',
  'private.monitor_state': 'true',
  'private.settings': 'true',
};

export interface Loaded {
  readonly rows: number;
  /** How many machine tokens of the operator the database had before. */
  readonly tokensReplaced: number;
}

/** @throws {OperatorError} before anything is written, if the database is not empty or has other migrations */
export async function loadBackup(sql: TransactionSql, path: string, manifest: Manifest): Promise<Loaded> {
  // From here on no other transaction can add a client.
  await sql`lock table public.clients in share row exclusive mode`;
  const tables = new Map((await storedTables(sql)).map((table) => [table.name, table]));
  await requireSameMigrations(sql, manifest);
  requireSameTables(tables, manifest);
  // Public tables are checked first, so that the error names a table that the operator knows.
  const isPrivate = (name: string): number => Number(name.startsWith('private.'));
  for (const name of [...tables.keys()].toSorted((a, b) => isPrivate(a) - isPrivate(b)))
    await requireNoRows(sql, name);

  // Without triggers, which would number keys and record events again. CHECKs and ENABLE ALWAYS triggers still apply.
  await sql`set local session_replication_role = replica`;
  let tokensReplaced = 0;
  for (const name of Object.keys(SET_UP_ROWS)) {
    const removed = await removeSetUpRows(sql, name);
    if (name === 'public.machine_tokens') tokensReplaced = removed;
  }
  const rows = await loadRows(sql, path, manifest, tables);
  for (const { name } of manifest.tables) await continueSequences(sql, name);
  await sql`set local session_replication_role = origin`;
  return { rows, tokensReplaced };
}

async function requireSameMigrations(sql: TransactionSql, manifest: Manifest): Promise<void> {
  const applied = await appliedMigrations(sql);
  const missing = manifest.migrations.filter((version) => !applied.includes(version));
  const more = applied.filter((version) => !manifest.migrations.includes(version));
  if (missing.length + more.length === 0) return;
  throw new OperatorError(
    `The migrations of the backup and of the database differ. Only in the backup: ${listOf(missing)}. Only in the database: ${listOf(more)}. Check out the version of the backup, push its migrations into an empty project, and restore there.`,
  );
}

const listOf = (versions: readonly string[]): string =>
  versions.length === 0 ? 'none' : versions.slice(0, 5).join(', ') + (versions.length > 5 ? ', …' : '');

function requireSameTables(tables: ReadonlyMap<string, StoredTable>, manifest: Manifest): void {
  for (const { name, columns } of manifest.tables) {
    const stored = tables.get(name);
    const missing = columns.filter((column) => !stored?.columns.some((known) => known.name === column));
    if (!stored) throw new OperatorError(`The backup has the table ${name}, and the database does not.`);
    if (missing.length > 0) {
      throw new OperatorError(
        `The backup has columns of ${name} that the database does not have: ${missing.join(', ')}.`,
      );
    }
  }
  // Supabase Auth may have tables that the project of the backup did not have. Other tables come from the migrations.
  const absent = [...tables.keys()].find(
    (name) => !name.startsWith('auth.') && !manifest.tables.some((table) => table.name === name),
  );
  if (absent !== undefined)
    throw new OperatorError(`The database has the table ${absent}, and the backup does not.`);
}

async function requireNoRows(sql: TransactionSql, name: string): Promise<void> {
  const setUp = SET_UP_ROWS[name] ?? 'false';
  const [found] = await sql.unsafe(`select 1 from ${name} where not (${setUp}) limit 1`);
  if (!found) return;
  throw new OperatorError(
    `The database is in use: ${name} has rows. A restore needs an empty project. Nothing was changed.`,
  );
}

async function removeSetUpRows(sql: TransactionSql, name: string): Promise<number> {
  const where = SET_UP_ROWS[name] ?? 'false';
  const [found] = await sql.unsafe(`select 1 from ${name} where ${where} limit 1`);
  if (!found) return 0;
  const isAppendOnly = name === 'public.key_events';
  // The events of setting up an unused project are not needed.
  if (isAppendOnly) await sql`alter table public.key_events disable trigger key_events_are_never_changed`;
  const { count } = await sql.unsafe(`delete from ${name} where ${where}`);
  if (isAppendOnly)
    await sql`alter table public.key_events enable always trigger key_events_are_never_changed`;
  return count;
}

async function loadRows(
  sql: TransactionSql,
  path: string,
  manifest: Manifest,
  tables: ReadonlyMap<string, StoredTable>,
): Promise<number> {
  let loader: RowLoader | undefined;
  let rows = 0;
  const parts = readBackup(path);
  for (;;) {
    const { done, value } = await parts.next();
    if (done) {
      await loader?.flush();
      if (JSON.stringify(value) === JSON.stringify(manifest)) return rows;
      throw new OperatorError('The backup was changed while it was read. Nothing was written.');
    }
    if (value.kind === 'row') {
      rows += 1;
      await loader?.add(value.line);
    } else {
      await loader?.flush();
      loader = new RowLoader(sql, value.name, columnsOf(tables.get(value.name), value.columns));
    }
  }
}

function columnsOf(table: StoredTable | undefined, names: readonly string[]): Column[] {
  return names.map((name) => {
    const column = table?.columns.find((known) => known.name === name);
    if (!column) throw new OperatorError('The backup was changed while it was read. Nothing was written.');
    return column;
  });
}

/**
 * Inserts many rows with each statement. It does not use COPY: if a COPY fails at its end, postgres.js neither reports
 * the error nor continues.
 */
class RowLoader {
  readonly #sql: TransactionSql;
  readonly #statement: string;
  readonly #columns: (string | null)[][];

  constructor(sql: TransactionSql, table: string, columns: readonly Column[]) {
    this.#sql = sql;
    this.#columns = columns.map(() => []);
    const names = columns.map(({ name }) => quoted(name)).join(', ');
    const cells = columns.map((_, at) => `c${at}`).join(', ');
    const values = columns.map(({ type }, at) => `given.c${at}::${type}`).join(', ');
    const lists = columns.map((_, at) => `$${at + 1}::text[]`).join(', ');
    // As with COPY, identity columns get the numbers of the backup.
    this.#statement = `insert into ${table} (${names}) overriding system value select ${values} from unnest(${lists}) as given (${cells})`;
  }

  async add(line: string): Promise<void> {
    const cells = cellsOfCopy(line);
    if (cells.length !== this.#columns.length) {
      throw new OperatorError('A row of the backup has too many or too few values. Nothing was written.');
    }
    for (const [at, cell] of cells.entries()) this.#columns[at]?.push(cell);
    if ((this.#columns[0]?.length ?? 0) >= ROWS_IN_A_STATEMENT) await this.flush();
  }

  async flush(): Promise<void> {
    if ((this.#columns[0]?.length ?? 0) === 0) return;
    await this.#sql.unsafe(this.#statement, this.#columns);
    for (const column of this.#columns) column.length = 0;
  }
}

/** Sets each sequence, so that its next number follows the numbers that were loaded. */
async function continueSequences(sql: TransactionSql, table: string): Promise<void> {
  const columns = await sql<{ name: string; sequence: string }[]>`
    select attname as name, pg_get_serial_sequence(${table}, attname) as sequence
    from pg_catalog.pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped
      and pg_get_serial_sequence(${table}, attname) is not null`;
  for (const { name, sequence } of columns) {
    await sql.unsafe(
      `select setval(${`'${sequence}'`}, max(${quoted(name)})) from ${table} having max(${quoted(name)}) is not null`,
    );
  }
}
