/** Finds any of thousands of texts in hundreds of megabytes, in one pass: texts are indexed by their first bytes. */
const FILTER_BITS = 22;
const MARK = 12;

export class Needles {
  readonly #filter = new Uint8Array(1 << FILTER_BITS);
  readonly #byMark = new Map<string, { readonly bytes: Buffer; readonly index: number }[]>();

  /** Each has at least 12 bytes. */
  constructor(needles: readonly (string | Uint8Array)[]) {
    for (const [index, needle] of needles.entries()) {
      const bytes = Buffer.from(needle as string);
      if (bytes.length < MARK) throw new TypeError('A needle is too short.');
      const mark = bytes.toString('latin1', 0, MARK);
      this.#filter[hashAt(bytes, 0)] = 1;
      this.#byMark.set(mark, [...(this.#byMark.get(mark) ?? []), { bytes, index }]);
    }
  }

  /** The indexes of the texts that were found, so that a failure does not show a key either. */
  foundIn(hay: string | Buffer): number[] {
    const bytes = typeof hay === 'string' ? Buffer.from(hay) : hay;
    const found = new Set<number>();
    for (let at = 0; at + MARK <= bytes.length; at++) {
      if (this.#filter[hashAt(bytes, at)] !== 1) continue;
      for (const needle of this.#byMark.get(bytes.toString('latin1', at, at + MARK)) ?? []) {
        if (bytes.subarray(at, at + needle.bytes.length).equals(needle.bytes)) found.add(needle.index);
      }
    }
    return [...found];
  }
}

function hashAt(bytes: Buffer, at: number): number {
  const four =
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);
  return Math.imul(four, 0x9e3779b1) >>> (32 - FILTER_BITS);
}
