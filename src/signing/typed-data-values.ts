import { SigningInputError } from './input-error.ts';
import { isRecord, readEvmAddress, readHex, readQuantity } from './values.ts';

export interface Field {
  readonly name: string;
  readonly type: string;
}
export type Types = ReadonlyMap<string, readonly Field[]>;

/** Identifiers of Solidity. Struct names have no `$`, because some libraries end the name there and hash another type. */
const FIELD_NAME = /^[A-Za-z_$][\w$]{0,127}$/;
const STRUCT_NAME = /^[A-Za-z_]\w{0,127}$/;
/** Libraries treat these names as atomic types, some even with sizes that do not exist. */
const ATOMIC_NAME = /^(?:u?int|bytes|(?:address|bool|string)$)/;
/** The atomic and dynamic types of EIP-712. `uint` and `int` without a size are aliases, which EIP-712 excludes. */
const ATOMIC = /^(?:address|bool|string|bytes([1-9]|[12]\d|3[0-2])?|(u?)int([1-9]\d{0,2}))$/;
const ARRAY = /^(.+)\[(\d{0,4})\]$/;

/** Larger than any typed data in use. They limit the work that a body of 64 KiB can cause. */
const MAX_TYPES = 64;
const MAX_FIELDS = 64;
const MAX_DEPTH = 16;
const MAX_VALUES = 4096;
const MAX_TYPE_LENGTH = 256;

/** The structs by name. @throws {SigningInputError} */
export function readTypes(value: unknown): Types {
  if (!isRecord(value)) throw malformed('types', 'must be an object');
  const entries = Object.entries(value);
  if (entries.length > MAX_TYPES) throw malformed('types', `at most ${MAX_TYPES} types are allowed`);
  const types = new Map(entries.map(([name, fields]) => [name, readFields(name, fields)]));
  for (const field of [...types.values()].flat()) {
    const element = elementOf(field.type);
    if (!isAtomic(element) && !types.has(element))
      throw malformed('types', 'a field has a type that is not defined');
  }
  return types;
}

function readFields(struct: string, value: unknown): readonly Field[] {
  if (!FIELD_NAME.test(struct)) throw malformed('types', 'a struct has a name that is not valid');
  if (!STRUCT_NAME.test(struct))
    throw malformed('types', 'a struct name contains $, which libraries hash in different ways');
  if (ATOMIC_NAME.test(struct)) throw malformed('types', 'a struct has the name of an atomic type');
  if (!Array.isArray(value) || value.length > MAX_FIELDS)
    throw malformed('types', `a struct must be a list of at most ${MAX_FIELDS} fields`);
  const fields = value.map((field: unknown) => {
    if (!isRecord(field)) throw malformed('types', 'a field must be an object');
    const { name, type, ...others } = field;
    if (typeof name !== 'string' || typeof type !== 'string' || Object.keys(others).length > 0) {
      throw malformed('types', 'a field must have only name and type');
    }
    if (type.length > MAX_TYPE_LENGTH) throw malformed('types', 'the name of a type is too long');
    if (!FIELD_NAME.test(name) || name === '__proto__')
      throw malformed('types', 'a field has a name that is not valid');
    return { name, type };
  });
  if (new Set(fields.map(({ name }) => name)).size < fields.length)
    throw malformed('types', 'a struct has a field twice');
  return fields;
}

/** Parses the values of a message by their types. */
export class MessageReader {
  readonly #types: Types;
  #values = 0;

  constructor(types: Types) {
    this.#types = types;
  }

  /** @throws {SigningInputError} */
  struct(name: string, value: unknown, at: string, depth = 0): Record<string, unknown> {
    if (!isRecord(value)) throw malformed(at, 'must be an object');
    const fields = this.#types.get(name) ?? [];
    return Object.fromEntries(
      fields.map((field) => {
        const member = Object.hasOwn(value, field.name) ? value[field.name] : undefined;
        return [field.name, this.#value(field.type, member, at, depth + 1)];
      }),
    );
  }

  #value(type: string, value: unknown, at: string, depth: number): unknown {
    this.#values += 1;
    if (depth > MAX_DEPTH || this.#values > MAX_VALUES)
      throw malformed(at, 'is nested too deeply or has too many values');
    const array = ARRAY.exec(type);
    if (array) {
      const [, element = '', length = ''] = array;
      if (!Array.isArray(value)) throw malformed(at, 'must be a list');
      if (length !== '' && value.length !== Number(length))
        throw malformed(at, 'must be a list of the length that its type names');
      return value.map((item) => this.#value(element, item, at, depth + 1));
    }
    if (this.#types.has(type)) return this.struct(type, value, at, depth);
    const read = atomic(type, value);
    if (read === undefined) throw malformed(at, 'is missing or not of its type');
    return read;
  }
}

/** Parses the value of an atomic type. Returns undefined if the value is not of the type. */
function atomic(type: string, value: unknown): unknown {
  if (type === 'address') return readEvmAddress(value);
  if (type === 'bool') return typeof value === 'boolean' ? value : undefined;
  if (type === 'string') return typeof value === 'string' && value.isWellFormed() ? value : undefined;
  const [, bytes, unsigned, bits] = ATOMIC.exec(type) ?? [];
  if (bits !== undefined) return integer(value, unsigned === 'u', BigInt(bits));
  return readHex(value, bytes === undefined ? undefined : Number(bytes));
}

function integer(value: unknown, unsigned: boolean, bits: bigint): bigint | undefined {
  const isNegative =
    typeof value === 'number' ? value < 0 : typeof value === 'string' && value.startsWith('-');
  if (!isNegative) {
    const read = readQuantity(value);
    return read !== undefined && read < 2n ** (unsigned ? bits : bits - 1n) ? read : undefined;
  }
  const read = readQuantity(typeof value === 'number' ? -value : String(value).slice(1));
  return !unsigned && read !== undefined && read <= 2n ** (bits - 1n) ? -read : undefined;
}

function isAtomic(type: string): boolean {
  const bits = ATOMIC.exec(type)?.[3];
  if (bits === undefined) return ATOMIC.test(type);
  return Number(bits) % 8 === 0 && Number(bits) >= 8 && Number(bits) <= 256;
}

function elementOf(type: string): string {
  let element = type;
  for (let array = ARRAY.exec(element); array; array = ARRAY.exec(element)) element = array[1] ?? '';
  return element;
}

function malformed(field: string, detail: string): SigningInputError {
  return new SigningInputError('typed_data_malformed', field, detail);
}
