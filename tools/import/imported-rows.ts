/** The rows of earlier imports: `private.imported_rows`, read and written in the transaction of the import. */
import type { TransactionSql } from 'postgres';
import type { RowName } from './outcome.ts';

export interface ImportedRow {
  readonly old_table: string;
  readonly old_id: string;
  readonly new_id: string;
  readonly address: string | null;
}

export class ImportedRows {
  readonly #sql: TransactionSql;
  readonly #source: string;
  readonly #rows = new Map<string, ImportedRow>();

  constructor(sql: TransactionSql, source: string) {
    this.#sql = sql;
    this.#source = source;
  }

  async readOf(rows: readonly RowName[]): Promise<void> {
    const found = await this.#sql<ImportedRow[]>`
      select old_table, old_id, new_id, address from private.imported_rows
      where source = ${this.#source} and (old_table, old_id) in (
        select * from unnest(${rows.map(({ table }) => table)}::text[], ${rows.map(({ id }) => id)}::text[]))`;
    for (const row of found) this.#rows.set(`${row.old_table} ${row.old_id}`, row);
  }

  get({ table, id }: RowName): ImportedRow | undefined {
    return this.#rows.get(`${table} ${id}`);
  }

  async keep(
    { table, id }: RowName,
    newId: string,
    clientId: string,
    key?: { readonly address: string; readonly key_id: string },
    sql: TransactionSql = this.#sql,
  ): Promise<void> {
    await sql`insert into private.imported_rows ${sql({
      source: this.#source,
      old_table: table,
      old_id: id,
      new_id: newId,
      client_id: clientId,
      address: key?.address ?? null,
      key_id: key?.key_id ?? null,
    })}`;
  }

  /** Whether this client was imported from this source. */
  async hasClient(clientId: string): Promise<boolean> {
    const found = await this.#sql`
      select from private.imported_rows
      where source = ${this.#source} and old_table = 'clients' and client_id = ${clientId}`;
    return found.length > 0;
  }

  /** Whether a key was imported from any source, so that a second source can add keys to the same client. */
  async holds(keyId: string): Promise<boolean> {
    const found = await this.#sql`select from private.imported_rows where key_id = ${keyId} limit 1`;
    return found.length > 0;
  }
}
