/**
 * Takes a plain SQL dump apart as `psql` would: statements, and the lines that follow a `COPY`. A value may hold
 * line breaks and what looks like a statement; who could write one into the old database must not be able to
 * write rows of other tables by it. So quotes, dollar quotes and comments are followed, and nothing is guessed by line.
 */
import { DumpError } from './tables.ts';

export type DumpPart =
  | { readonly kind: 'statement'; readonly text: string }
  /** A line of the data of the `COPY` statement before it. */
  | { readonly kind: 'row'; readonly line: string };

const FROM_STDIN = /^COPY\s.*\sFROM\s+stdin\s*;$/is;
/** What changes how the text after it is read. */
const OPENING = /--|\/\*|\$(?:[A-Za-z_]\w*)?\$|'|"|;/g;

/** @throws {DumpError} */
export async function* partsOf(lines: AsyncIterable<string>): AsyncGenerator<DumpPart> {
  const statements = new StatementReader();
  let copying = false;
  let first = true;
  for await (const line of lines) {
    if (first && line.startsWith('PGDMP')) throw new DumpError('dump_not_plain');
    first = false;
    if (copying) {
      if (line === '\\.') copying = false;
      else yield { kind: 'row', line };
      continue;
    }
    // A command of psql's own, such as \restrict, stands alone on its line between statements.
    if (statements.isBetween && line.startsWith('\\')) continue;
    for (const text of statements.read(line)) {
      refuseOtherReading(text);
      yield { kind: 'statement', text };
      copying = FROM_STDIN.test(text);
    }
  }
  if (copying || !statements.isBetween) throw new DumpError('dump_cut_off');
}

/** Settings under which the same text would mean something else. */
function refuseOtherReading(text: string): void {
  if (/^SET\s+client_encoding\s*=\s*'(?!UTF-?8')/i.test(text)) throw new DumpError('dump_not_plain');
  if (/^SET\s+standard_conforming_strings\s*=\s*off/i.test(text)) throw new DumpError('dump_not_plain');
}

/** Cuts text into statements, line after line. Comments are left out. */
class StatementReader {
  #text = '';
  /** What ends the quote or comment that the text is in; undefined outside of one. */
  #closing: RegExp | undefined;
  #commentDepth = 0;

  get isBetween(): boolean {
    return this.#closing === undefined && this.#commentDepth === 0 && this.#text.trim() === '';
  }

  *read(line: string): Generator<string> {
    const rest = `${line}\n`;
    let at = 0;
    while (at < rest.length) {
      if (this.#commentDepth > 0) at = this.#skipComment(rest, at);
      else if (this.#closing) at = this.#readQuoted(rest, at, this.#closing);
      else {
        OPENING.lastIndex = at;
        const found = OPENING.exec(rest);
        this.#text += rest.slice(at, found?.index ?? rest.length);
        if (found?.[0] === '--') this.#text += '\n';
        if (!found || found[0] === '--') break;
        at = found.index + found[0].length;
        if (found[0] === ';') {
          yield `${this.#text.trim()};`;
          this.#text = '';
        } else if (found[0] === '/*') this.#commentDepth = 1;
        else this.#open(found[0]);
      }
    }
  }

  #open(quote: string): void {
    // An escape string: a backslash takes the next character's meaning away.
    const escapes = quote === "'" && /(?:^|[^\w$])[eE]$/.test(this.#text);
    this.#text += quote;
    // In the others a doubled quote ends one string and begins the next, to the same effect.
    this.#closing = escapes ? /\\[\s\S]|''|'/g : new RegExp(quote.replaceAll('$', '\\$'), 'g');
  }

  #readQuoted(rest: string, at: number, closing: RegExp): number {
    closing.lastIndex = at;
    let found = closing.exec(rest);
    while (found && /^(?:''|\\[\s\S])$/.test(found[0])) found = closing.exec(rest);
    const end = found ? found.index + found[0].length : rest.length;
    this.#text += rest.slice(at, end);
    if (found) this.#closing = undefined;
    return end;
  }

  #skipComment(rest: string, at: number): number {
    const edge = /\/\*|\*\//g;
    edge.lastIndex = at;
    const found = edge.exec(rest);
    if (!found) return rest.length;
    this.#commentDepth += found[0] === '/*' ? 1 : -1;
    return found.index + 2;
  }
}

/** The lines of a stream of bytes, without their `\n` and with every other character that they hold. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  const decode = (chunk?: Uint8Array) => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new DumpError('dump_not_plain');
    }
  };
  for await (const chunk of chunks) {
    const lines = (rest + decode(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decode();
  if (rest !== '') yield rest;
}
