/** Values of a dump: a line of `COPY`'s text format, or the lists of an `INSERT`. */
import { type Cell, DumpError } from './tables.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A line of `COPY`'s text format (PostgreSQL's documentation of COPY, "Text Format"). */
export function cellsOfCopy(line: string): Cell[] {
  return line
    .split('\t')
    .map((cell) =>
      cell === '\\N' ? null : cell.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPES[letter] ?? letter),
    );
}

const SPACE = /\s*/y;
const STRING = /'((?:[^']|'')*)'/y;
/** A number, NULL, DEFAULT, true, false: what is neither quoted nor a list. */
const BARE = /[^\s,()']+/y;

/**
 * The lists of values that follow `VALUES`.
 *
 * @throws {DumpError} `dump_malformed` for what pg_dump does not write, such as an expression
 */
export function rowsOfInsert(values: string): Cell[][] {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(values);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const takeCharacter = (...wanted: string[]): string => {
    take(SPACE);
    const character = values.charAt(at);
    if (!wanted.includes(character)) throw new DumpError('dump_malformed');
    at += 1;
    return character;
  };
  const takeCell = (): Cell => {
    take(SPACE);
    const string = take(STRING);
    if (string) return (string[1] ?? '').replaceAll("''", "'");
    const bare = take(BARE)?.[0];
    if (bare === undefined) throw new DumpError('dump_malformed');
    return /^(?:NULL|DEFAULT)$/i.test(bare) ? null : bare;
  };
  const rows: Cell[][] = [];
  do {
    takeCharacter('(');
    const row: Cell[] = [];
    do row.push(takeCell());
    while (takeCharacter(',', ')') === ',');
    rows.push(row);
    take(SPACE);
  } while (values.charAt(at) === ',' && takeCharacter(','));
  const rest = values.slice(at).trim();
  if (!/^(?:ON CONFLICT DO NOTHING\s*)?;$/i.test(rest)) throw new DumpError('dump_malformed');
  return rows;
}
