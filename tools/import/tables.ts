/** A value as text, in the form that PostgreSQL writes it, or null. */
export type Cell = string | null;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Tables of the old database by name, with the wanted columns that exist. */
export type Tables = ReadonlyMap<string, Table>;

/** For each table the columns to read, if they exist. Nothing else of the old database is read. */
export type Wanted = ReadonlyMap<string, ReadonlySet<string>>;
