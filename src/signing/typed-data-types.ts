/** The types of typed data: what viem, ethers and MetaMask's library accept and hash in the same way. */
import { SigningInputError } from './input-error.ts';
import { isRecord, shownName } from './values.ts';

export interface Field {
  readonly name: string;
  readonly type: string;
}
export type Types = ReadonlyMap<string, readonly Field[]>;

/** The names that viem accepts. The other libraries accept more, but hash some of them in different ways. */
const STRUCT_NAME = /^[A-Za-z0-9_$:]{1,128}$/;
/** Libraries treat these names as atomic types, some of them even with sizes that do not exist. */
const ATOMIC_NAME = /^(?:address|bool|string|(?:u?int|bytes)\d*)$/;
/** The atomic and dynamic types of EIP-712. `uint` and `int` without a size are aliases, which EIP-712 excludes. */
const ATOMIC = /^(?:address|bool|string|bytes([1-9]|[12]\d|3[0-2])?|(u?)int([1-9]\d{0,2}))$/;
const ARRAY = /^(.+)\[(\d{0,4})\]$/;

/** Larger than any typed data in use. They limit the work that one request can cause. */
const MAX_TYPES = 64;
const MAX_FIELDS = 64;
const MAX_TEXT_LENGTH = 256;

/** The structs by name. @throws {SigningInputError} */
export function readTypes(value: unknown): Types {
  if (!isRecord(value)) throw malformed('types', 'must be an object');
  const entries = Object.entries(value);
  if (entries.length > MAX_TYPES) throw malformed('types', `has more than ${MAX_TYPES} types`);
  const types = new Map(entries.map(([name, fields]) => [name, readFields(name, fields)]));
  for (const [struct, fields] of types)
    for (const [index, { type }] of fields.entries()) {
      if (isAtomic(elementOf(type)) || types.has(elementOf(type))) continue;
      const isAlias = /^u?int$/.test(elementOf(type));
      const detail = isAlias
        ? 'must have a size, such as uint256'
        : 'is neither a type of EIP-712 nor a struct of types';
      throw malformed(`types/${shownName(struct)}/${index}/type`, detail);
    }
  return types;
}

function readFields(struct: string, value: unknown): readonly Field[] {
  const at = `types/${shownName(struct)}`;
  if (ATOMIC_NAME.test(struct)) throw malformed(at, 'is a struct with the name of an atomic type');
  if (!STRUCT_NAME.test(struct) || struct === '__proto__')
    throw malformed(at, 'libraries disagree about this struct name: use letters, digits, _, $ and :');
  if (!Array.isArray(value)) throw malformed(at, 'must be a list of {name, type}');
  if (value.length > MAX_FIELDS) throw malformed(at, `has more than ${MAX_FIELDS} members`);
  const names = new Set<string>();
  return value.map((field: unknown, index) => {
    const { name, type } = isRecord(field) ? field : {};
    if (typeof name !== 'string' || typeof type !== 'string')
      throw malformed(`${at}/${index}`, 'must have a name and a type, which are texts');
    if (name.length > MAX_TEXT_LENGTH || type.length > MAX_TEXT_LENGTH)
      throw malformed(`${at}/${index}`, `has a name or type of more than ${MAX_TEXT_LENGTH} characters`);
    if (!name.isWellFormed()) throw malformed(`${at}/${index}/name`, 'has half of a surrogate pair');
    if (names.has(name))
      throw malformed(
        `${at}/${index}/name`,
        'is the name of an earlier member: libraries disagree about that',
      );
    names.add(name);
    return { name, type };
  });
}

/** The bits or bytes of an atomic type with a size. Undefined if the type is not atomic. */
export function atomOf(type: string): { name: string; size?: number; unsigned?: boolean } | undefined {
  const [name, bytes, sign, bits] = ATOMIC.exec(type) ?? [];
  if (name === undefined) return undefined;
  if (bits !== undefined) {
    const size = Number(bits);
    return size % 8 === 0 && size <= 256 ? { name: 'integer', size, unsigned: sign === 'u' } : undefined;
  }
  return bytes === undefined ? { name } : { name: 'bytes', size: Number(bytes) };
}

/** The type of the items and the length, if `type` is a list. */
export function arrayOf(type: string): { element: string; length: number | undefined } | undefined {
  const [, element, length = ''] = ARRAY.exec(type) ?? [];
  return element === undefined ? undefined : { element, length: length === '' ? undefined : Number(length) };
}

const ELEMENT = /^([^[]+)(?:\[\d{0,4}\])+$/;

/** The type of the items, or of the items of the items. In linear time, because it runs for each member. */
export function elementOf(type: string): string {
  return ELEMENT.exec(type)?.[1] ?? type;
}

function isAtomic(type: string): boolean {
  return atomOf(type) !== undefined;
}

/**
 * Rejects types that libraries hash in different ways. viem and ethers find the structs that a struct refers to by their whole
 * names. MetaMask's library and ox read a name up to the first character other than a letter, a digit or `_`. So they find
 * other structs if one of the names contains `:` or `$`.
 *
 * @throws {SigningInputError}
 */
export function requireOneMeaning(types: Types, primaryType: string): void {
  if ([...types.keys()].every((name) => /^\w+$/.test(name))) return;
  // Each member is looked at once for each struct that refers to its struct.
  const elements = new Map([...types.values()].flat().map(({ type }) => [type, elementOf(type)]));
  const byWholeName = (type: string) => elements.get(type) ?? type;
  const byFirstWord = (type: string) => /^\w*/.exec(type)?.[0] ?? '';
  for (const struct of [primaryType, ...referredTo(types, primaryType, byWholeName)]) {
    const [whole, words] = [byWholeName, byFirstWord].map((nameOf) => referredTo(types, struct, nameOf));
    if ([...(whole ?? [])].sort().join() === [...(words ?? [])].sort().join()) continue;
    throw malformed(
      `types/${shownName(struct)}`,
      'libraries disagree about a struct name with : or $ if that struct refers to another one, or another one to it',
    );
  }
}

/** The structs to which a struct refers, directly or not, without itself. */
function referredTo(types: Types, struct: string, nameOf: (type: string) => string): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [nameOf(struct)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || !types.has(name)) continue;
    found.add(name);
    open.push(...(types.get(name) ?? []).map(({ type }) => nameOf(type)));
  }
  found.delete(struct);
  return found;
}

export function malformed(field: string, detail: string): SigningInputError {
  return new SigningInputError('typed_data_malformed', field, detail);
}
