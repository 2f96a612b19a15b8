import { base58 } from '@scure/base';
import { SigningInputError } from './input-error.ts';

/** Reads the bytes of a transaction in order. Every number has exactly one encoding. */
export class SolanaReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #offset = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** The number of bytes that were read. */
  get offset(): number {
    return this.#offset;
  }

  byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw malformed('ends too early');
    return byte;
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    const end = this.#offset + count;
    if (end > this.#bytes.length) throw malformed('ends too early');
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  /** A number of this many bytes, the lowest first. */
  number(size: 2 | 4): number {
    return this.bytes(size).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  uint64(): bigint {
    return this.bytes(8).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
  }

  /** A compact-u16: seven bits per byte, lowest first, at most three bytes, in the shortest encoding. */
  length(): number {
    let value = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value > 0xffff || (byte === 0 && shift > 0)) break;
        return value;
      }
    }
    throw malformed('a length is not a compact-u16');
  }

  /** Items after their number, which is a compact-u16. */
  list<Item>(read: () => Item): Item[] {
    return this.items(this.length(), read);
  }

  /** The numbers of accounts that sign, of those that are readonly, and of other accounts that are readonly. */
  header(): readonly [signers: number, readonlySigners: number, readonlyOthers: number] {
    return [this.byte(), this.byte(), this.byte()];
  }

  address(): string {
    return base58.encode(this.bytes(32));
  }

  items<Item>(count: number, read: () => Item): Item[] {
    return Array.from({ length: count }, read);
  }
}

export function malformed(detail: string): SigningInputError {
  return new SigningInputError('transaction_malformed', '', detail);
}
