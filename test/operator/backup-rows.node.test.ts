/** The text format of COPY, as `npm run restore` reads it. */
import { describe, expect, it } from 'vitest';
import { cellsOf, linesOf } from '../../tools/operator/backup/rows.ts';

describe('the values of a row', () => {
  it.each<[string, string, (string | null)[]]>([
    ['null and an empty text', '\\N\t', [null, '']],
    ['escaped control characters', 'a\\tb\\nc\\r\\b\\f\\v', ['a\tb\nc\r\b\f\v']],
    ['an escaped backslash before N', '\\\\N', ['\\N']],
    ['bytes', '\\\\x00', ['\\x00']],
    ['an escaped character without a meaning', 'a\\;b', ['a;b']],
  ])('%s', (_, row, cells) => {
    expect(cellsOf(row)).toEqual(cells);
  });
});

describe('the lines of a stream', () => {
  const read = async (bytes: Uint8Array, size: number) => {
    const chunks = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    const lines: string[] = [];
    for await (const line of linesOf(chunks())) lines.push(line);
    return lines;
  };
  const text = new TextEncoder().encode('é\r\n\n中 🔑\nlast');

  it.each([1, 2, 3, 1000])('are the same in chunks of %i bytes', async (size) => {
    expect(await read(text, size)).toEqual(['é\r', '', '中 🔑', 'last']);
  });

  it.each([
    ['a byte that is not UTF-8', Uint8Array.of(0x61, 0xff)],
    ['a character that is cut off', text.subarray(0, 1)],
  ])('%s -> an error', async (_, bytes) => {
    await expect(read(bytes, 1)).rejects.toMatchObject({ code: 'ERR_ENCODING_INVALID_ENCODED_DATA' });
  });
});
