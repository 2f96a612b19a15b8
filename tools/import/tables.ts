import { OperatorError } from '../operator/failure.ts';

/** What is read of an old database, whatever it is read from: text, as PostgreSQL writes it, or null. */
export type Cell = string | null;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Tables by name, with those columns that were asked for and are there. */
export type Tables = ReadonlyMap<string, Table>;

/** For each table the columns that may be wanted: nothing else of the old database is kept. */
export type Wanted = ReadonlyMap<string, ReadonlySet<string>>;

const MESSAGES = {
  dump_not_plain: 'The dump is not plain SQL in UTF-8: make it with pg_dump --format=plain --encoding=UTF8.',
  dump_malformed: 'The dump is not as pg_dump writes it.',
  dump_cut_off: 'The dump ends in the middle: make it anew.',
  dump_columns_unknown:
    'The dump has rows without the names of their columns: make it with --column-inserts.',
} as const;

/** Why a dump is not read. Nothing of it is repeated. */
export class DumpError extends OperatorError {
  override readonly name = 'DumpError';
  readonly reason: keyof typeof MESSAGES;

  constructor(reason: keyof typeof MESSAGES) {
    super(MESSAGES[reason]);
    this.reason = reason;
  }
}
