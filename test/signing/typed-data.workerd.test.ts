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
    const hexOf = (integer: bigint) => (integer < 0n ? `-${toHex(-integer)}` : toHex(integer));
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

  it.each(['_', 'A_B', '__A', 'Intent', 'addresses'])('a struct named %s -> as from viem', (struct) => {
    expect(digestOf(named(struct))).toBe(hashOf(named(struct)));
  });

  it.each(['$', 'a$b', '_$'])('a field named %s -> as from viem', (field) => {
    expect(digestOf(named('S', field))).toBe(hashOf(named('S', field)));
  });

  it.each(['$', 'A$', '$A', 'A$B'])('a struct named %s -> rejected, with the reason', (struct) => {
    for (const typedData of [named(struct), { ...named(struct), primaryType: struct, message: { x: 1 } }]) {
      expect(() => readSigning(request(typedData))).toThrow(
        expect.objectContaining({
          reason: 'typed_data_malformed',
          field: 'types',
          detail: 'a struct name contains $, which libraries hash in different ways',
        }),
      );
    }
  });

  it.each(['uint', 'int', 'uint7', 'uint08', 'bytes33', 'bytes032', 'address', 'bytes', 'intent'])(
    'a struct named %s, which libraries may read as an atomic type -> rejected',
    (struct) => {
      expect(digestOf(named(struct))).toBe('typed_data_malformed types');
    },
  );
});

describe('different notations of the same typed data', () => {
  const { payload } = refusalOf(request(MAIL)) as { payload: Uint8Array };
  it.each<[string, object]>([
    ['without EIP712Domain among its types', { types: { Person: MAIL.types.Person, Mail: MAIL.types.Mail } }],
    ['with the chain id as text', { domain: { ...MAIL.domain, chainId: '1' } }],
    ['with the chain id in hex', { domain: { ...MAIL.domain, chainId: '0x01' } }],
    ['with a member that no type has', { message: { ...MAIL.message, note: 'not signed' } }],
    [
      'with addresses in lower case',
      { domain: { ...MAIL.domain, verifyingContract: `0x${'c'.repeat(40)}` } },
    ],
  ])('%s', (_, change) => {
    expect(refusalOf(request({ ...MAIL, ...change }))).toMatchObject({ payload });
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
    ['uint8 of 256', field('uint8', 256), 'message'],
    ['uint8 of -1', field('uint8', -1), 'message'],
    ['uint8 of text -1', field('uint8', '-1'), 'message'],
    ['int8 of 128', field('int8', 128), 'message'],
    ['int8 of -129', field('int8', '-129'), 'message'],
    ['uint256 of 2^256', field('uint256', (2n ** 256n).toString()), 'message'],
    ['uint256 of a number that is not a safe integer', field('uint256', 2 ** 53), 'message'],
    ['uint256 of 1.5', field('uint256', 1.5), 'message'],
    ['uint256 of true', field('uint256', true), 'message'],
    ['uint256 of nothing', field('uint256', undefined), 'message'],
    ['uint256 of null', field('uint256', null), 'message'],
    ['bool of 1', field('bool', 1), 'message'],
    ['bool of text', field('bool', 'true'), 'message'],
    ['string of a number', field('string', 1), 'message'],
    ['string with half a surrogate pair', field('string', '\ud800'), 'message'],
    ['bytes4 of 3 bytes', field('bytes4', '0x000000'), 'message'],
    ['bytes4 of 5 bytes', field('bytes4', `0x${'00'.repeat(5)}`), 'message'],
    ['bytes of half a byte', field('bytes', '0x123'), 'message'],
    ['bytes of text', field('bytes', 'abc'), 'message'],
    [
      'an address with a wrong checksum',
      field('address', '0xCD2A3d9F938E13CD947Ec05AbC7FE734Df8DD826'),
      'message',
    ],
    ['a list for a type that is not a list', field('uint8', [1]), 'message'],
    ['a number for a type that is a list', field('uint8[]', 1), 'message'],
    ['a list of another length', field('uint8[2]', [1]), 'message'],
    ['a struct that is a text', { ...MAIL, message: { ...MAIL.message, to: 'Bob' } }, 'message'],
    ['a struct that is missing', { ...MAIL, message: { ...MAIL.message, to: undefined } }, 'message'],
    ['a message that is a list', { ...MAIL, message: [] }, 'message'],
    ['no message', { ...MAIL, message: undefined }, 'message'],
    ['uint', field('uint', 1), 'types'],
    ['uint7', field('uint7', 1), 'types'],
    ['uint08', field('uint08', 1), 'types'],
    ['uint264', field('uint264', 1), 'types'],
    ['bytes33', field('bytes33', '0x'), 'types'],
    ['bytes0', field('bytes0', '0x'), 'types'],
    ['function', field('function', '0x'), 'types'],
    ['a type that is not declared', field('Person', {}), 'types'],
    ['a list of a type that is not declared', field('Person[]', []), 'types'],
    ['an empty type', field('', 1), 'types'],
    ['a type with white space', field('uint8 ', 1), 'types'],
    ['a type of many brackets', field(`uint8${'[]'.repeat(200)}`, []), 'types'],
    ['a struct named as an atomic type', { ...MAIL, types: { ...MAIL.types, uint8: [] } }, 'types'],
    ['a struct named with a bracket', { ...MAIL, types: { ...MAIL.types, 'A(': [] } }, 'types'],
    ['types that are a list', { ...MAIL, types: [] }, 'types'],
    ['no types', { ...MAIL, types: undefined }, 'types'],
    [
      'a field twice',
      { ...MAIL, types: { ...MAIL.types, Mail: [...MAIL.types.Mail, { name: 'to', type: 'bool' }] } },
      'types',
    ],
    [
      'a field with an additional member',
      { ...MAIL, types: { ...MAIL.types, Mail: [{ name: 'a', type: 'bool', more: 1 }] } },
      'types',
    ],
    ['a field without a name', fieldNamed(undefined), 'types'],
    ['a field named with a comma', fieldNamed('a,uint256 b'), 'types'],
    ['a field named __proto__', fieldNamed('__proto__'), 'types'],
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
      'types',
    ],
    ['lists in lists, 17 deep', field(`uint8${'[]'.repeat(17)}`, nested(17)), 'message'],
    ['5000 values', field('uint8[]', Array(5000).fill(1)), 'message'],
    ['a primary type that is not declared', { ...MAIL, primaryType: 'Person2' }, 'primaryType'],
    ['a primary type that every object inherits', { ...MAIL, primaryType: 'toString' }, 'primaryType'],
    ['the domain alone', { ...MAIL, primaryType: 'EIP712Domain' }, 'primaryType'],
    ['no primary type', { ...MAIL, primaryType: undefined }, 'primaryType'],
    ['a domain that is text', { ...MAIL, domain: 'x' }, 'domain'],
    [
      'a domain member that would not be signed',
      { ...MAIL, domain: { ...MAIL.domain, salt: `0x${'00'.repeat(32)}` } },
      'domain',
    ],
    [
      'a chain id that would not be signed',
      {
        ...MAIL,
        types: { ...MAIL.types, EIP712Domain: [{ name: 'name', type: 'string' }] },
        domain: { name: 'x', chainId: 1 },
      },
      'domain',
    ],
    ['a domain without a declared member', { ...MAIL, domain: { name: 'x' } }, 'domain'],
    [
      'a chain id that is text in the types',
      {
        ...MAIL,
        types: { ...MAIL.types, EIP712Domain: [{ name: 'chainId', type: 'string' }] },
        domain: { chainId: '1' },
      },
      'types/EIP712Domain',
    ],
    [
      'a domain field that EIP-712 does not define',
      { ...MAIL, types: { ...MAIL.types, EIP712Domain: [{ name: 'chain', type: 'uint256' }] } },
      'types/EIP712Domain',
    ],
    ['another member', { ...MAIL, extra: 1 }, ''],
  ])('%s', (_, typedData, place) => {
    expect(refusalOf(request(typedData))).toBe(`typed_data_malformed ${place}`.trim());
  });

  it('__proto__ as a struct or a member changes nothing', () => {
    const text = JSON.stringify(MAIL);
    expect(
      refusalOf(request(JSON.parse(text.replace('"Person":[', '"__proto__":[],"Person":[')))),
    ).toHaveProperty('payload');
    const polluted = JSON.parse(
      text.replace('"contents":"Hello, Bob!"', '"__proto__":{"contents":"Hello, Bob!"}'),
    );
    expect(refusalOf(request(polluted))).toBe('typed_data_malformed message');
  });

  it('a type of 64 KiB is rejected quickly', () => {
    const began = performance.now();
    expect(refusalOf(request(field(`uint8${'[]'.repeat(32_000)}`, [])))).toBe('typed_data_malformed types');
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
