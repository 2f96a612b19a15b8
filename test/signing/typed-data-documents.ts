/** Generated documents of typed data, in the notations that JSON allows. */
import fc from 'fast-check';
import { toHex } from 'viem';
import { address, bytes, hex } from '../support/arbitraries.ts';
import type { Document, Field } from './typed-data-libraries.ts';

/** A type with a generator of its values, as JSON has them. */
interface Typed {
  readonly type: string;
  readonly value: fc.Arbitrary<unknown>;
}

/** One integer in each text that all libraries read alike, and as a number if JSON does not round it. */
function notations(integer: bigint): fc.Arbitrary<unknown> {
  const texts = [String(integer), ` ${integer} `];
  if (integer >= 0n) {
    const digits = toHex(integer).slice(2);
    texts.push(`0x${digits}`, `0X${digits.toUpperCase()}`, `0x00${digits}`, `+${integer}`, `00${integer}`);
  }
  const isSafe = integer <= Number.MAX_SAFE_INTEGER && integer >= Number.MIN_SAFE_INTEGER;
  return isSafe ? fc.constantFrom<unknown>(...texts, Number(integer)) : fc.constantFrom<unknown>(...texts);
}

const integers = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 32 })).map(([signed, size]): Typed => {
  const bits = BigInt(8 * size);
  const range = signed
    ? { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }
    : { min: 0n, max: 2n ** bits - 1n };
  return {
    type: `${signed ? '' : 'u'}int${bits}`,
    value: fc.oneof(fc.bigInt(range), fc.constantFrom(range.min, range.max, 0n)).chain(notations),
  };
});

const upperHex = (text: string) => `0x${text.slice(2).toUpperCase()}`;
const atoms: fc.Arbitrary<Typed> = fc.oneof(
  integers,
  fc
    .integer({ min: 1, max: 32 })
    .map(
      (size): Typed => ({ type: `bytes${size}`, value: fc.oneof(bytes(size), bytes(size).map(upperHex)) }),
    ),
  fc.constantFrom<Typed>(
    {
      type: 'address',
      value: fc.oneof(
        address,
        address.map((text) => text.toLowerCase()),
      ),
    },
    { type: 'bool', value: fc.boolean() },
    { type: 'string', value: fc.string({ unit: 'grapheme', maxLength: 40 }) },
    { type: 'bytes', value: hex({ maxLength: 70 }) },
  ),
);

const listOf = ({ type, value }: Typed): fc.Arbitrary<Typed> =>
  fc.option(fc.integer({ min: 0, max: 3 })).map((length) => ({
    type: `${type}[${length ?? ''}]`,
    value: fc.array(value, length === null ? { maxLength: 3 } : { minLength: length, maxLength: length }),
  }));
const orList = (typed: fc.Arbitrary<Typed>) =>
  fc.oneof(
    { weight: 3, arbitrary: typed },
    { weight: 1, arbitrary: typed.chain(listOf) },
    { weight: 1, arbitrary: typed.chain(listOf).chain(listOf) },
  );

/** Any text is the name of a member: libraries only write it into the type. */
const memberName = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', 'C', '_', '1'), minLength: 1, maxLength: 6 }),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      'Wallet address',
      'a-b',
      'a,b',
      'x)',
      'constructor',
      'toString',
      '[]',
      'uint8',
      'a:b',
    ),
  },
);
const structName = fc
  .oneof(
    {
      weight: 4,
      arbitrary: fc.string({ unit: fc.constantFrom('A', 'b', '_', '1', 'Z'), minLength: 1, maxLength: 5 }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'intent',
        'bytesInfo',
        'uintX',
        'addresses',
        'function',
        'constructor',
        '1inch',
      ),
    },
  )
  .filter((name) => !/^(u?int|bytes)\d*$/.test(name));

/** Names of any kind, of which libraries reject some and hash others in different ways. */
const oddName = fc.oneof(
  structName,
  fc.string({ unit: fc.constantFrom('A', 'b', ':', '$', ' '), maxLength: 3 }),
  fc.constantFrom(
    'A',
    'A:B',
    'A$',
    'uint',
    'uint7',
    'bytes33',
    'É',
    'address',
    'EIP712Domain',
    'a[]',
    'A:B:C',
  ),
);

interface Struct {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly value: fc.Arbitrary<Record<string, unknown>>;
}

function structOf(name: string, members: readonly (readonly [string, Typed])[]): Struct {
  return {
    name,
    fields: members.map(([member, { type }]) => ({ name: member, type })),
    value: fc
      .tuple(...members.map(([, { value }]) => value))
      .map((values) => Object.fromEntries(values.map((value, index) => [members[index]?.[0] ?? '', value]))),
  };
}

const members = (typed: fc.Arbitrary<Typed>, minLength = 0) =>
  fc.uniqueArray(fc.tuple(memberName, orList(typed)), {
    minLength,
    maxLength: 5,
    selector: ([name]) => name,
  });

/** Up to three structs, each with members of the structs before it. The last one is the primary type. */
const structs = (name: fc.Arbitrary<string>) =>
  fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).chain((names) =>
    names.reduce<fc.Arbitrary<readonly Struct[]>>(
      (before, next) =>
        before.chain((known) => {
          const inner = known.map(({ name: type, value }): Typed => ({ type, value }));
          const typed = inner.length > 0 ? fc.oneof(atoms, fc.constantFrom(...inner)) : atoms;
          return members(typed, 1).map((list) => [...known, structOf(next, list)]);
        }),
      fc.constant([]),
    ),
  );

const chainId = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).chain(notations);
const standardDomain = fc.record(
  {
    name: fc.string({ maxLength: 12 }),
    version: fc.string({ maxLength: 4 }),
    chainId: fc.oneof(chainId, fc.integer({ min: 1, max: 100_000 })),
    verifyingContract: address,
    salt: bytes(32),
  },
  { requiredKeys: [] },
);
const STANDARD: Readonly<Record<string, string>> = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
  salt: 'bytes32',
};

interface WithDomain {
  readonly domain?: Record<string, unknown>;
  readonly declared?: readonly Field[];
}

/** Declared or not, in any order, with members that are not declared, and with members of any name and type. */
const domains: fc.Arbitrary<WithDomain> = fc.oneof(
  standardDomain.map((domain) => ({ domain })),
  fc.constant({}),
  fc.tuple(standardDomain, fc.boolean(), fc.boolean()).map(([domain, reversed, omits]) => {
    const fields = Object.entries(STANDARD)
      .filter(([name]) => Object.hasOwn(domain, name))
      .map(([name, type]) => ({ name, type }));
    const declared = omits ? fields.slice(1) : fields;
    return { domain, declared: reversed ? declared.reverse() : declared };
  }),
  members(atoms).chain((list) => {
    const { fields, value } = structOf('EIP712Domain', list);
    return fc.record({ domain: value, declared: fc.constant(fields) });
  }),
);

const documentsOf = (name: fc.Arbitrary<string>): fc.Arbitrary<Document> =>
  fc.tuple(structs(name), domains).chain(([all, { domain, declared }]) => {
    const last = all.at(-1);
    return (last?.value ?? fc.constant({})).map((message) => ({
      ...(domain && { domain }),
      types: {
        ...(declared && { EIP712Domain: declared }),
        ...Object.fromEntries(all.map(({ name: struct, fields }) => [struct, fields])),
      },
      primaryType: last?.name ?? '',
      message,
    }));
  });

/** Documents that every library accepts, unless it has no form for the domain. */
export const documents = documentsOf(structName);

/** One value that may be of another type, of another length, or in a notation that libraries read in different ways. */
const ODD_VALUES: readonly unknown[] = [
  '',
  '0x',
  '0X12',
  '0x1',
  'text',
  '-0x1',
  '--1',
  '1.0',
  '1e3',
  '0b101',
  '0o17',
  1.5,
  2 ** 53,
  -1,
  0,
  256,
  true,
  null,
  [],
  {},
  '256',
  '-1',
  '-129',
  '0xff',
  `0x${'Ab'.repeat(20)}`,
  `0x${'AB'.repeat(20)}`,
  'ab'.repeat(20),
  `0x${'00'.repeat(33)}`,
];
const ODD_TYPES = [
  'uint',
  'int',
  'uint7',
  'uint264',
  'bytes0',
  'bytes33',
  'function',
  'uint8[00]',
  'uint8[01]',
  'fixed',
  'uint8 ',
  '',
  '[]',
];
const oddField = fc
  .tuple(
    fc.oneof(
      atoms.map(({ type }) => type),
      fc.constantFrom(...ODD_TYPES),
    ),
    fc.constantFrom(...ODD_VALUES),
  )
  .map(
    ([type, value]): Document => ({
      domain: { name: 'x' },
      types: { EIP712Domain: [{ name: 'name', type: 'string' }], T: [{ name: 'x', type }] },
      primaryType: 'T',
      message: { x: value },
    }),
  );

/** Documents that libraries may reject, or hash in different ways. */
export const oddDocuments = fc.oneof(documentsOf(oddName), oddField);
