import { base58 } from '@scure/base';
import { SigningInputError } from './input-error.ts';

/** The size of a packet of the network, including the signatures. */
export const MAX_TRANSACTION_BYTES = 1232;
const SIGNATURE_BYTES = 64;
const VERSION_0 = 0x80;

export interface SolanaInstruction {
  readonly program: string;
  /** Indexes into all accounts of the message: first `keys`, then the accounts of lookup tables. */
  readonly accounts: readonly number[];
  readonly data: Uint8Array;
}

export interface SolanaMessage {
  /** The addresses in the message. The first one is the fee payer and signs. */
  readonly keys: readonly string[];
  /** The first `signers` keys sign. The first `writableSigners` of them are writable. */
  readonly signers: number;
  readonly writableSigners: number;
  readonly instructions: readonly SolanaInstruction[];
}

/**
 * Parses a transaction message, legacy or version 0, with the checks that validators make when they sanitize a message: no
 * byte is left over, numbers have their shortest encoding, and every index is in range.
 *
 * @throws {SigningInputError} `transaction_malformed`
 */
export function readSolanaMessage(bytes: Uint8Array): SolanaMessage {
  const reader = new Reader(bytes);
  const isVersioned = (bytes[0] ?? 0) >= VERSION_0;
  if (isVersioned && reader.byte() !== VERSION_0) throw malformed('must be a legacy message or of version 0');
  const [signers, readonlySigners, readonlyOthers] = [reader.byte(), reader.byte(), reader.byte()];
  const keys = reader.list(() => base58.encode(reader.bytes(32)));
  if (signers > keys.length || readonlySigners >= signers || signers + readonlyOthers > keys.length) {
    throw malformed('the header does not match the number of accounts');
  }
  if (new Set(keys).size < keys.length) throw malformed('an account is listed twice');
  reader.bytes(32); // recent blockhash or nonce
  const instructions = reader.list(() => ({
    program: reader.byte(),
    accounts: reader.list(() => reader.byte()),
    data: reader.bytes(reader.length()),
  }));
  const lookedUp = isVersioned ? readLookups(reader) : 0;
  if (!reader.isAtEnd()) throw malformed('has bytes after its end');
  if (1 + signers * SIGNATURE_BYTES + bytes.length > MAX_TRANSACTION_BYTES)
    throw malformed('is too long for a packet of the network');
  const accounts = keys.length + lookedUp;
  if (accounts > 256) throw malformed('has too many accounts');
  for (const { program, accounts: indexes } of instructions) {
    // A program id must be in the message itself, and it must not be the fee payer.
    if (program === 0 || program >= keys.length || indexes.some((index) => index >= accounts)) {
      throw malformed('an instruction has an account index that is out of range');
    }
  }
  return {
    keys,
    signers,
    writableSigners: signers - readonlySigners,
    instructions: instructions.map((instruction) => ({
      ...instruction,
      program: keys[instruction.program] ?? '',
    })),
  };
}

/** The number of accounts from address lookup tables. Their addresses are only on the network. */
function readLookups(reader: Reader): number {
  const lookups = reader.list(() => {
    reader.bytes(32); // the table
    return reader.bytes(reader.length()).length + reader.bytes(reader.length()).length;
  });
  if (lookups.includes(0)) throw malformed('an address lookup table has no indexes');
  return lookups.reduce((total, count) => total + count, 0);
}

class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw malformed('ends too early');
    return byte;
  }

  bytes(count: number): Uint8Array {
    const end = this.#offset + count;
    if (end > this.#bytes.length) throw malformed('ends too early');
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
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

  list<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.length() }, read);
  }

  isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }
}

function malformed(detail: string): SigningInputError {
  return new SigningInputError('transaction_malformed', '', detail);
}
