import { base58 } from '@scure/base';
import { SigningInputError } from './input-error.ts';

/** What a packet of the network holds, signatures included. */
export const MAX_TRANSACTION_BYTES = 1232;
const SIGNATURE_BYTES = 64;
const VERSION_0 = 0x80;

export interface SolanaInstruction {
  readonly program: string;
  /** Indexes into all accounts of the message: those of `keys`, then those that are looked up. */
  readonly accounts: readonly number[];
  readonly data: Uint8Array;
}

export interface SolanaMessage {
  /** The addresses in the message. The first of them pays and signs. */
  readonly keys: readonly string[];
  /** How many of the first keys sign, and how many of the first of these are writable. */
  readonly signers: number;
  readonly writableSigners: number;
  readonly instructions: readonly SolanaInstruction[];
}

/**
 * Reads a transaction message, legacy or version 0, as strictly as validators do when they sanitize one: every
 * byte belongs to it, every number has one encoding, every index points somewhere.
 *
 * @throws {SigningInputError} `transaction_malformed`
 */
export function readSolanaMessage(bytes: Uint8Array): SolanaMessage {
  const reader = new Reader(bytes);
  const isVersioned = (bytes[0] ?? 0) >= VERSION_0;
  if (isVersioned && reader.byte() !== VERSION_0) throw malformed('neither legacy nor version 0');
  const [signers, readonlySigners, readonlyOthers] = [reader.byte(), reader.byte(), reader.byte()];
  const keys = reader.list(() => base58.encode(reader.bytes(32)));
  if (signers > keys.length || readonlySigners >= signers || signers + readonlyOthers > keys.length) {
    throw malformed('its header does not fit its accounts');
  }
  if (new Set(keys).size < keys.length) throw malformed('an account stands in it twice');
  reader.bytes(32); // recent blockhash or nonce
  const instructions = reader.list(() => ({
    program: reader.byte(),
    accounts: reader.list(() => reader.byte()),
    data: reader.bytes(reader.length()),
  }));
  const lookedUp = isVersioned ? readLookups(reader) : 0;
  if (!reader.isAtEnd()) throw malformed('has bytes after its end');
  if (1 + signers * SIGNATURE_BYTES + bytes.length > MAX_TRANSACTION_BYTES)
    throw malformed('too long to be sent');
  const accounts = keys.length + lookedUp;
  if (accounts > 256) throw malformed('has too many accounts');
  for (const { program, accounts: indexes } of instructions) {
    // A program is in the message itself, and is not the payer.
    if (program === 0 || program >= keys.length || indexes.some((index) => index >= accounts)) {
      throw malformed('an instruction names an account that is not there');
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

/** How many accounts the address lookup tables add. Which ones is known to the network alone. */
function readLookups(reader: Reader): number {
  const lookups = reader.list(() => {
    reader.bytes(32); // the table
    return reader.bytes(reader.length()).length + reader.bytes(reader.length()).length;
  });
  if (lookups.includes(0)) throw malformed('looks up nothing in a table');
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

  /** A compact-u16: seven bits a byte, lowest first, at most three bytes and none that adds nothing. */
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
