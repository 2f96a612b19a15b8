/** Reads tables from a plain `pg_dump`, with `COPY`, `--inserts` or `--column-inserts`. */
import { partsOf } from './dump-parts.ts';
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

/** The rows of one table, which every statement may list in an order of its own. */
class Reading {
  readonly columns: readonly string[];
  readonly rows: Cell[][] = [];

  constructor(columns: readonly string[]) {
    this.columns = columns;
  }

  /** Takes rows whose cells stand in the order of `listed`. */
  inOrderOf(listed: readonly string[]): (cells: readonly Cell[]) => void {
    const places = this.columns.map((column) => listed.indexOf(column));
    return (cells) => {
      if (cells.length !== listed.length) throw new DumpError('dump_malformed');
      this.rows.push(places.map((place) => cells[place] ?? null));
    };
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
  let addRow: ((cells: readonly Cell[]) => void) | undefined;

  /** The table's name, if it is one that is wanted. */
  const wantedName = (qualified: string | undefined): string | undefined => {
    const [name = '', inSchema = schema] = identifiersOf(qualified ?? '').reverse();
    return inSchema === schema && wanted.has(name) ? name : undefined;
  };
  const readingOf = (name: string, columns: readonly string[]): Reading => {
    const isWanted = (column: string) => wanted.get(name)?.has(column) ?? false;
    const reading = readings.get(name) ?? new Reading(columns.filter(isWanted));
    readings.set(name, reading);
    // A dump names all columns of a table, or there is more in it than one table of this name.
    if (columns.some((column) => isWanted(column) && !reading.columns.includes(column))) {
      throw new DumpError('dump_malformed');
    }
    return reading;
  };
  const adderOf = (name: string, listed: string | undefined) => {
    const columns = listed === undefined ? created.get(name) : identifiersOf(listed);
    if (!columns) throw new DumpError('dump_columns_unknown');
    return readingOf(name, columns).inOrderOf(columns);
  };
  const readStatement = (text: string): void => {
    addRow = undefined;
    const [create, copy, insert] = [CREATE.exec(text), COPY.exec(text), INSERT.exec(text)];
    const name = wantedName((create ?? copy ?? insert)?.[1]);
    if (name === undefined) return;
    if (create) {
      const columns = columnsOf(create[2] ?? '');
      created.set(name, columns);
      readingOf(name, columns);
    } else if (copy) addRow = adderOf(name, copy[2]);
    else if (insert) rowsOfInsert(text.slice(insert[0].length)).forEach(adderOf(name, insert[2]));
  };

  for await (const part of partsOf(lines)) {
    if (part.kind === 'statement') readStatement(part.text);
    else addRow?.(cellsOfCopy(part.line));
  }
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
