/** Reads tables from a plain `pg_dump`, with `COPY`, `--inserts` or `--column-inserts`. */
import { type DumpPart, partsOf } from './dump-parts.ts';
import { cellsOfCopy, rowsOfInsert } from './dump-rows.ts';
import { type Cell, DumpError, type Tables, type Wanted } from './tables.ts';

const IDENTIFIER = '(?:"(?:[^"]|"")+"|[A-Za-z_][\\w$]*)';
const NAME = `((?:${IDENTIFIER}\\.)?${IDENTIFIER})`;
const LIST = `\\(\\s*(${IDENTIFIER}(?:\\s*,\\s*${IDENTIFIER})*)\\s*\\)`;
const CREATE = new RegExp(
  `^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?${NAME}\\s*\\((.*)\\)[^)]*;$`,
  'is',
);
const COPY = new RegExp(`^COPY ${NAME}\\s*(?:${LIST})?\\s*FROM stdin\\s*;$`, 'is');
const INSERT = new RegExp(
  `^INSERT INTO ${NAME}\\s*(?:${LIST})?\\s*(?:OVERRIDING (?:SYSTEM|USER) VALUE\\s*)?VALUES\\s*`,
  'i',
);
const COLUMN = new RegExp(`^\\s+(${IDENTIFIER})\\s`);

class Reading {
  readonly columns: readonly string[];
  readonly rows: Cell[][] = [];
  readonly #places: readonly number[];
  readonly #width: number;

  constructor(columns: readonly string[], wanted: ReadonlySet<string>) {
    this.columns = columns.filter((column) => wanted.has(column));
    this.#places = columns.flatMap((column, place) => (wanted.has(column) ? [place] : []));
    this.#width = columns.length;
  }

  add(cells: readonly Cell[]): void {
    if (cells.length !== this.#width) throw new DumpError('dump_malformed');
    this.rows.push(this.#places.map((place) => cells[place] ?? null));
  }
}

/** @throws {DumpError} */
export async function readDump(
  lines: AsyncIterable<string>,
  schema: string,
  wanted: Wanted,
): Promise<Tables> {
  const created = new Map<string, readonly string[]>();
  const readings = new Map<string, Reading>();
  let copying: Reading | undefined;

  /** The table's name, if it is one that is wanted. */
  const wantedName = (qualified: string | undefined): string | undefined => {
    const [name = '', inSchema = schema] = identifiersOf(qualified ?? '').reverse();
    return inSchema === schema && wanted.has(name) ? name : undefined;
  };
  const readingOf = (name: string, listed: string | undefined): Reading => {
    const columns = listed === undefined ? created.get(name) : identifiersOf(listed);
    if (!columns) throw new DumpError('dump_columns_unknown');
    const reading = readings.get(name) ?? new Reading(columns, wanted.get(name) ?? new Set());
    readings.set(name, reading);
    return reading;
  };
  const readStatement = (text: string): void => {
    copying = undefined;
    const create = CREATE.exec(text);
    const name = wantedName((create ?? COPY.exec(text) ?? INSERT.exec(text))?.[1]);
    if (name === undefined) return;
    if (create) {
      created.set(name, columnsOf(create[2] ?? ''));
      readingOf(name, undefined);
      return;
    }
    const copy = COPY.exec(text);
    if (copy) {
      copying = readingOf(name, copy[2]);
      return;
    }
    const insert = INSERT.exec(text);
    const reading = readingOf(name, insert?.[2]);
    for (const row of rowsOfInsert(text.slice(insert?.[0].length))) reading.add(row);
  };
  const readPart = (part: DumpPart): void => {
    if (part.kind === 'statement') readStatement(part.text);
    else copying?.add(cellsOfCopy(part.line));
  };

  for await (const part of partsOf(lines)) readPart(part);
  return readings;
}

/** The names in `a`, `a.b` or `a, "b c"`, without their quotes. */
function identifiersOf(text: string): string[] {
  return Array.from(text.matchAll(new RegExp(IDENTIFIER, 'g')), ([name]) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name,
  );
}

/** pg_dump writes each column on a line of its own, and constraints after them. */
function columnsOf(body: string): string[] {
  return body.split('\n').flatMap((line) => {
    const column = COLUMN.exec(line)?.[1];
    return column === undefined || column === 'CONSTRAINT' ? [] : identifiersOf(column);
  });
}
