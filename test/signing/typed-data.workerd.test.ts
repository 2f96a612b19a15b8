import fc from 'fast-check';
import { hashTypedData, type TypedDataDefinition, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { readSigning } from '../../src/signing/index.ts';
import { address, bytes, hex } from '../support/arbitraries.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { refusalOf, signedBy } from './signed.ts';

const key = newEvmKey();
const account = privateKeyToAccount(key.privateKey as `0x${string}`);
const request = (typed_data: object) =>
  ({ type: 'evm.typed_data', typed_data: typed_data as Record<string, unknown> }) as const;

/** The example of EIP-712. */
const MAIL = {
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  primaryType: 'Mail',
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
} as const;

it('the example of EIP-712 has the published digest, and its chain id is passed to the policy', () => {
  expect(refusalOf(request(MAIL))).toMatchObject({
    kind: 'evm.typed_data',
    chainId: '1',
    recipients: [],
    value: 0n,
    payload: Uint8Array.from(
      'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'.match(/../g) ?? [],
      (byte) => Number.parseInt(byte, 16),
    ),
  });
});

/** A type with a generator of its values, and their notations in JSON. */
interface Typed {
  readonly type: string;
  readonly value: fc.Arbitrary<unknown>;
}

const integers = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 32 })).map(([signed, size]): Typed => {
  const bits = BigInt(8 * size);
  const range = signed
    ? { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }
    : { min: 0n, max: 2n ** bits - 1n };
  return {
    type: `${signed ? '' : 'u'}int${bits}`,
    value: fc.oneof(fc.bigInt(range), fc.constantFrom(range.min, range.max, 0n)),
  };
});
const atoms: fc.Arbitrary<Typed> = fc.oneof(
  integers,
  fc.integer({ min: 1, max: 32 }).map((size): Typed => ({ type: `bytes${size}`, value: bytes(size) })),
  fc.constantFrom<Typed>(
    { type: 'address', value: address },
    { type: 'bool', value: fc.boolean() },
    { type: 'string', value: fc.string({ unit: 'grapheme', maxLength: 40 }) },
    { type: 'bytes', value: hex({ maxLength: 70 }) },
  ),
);
const arrayOf = (item: fc.Arbitrary<Typed>) =>
  fc.tuple(item, fc.option(fc.integer({ min: 0, max: 3 }))).map(
    ([{ type, value }, length]): Typed => ({
      type: `${type}[${length ?? ''}]`,
      value: fc.array(value, length === null ? { maxLength: 3 } : { minLength: length, maxLength: length }),
    }),
  );
const members = fc.array(fc.oneof(atoms, arrayOf(atoms), arrayOf(arrayOf(atoms))), {
  minLength: 1,
  maxLength: 5,
});
const struct = (fields: readonly Typed[], more: Record<string, Typed> = {}) => {
  const all = { ...Object.fromEntries(fields.map((field, i) => [`field${i}`, field])), ...more };
  return {
    fields: Object.entries(all).map(([name, { type }]) => ({ name, type })),
    value: fc.record(Object.fromEntries(Object.entries(all).map(([name, { value }]) => [name, value]))),
  };
};

/** An outer struct with an inner one, alone and in lists. */
const definitions = fc.tuple(members, members).chain(([innerFields, outerFields]) => {
  const inner = struct(innerFields);
  const typed = { type: 'Inner', value: inner.value };
  const outer = struct(outerFields, {
    one: typed,
    many: { type: 'Inner[]', value: fc.array(inner.value, { maxLength: 3 }) },
  });
  return fc.record({
    types: fc.constant({ Inner: inner.fields, Outer: outer.fields }),
    primaryType: fc.constant('Outer'),
    domain: fc.record(
      {
        name: fc.string({ minLength: 1 }),
        version: fc.string({ minLength: 1 }),
        chainId: fc.integer({ min: 1 }),
        verifyingContract: address,
        salt: bytes(32),
      },
      { requiredKeys: [] },
    ),
    message: outer.value,
  });
});

const jsonOf = (value: unknown, write: (integer: bigint) => unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? write(member) : member)));

it('typed data gets the same signature as from viem, in any notation of its numbers', async () => {
  const property = fc.asyncProperty(definitions, async (definition) => {
    const expected = await account.signTypedData(definition as TypedDataDefinition);
    // No library but ethers reads hex with a sign.
    const hexOf = (integer: bigint) => (integer < 0n ? String(integer) : toHex(integer));
    for (const write of [String, hexOf]) {
      const written = jsonOf(definition, write) as object;
      expect((await signedBy(key, request(written))).signature).toBe(expected);
    }
    const { chainId } = definition.domain;
    const signing = refusalOf(request(jsonOf(definition, String) as object));
    expect(signing).toMatchObject(chainId === undefined ? {} : { chainId: String(chainId) });
  });
  await fc.assert(property, { numRuns: 40 });
});

describe('names of structs and fields', () => {
  const plain = fc.string({ unit: fc.constantFrom('A', 'b', '_'), minLength: 1, maxLength: 3 });
  /** Names that libraries parse in different ways: `$`, keywords of Solidity, sizes that no type has. */
  const odd = fc.oneof(
    fc.string({ unit: fc.constantFrom('A', 'b', '0', '_', '$'), minLength: 1, maxLength: 4 }),
    fc.constantFrom('uint', 'int', 'bytes', 'uint8', 'uint08', 'uint7', 'bytes33', 'bytes032', 'function'),
    fc.constantFrom('constructor', 'toString', 'fixed', 'address', 'intent', 'bytesInfo', 'A$', 'A$B'),
  );
  const name = fc.oneof(plain, plain, odd);
  const atom = fc.oneof(fc.constant('uint8'), odd);
  const definition = fc
    .record({ outer: name, inner: name, one: name, many: name, number: name, atom })
    .map(({ outer, inner, one, many, number, atom }) => {
      const item = { [number]: 1 };
      return {
        domain: { chainId: 1 },
        types: {
          [inner]: [{ name: number, type: atom === 'address' ? 'uint8' : atom }],
          ...(outer !== inner && {
            [outer]: [
              { name: one, type: inner },
              { name: many, type: `${inner}[]` },
            ],
          }),
        },
        primaryType: outer,
        message: { [one]: item, [many]: [item], ...item },
      };
    });

  const hashOf = (typedData: object) => {
    try {
      return hashTypedData(typedData as TypedDataDefinition);
    } catch {
      return 'rejected';
    }
  };
  const digestOf = (typedData: object) => {
    const signing = refusalOf(request(typedData));
    return typeof signing === 'string' ? signing : toHex((signing as { payload: Uint8Array }).payload);
  };

  it('are signed as from viem, or rejected', () => {
    let signed = 0;
    const property = fc.property(definition, (given) => {
      const digest = digestOf(given);
      if (digest.startsWith('typed_data_malformed')) return;
      signed += 1;
      expect(digest).toBe(hashOf(given));
    });
    fc.assert(property, { numRuns: 3000 });
    expect(signed).toBeGreaterThan(300);
  });

  const named = (struct: string, field = 'x') => ({
    domain: {},
    types: { T: [{ name: 't', type: struct }], [struct]: [{ name: field, type: 'uint8' }] },
    primaryType: 'T',
    message: { t: { [field]: 1 } },
  });

  it.each(['_', 'A_B', '__A', 'Intent', 'intent', 'bytesInfo', 'addresses', '1inch', 'constructor'])(
    'a struct named %s -> as from viem',
    (struct) => {
      expect(digestOf(named(struct))).toBe(hashOf(named(struct)));
    },
  );

  it.each(['$', 'a$b', '_$', '', ' ', 'Wallet address', 'a-b', 'a,uint256 b', 'a)', 'é', '😀', '__proto__'])(
    'a field named "%s" -> as from viem',
    (field) => {
      // As JSON has it, so that __proto__ is a member like others.
      const written = JSON.parse(JSON.stringify(named('S', 'FIELD')).replaceAll('FIELD', field));
      expect(digestOf(written)).toBe(hashOf(written));
    },
  );

  it.each(['$', 'A$', '$A', 'A:B', 'HyperliquidTransaction:UsdSend'])(
    'a struct named %s -> as from viem if no other struct is involved, and rejected otherwise',
    (struct) => {
      const alone = { ...named(struct), types: { [struct]: [{ name: 'x', type: 'uint8' }] } };
      const primary = { ...alone, primaryType: struct, message: { x: 1 } };
      expect(digestOf(primary)).toBe(hashOf(primary));
      const referring = {
        ...primary,
        types: { [struct]: [{ name: 'x', type: 'S' }], S: [] },
        message: { x: {} },
      };
      for (const [typedData, at] of [
        [named(struct), 'T'],
        [referring, struct],
      ] as const)
        expect(() => readSigning(request(typedData))).toThrow(
          expect.objectContaining({
            reason: 'typed_data_malformed',
            field: `types/${at}`,
            detail: expect.stringContaining('libraries disagree'),
          }),
        );
    },
  );

  it.each(['A B', 'É', '', 'A-B', 'a[', 'A(', 'x'.repeat(129)])(
    'a struct named "%s", which not every library accepts -> rejected',
    (struct) => {
      const written = JSON.stringify({ ...named('STRUCT'), primaryType: 'STRUCT', message: { x: 1 } });
      expect(digestOf(JSON.parse(written.replaceAll('STRUCT', struct)))).toBe(
        'typed_data_malformed types/(not shown)',
      );
    },
  );

  it.each(['uint', 'int', 'uint7', 'uint08', 'bytes33', 'bytes032', 'address', 'bytes'])(
    'a struct named %s, which libraries may read as an atomic type -> rejected',
    (struct) => {
      expect(digestOf(named(struct))).toBe(`typed_data_malformed types/${struct}`);
    },
  );
});

describe('different notations of the same typed data', () => {
  const { payload } = refusalOf(request(MAIL)) as { payload: Uint8Array };
  it.each<[string, object]>([
    ['without EIP712Domain among its types', { types: { Person: MAIL.types.Person, Mail: MAIL.types.Mail } }],
    ['with the chain id as text', { domain: { ...MAIL.domain, chainId: '1' } }],
    ['with the chain id in hex', { domain: { ...MAIL.domain, chainId: '0x01' } }],
    ['with the chain id in upper case hex', { domain: { ...MAIL.domain, chainId: '0X1' } }],
    ['with white space around the chain id', { domain: { ...MAIL.domain, chainId: ' 1\n' } }],
    ['with a member of the domain that is not declared', { domain: { ...MAIL.domain, salt: 'x', chain: 1 } }],
    ['with a member that typed data does not have', { extra: 1 }],
    [
      'with a member that a field does not have',
      { types: { ...MAIL.types, Mail: MAIL.types.Mail.map((field) => ({ ...field, internalType: 'x' })) } },
    ],
    ['with a member that no type has', { message: { ...MAIL.message, note: 'not signed' } }],
    [
      'with addresses in lower case',
      { domain: { ...MAIL.domain, verifyingContract: `0x${'c'.repeat(40)}` } },
    ],
  ])('%s', (_, change) => {
    expect(refusalOf(request({ ...MAIL, ...change }))).toMatchObject({ payload });
  });

  it('an empty text for bytes has no bytes, as in viem', () => {
    const empty = (x: string) => ({
      domain: {},
      types: { T: [{ name: 'x', type: 'bytes' }] },
      primaryType: 'T',
      message: { x },
    });
    const { payload } = refusalOf(request(empty(''))) as { payload: Uint8Array };
    expect(toHex(payload)).toBe(hashTypedData(empty('') as TypedDataDefinition));
    expect(refusalOf(request(empty('0x')))).toMatchObject({ payload });
  });

  it('a recursive type is as deep as its values', () => {
    const recursive = {
      domain: {},
      primaryType: 'Node',
      types: {
        Node: [
          { name: 'name', type: 'string' },
          { name: 'children', type: 'Node[]' },
        ],
      },
      message: { name: 'a', children: [{ name: 'b', children: [] }] },
    } as const;
    expect(refusalOf(request(recursive))).toMatchObject({
      payload: Uint8Array.from(hashTypedData(recursive).slice(2).match(/../g) ?? [], (byte) =>
        Number.parseInt(byte, 16),
      ),
    });
  });
});

describe('the chain that a policy judges', () => {
  const inDomain = (type: string, value: unknown, name = 'chainId') => ({
    ...MAIL,
    types: { ...MAIL.types, EIP712Domain: [{ name, type }] },
    domain: { [name]: value },
  });

  it.each([
    ['0x1', '1'],
    [10, '10'],
    [String(2n ** 256n - 1n), String(2n ** 256n - 1n)],
  ])('uint256 chainId of %s -> it', (value, chainId) => {
    expect(refusalOf(request(inDomain('uint256', value)))).toMatchObject({ chainId });
  });

  // A policy that lists chains rejects a signature without one. So what is not bound to a chain must not name one.
  it.each<[string, object]>([
    ['a domain without a chain id', inDomain('string', 'x', 'name')],
    [
      'a chain id that is not declared',
      { ...inDomain('string', 'x', 'name'), domain: { name: 'x', chainId: 1 } },
    ],
    ['no declared member', { ...MAIL, types: { ...MAIL.types, EIP712Domain: [] } }],
    ['a chain id that is a text', inDomain('string', '1')],
    ['a chain id of another size', inDomain('uint64', 1)],
    ['a chain id that is a list', inDomain('uint256[]', [1])],
    ['another member', inDomain('uint256', 1, 'chain')],
    [
      'no domain',
      { ...MAIL, types: { Person: MAIL.types.Person, Mail: MAIL.types.Mail }, domain: undefined },
    ],
  ])('%s -> not bound to a chain, and signed as from viem', (_, typedData) => {
    const signing = refusalOf(request(typedData));
    expect(signing).not.toHaveProperty('chainId');
    expect(toHex((signing as { payload: Uint8Array }).payload)).toBe(
      hashTypedData(typedData as TypedDataDefinition),
    );
  });
});

describe('typed data is rejected', () => {
  const field = (type: string, value: unknown) => ({
    domain: {},
    types: { T: [{ name: 'x', type }] },
    primaryType: 'T',
    message: { x: value },
  });
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const fieldNamed = (name: unknown) => ({
    ...MAIL,
    types: { ...MAIL.types, Mail: [{ name, type: 'string' }] },
  });

  it.each<[string, object, string]>([
    ['uint8 of 256', field('uint8', 256), 'message/x'],
    ['uint8 of -1', field('uint8', -1), 'message/x'],
    ['uint8 of text -1', field('uint8', '-1'), 'message/x'],
    ['int8 of 128', field('int8', 128), 'message/x'],
    ['int8 of -129', field('int8', '-129'), 'message/x'],
    ['uint256 of 2^256', field('uint256', (2n ** 256n).toString()), 'message/x'],
    ['uint256 of a number that is not a safe integer', field('uint256', 2 ** 53), 'message/x'],
    ['uint256 of 1.5', field('uint256', 1.5), 'message/x'],
    ['uint256 of true', field('uint256', true), 'message/x'],
    ['uint256 of nothing', field('uint256', undefined), 'message/x'],
    ['uint256 of null', field('uint256', null), 'message/x'],
    ['bool of 1', field('bool', 1), 'message/x'],
    ['bool of text', field('bool', 'true'), 'message/x'],
    ['string of a number', field('string', 1), 'message/x'],
    ['string with half a surrogate pair', field('string', '\ud800'), 'message/x'],
    ['bytes4 of 3 bytes', field('bytes4', '0x000000'), 'message/x'],
    ['bytes4 of 5 bytes', field('bytes4', `0x${'00'.repeat(5)}`), 'message/x'],
    ['bytes of half a byte', field('bytes', '0x123'), 'message/x'],
    ['bytes of text', field('bytes', 'abc'), 'message/x'],
    [
      'an address with a wrong checksum',
      field('address', '0xCD2A3d9F938E13CD947Ec05AbC7FE734Df8DD826'),
      'message/x',
    ],
    ['uint8 of a blank text, which all libraries read as zero', field('uint8', ' '), 'message/x'],
    ['uint8 of an empty text', field('uint8', ''), 'message/x'],
    ['int8 of hex with a sign', field('int8', '-0x1'), 'message/x'],
    ['uint256 of a text of 301 digits', field('uint256', '0'.repeat(301)), 'message/x'],
    ['bytes of hex with 0X', field('bytes', '0X12'), 'message/x'],
    ['bytes4 of an empty text', field('bytes4', ''), 'message/x'],
    ['a list for a type that is not a list', field('uint8', [1]), 'message/x'],
    ['a number for a type that is a list', field('uint8[]', 1), 'message/x'],
    ['a list of another length', field('uint8[2]', [1]), 'message/x'],
    ['a struct that is a text', { ...MAIL, message: { ...MAIL.message, to: 'Bob' } }, 'message/to'],
    ['a struct that is missing', { ...MAIL, message: { ...MAIL.message, to: undefined } }, 'message/to'],
    ['a message that is a list', { ...MAIL, message: [] }, 'message'],
    ['no message', { ...MAIL, message: undefined }, 'message'],
    ['uint', field('uint', 1), 'types/T/0/type'],
    ['uint7', field('uint7', 1), 'types/T/0/type'],
    ['uint08', field('uint08', 1), 'types/T/0/type'],
    ['uint264', field('uint264', 1), 'types/T/0/type'],
    ['bytes33', field('bytes33', '0x'), 'types/T/0/type'],
    ['bytes0', field('bytes0', '0x'), 'types/T/0/type'],
    ['function', field('function', '0x'), 'types/T/0/type'],
    ['a type that is not declared', field('Person', {}), 'types/T/0/type'],
    ['a list of a type that is not declared', field('Person[]', []), 'types/T/0/type'],
    ['an empty type', field('', 1), 'types/T/0/type'],
    ['a type with white space', field('uint8 ', 1), 'types/T/0/type'],
    ['a type of many brackets', field(`uint8${'[]'.repeat(200)}`, []), 'types/T/0'],
    ['a struct named as an atomic type', { ...MAIL, types: { ...MAIL.types, uint8: [] } }, 'types/uint8'],
    ['a struct named with a bracket', { ...MAIL, types: { ...MAIL.types, 'A(': [] } }, 'types/(not shown)'],
    ['types that are a list', { ...MAIL, types: [] }, 'types'],
    ['no types', { ...MAIL, types: undefined }, 'types'],
    [
      'a field twice',
      { ...MAIL, types: { ...MAIL.types, Mail: [...MAIL.types.Mail, { name: 'to', type: 'bool' }] } },
      'types/Mail/3/name',
    ],
    ['a field without a name', fieldNamed(undefined), 'types/Mail/0'],
    ['a field of 257 characters', fieldNamed('a'.repeat(257)), 'types/Mail/0'],
    ['a field named with half of a surrogate pair', fieldNamed('\ud800'), 'types/Mail/0/name'],
    [
      '65 types',
      {
        ...MAIL,
        types: { ...MAIL.types, ...Object.fromEntries(Array.from({ length: 62 }, (_, i) => [`T${i}`, []])) },
      },
      'types',
    ],
    [
      '65 fields',
      { ...MAIL, types: { Mail: Array.from({ length: 65 }, (_, i) => ({ name: `f${i}`, type: 'bool' })) } },
      'types/Mail',
    ],
    ['lists in lists, 17 deep', field(`uint8${'[]'.repeat(17)}`, nested(17)), `message/x${'/0'.repeat(16)}`],
    ['5000 values', field('uint8[]', Array(5000).fill(1)), 'message/x/4095'],
    ['a primary type that is not declared', { ...MAIL, primaryType: 'Person2' }, 'primaryType'],
    ['a primary type that every object inherits', { ...MAIL, primaryType: 'toString' }, 'primaryType'],
    ['the domain alone', { ...MAIL, primaryType: 'EIP712Domain' }, 'primaryType'],
    ['no primary type', { ...MAIL, primaryType: undefined }, 'primaryType'],
    ['a domain that is text', { ...MAIL, domain: 'x' }, 'domain'],
    [
      'a domain member that EIP-712 does not define, without a declaration',
      { ...MAIL, types: { Mail: MAIL.types.Mail, Person: MAIL.types.Person }, domain: { chain: 1 } },
      'domain/chain',
    ],
    [
      'a domain with a struct',
      {
        ...MAIL,
        types: { ...MAIL.types, EIP712Domain: [{ name: 'x', type: 'Person' }] },
        domain: { x: MAIL.message.to },
      },
      'types/EIP712Domain/0/type',
    ],
    [
      'a domain with an empty address',
      { ...MAIL, domain: { ...MAIL.domain, verifyingContract: '' } },
      'domain/verifyingContract',
    ],
    ['a domain that is null', { ...MAIL, domain: null }, 'domain'],
    ['no domain, but a declaration', { ...MAIL, domain: undefined }, 'domain/name'],
    ['a domain without a declared member', { ...MAIL, domain: { name: 'x' } }, 'domain/version'],
  ])('%s', (_, typedData, place) => {
    expect(refusalOf(request(typedData))).toBe(`typed_data_malformed ${place}`.trim());
  });

  it('__proto__ as a struct or a member changes nothing', () => {
    const text = JSON.stringify(MAIL);
    expect(refusalOf(request(JSON.parse(text.replace('"Person":[', '"__proto__":[],"Person":['))))).toBe(
      'typed_data_malformed types/__proto__',
    );
    const polluted = JSON.parse(
      text.replace('"contents":"Hello, Bob!"', '"__proto__":{"contents":"Hello, Bob!"}'),
    );
    expect(refusalOf(request(polluted))).toBe('typed_data_malformed message/contents');
  });

  it('a type of 64 KiB is rejected quickly', () => {
    const began = performance.now();
    expect(refusalOf(request(field(`uint8${'[]'.repeat(32_000)}`, [])))).toBe(
      'typed_data_malformed types/T/0',
    );
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
