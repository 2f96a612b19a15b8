/** Lines and values of PostgreSQL's COPY text format, as a backup holds them. */

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The values of a row (PostgreSQL's documentation of COPY, "Text Format"). */
export function cellsOf(row: string): (string | null)[] {
  return row
    .split('\t')
    .map((cell) =>
      cell === '\\N' ? null : cell.replace(/\\([\s\S])/g, (_, letter: string) => ESCAPES[letter] ?? letter),
    );
}

/**
 * The lines of a stream of bytes, without their `\n`. Every other character is kept.
 *
 * @throws {TypeError} with the code ERR_ENCODING_INVALID_ENCODED_DATA, if the bytes are not UTF-8
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
