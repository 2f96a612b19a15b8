import { arrayOf, atomOf, elementOf, malformed, type Types } from './typed-data-types.ts';
import {
  addressFault,
  hexFault,
  isRecord,
  numberFault,
  readEvmAddress,
  readHex,
  shownName,
} from './values.ts';

/** Larger than any typed data in use. They limit the work that one request can cause. */
const MAX_DEPTH = 16;
const MAX_VALUES = 4096;

/** Parses the values of a message by their types. */
export class MessageReader {
  readonly #types: Types;
  #values = 0;

  constructor(types: Types) {
    this.#types = types;
  }

  /**
   * The members that the type declares. Others are not signed, and are ignored as in all libraries.
   *
   * @throws {SigningInputError}
   */
  struct(name: string, value: unknown, at: string, depth = 0): Record<string, unknown> {
    if (!isRecord(value)) throw malformed(at, 'must be an object');
    const fields = this.#types.get(name) ?? [];
    return Object.fromEntries(
      fields.map((field) => {
        const member = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
        return [field.name, this.#value(field.type, member, `${at}/${shownName(field.name)}`, depth + 1)];
      }),
    );
  }

  #value(type: string, value: unknown, at: string, depth: number): unknown {
    this.#values += 1;
    if (depth > MAX_DEPTH) throw malformed(at, `is nested more than ${MAX_DEPTH} levels deep`);
    if (this.#values > MAX_VALUES)
      throw malformed(at, `is more than the ${MAX_VALUES} values that are allowed`);
    if (value === undefined || value === null) throw malformed(at, 'is missing, and its type declares it');
    const array = arrayOf(type);
    if (array) {
      const { element, length } = array;
      if (!Array.isArray(value)) throw malformed(at, 'must be a list');
      if (length !== undefined && value.length !== length) throw malformed(at, `must have ${length} items`);
      return value.map((item, index) => this.#value(element, item, `${at}/${index}`, depth + 1));
    }
    if (this.#types.has(type)) return this.struct(type, value, at, depth);
    return atomic(type, value, at);
  }
}

function atomic(type: string, value: unknown, at: string): unknown {
  const { name, size, unsigned = false } = atomOf(elementOf(type)) ?? {};
  switch (name) {
    case 'integer':
      return integer(value, unsigned, BigInt(size ?? 0), at);
    case 'address':
      return required(readEvmAddress(value), at, () => addressFault(value));
    case 'bool':
      return required(typeof value === 'boolean' ? value : undefined, at, () => 'must be true or false');
    case 'string':
      return required(typeof value === 'string' && value.isWellFormed() ? value : undefined, at, () =>
        typeof value === 'string' ? 'has half of a surrogate pair' : 'must be a text',
      );
    default:
      // viem and MetaMask's library take an empty text as no bytes.
      if (size === undefined && value === '') return '0x';
      return required(readHex(value, size), at, () => hexFault(value, size));
  }
}

/** What `BigInt` of JavaScript reads, which all libraries use, but not an empty text, which it reads as zero. */
const INTEGER_TEXT = /^(?:[+-]?\d+|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/;
/** More than the binary digits of any integer. The time of a conversion grows with the length. */
const MAX_DIGITS = 300;

function integer(value: unknown, unsigned: boolean, bits: bigint, at: string): bigint {
  const read = integerOf(value);
  if (read === undefined) throw malformed(at, numberFault(value));
  const [min, end] = unsigned ? [0n, 2n ** bits] : [-(2n ** (bits - 1n)), 2n ** (bits - 1n)];
  if (read < min || read >= end) throw malformed(at, `is out of range for ${unsigned ? 'u' : ''}int${bits}`);
  return read;
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== 'string' || value.length > MAX_DIGITS) return undefined;
  const text = value.trim();
  return INTEGER_TEXT.test(text) ? BigInt(text) : undefined;
}

function required<Value>(value: Value | undefined, at: string, fault: () => string): Value {
  if (value === undefined) throw malformed(at, fault());
  return value;
}
