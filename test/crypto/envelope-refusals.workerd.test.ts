import { base64urlnopad } from '@scure/base';
import { base64url, CompactEncrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { type Binding, EnvelopeError, open, seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { BINDING, FIRST, FIRST_KEY, SECOND, SECOND_KEY, SECRET } from './fixtures.ts';
import { sealByHand } from './second-implementation.ts';

const first = await parseKeyring(FIRST);
const second = await parseKeyring(SECOND);
const both = await parseKeyring(`${FIRST},${SECOND}`);
const envelope = await seal(SECRET, BINDING, first);
const parts = envelope.split('.');

const HEADER = {
  alg: 'A256GCMKW',
  enc: 'A256GCM',
  typ: 'trading-key+jwe',
  kid: first.primary.id,
  sub: BINDING.clientId,
  chain: BINDING.chain,
  address: BINDING.address,
  jti: BINDING.keyId,
};

/** Opens and returns the failure, which must be the one opaque failure without details in any of its members. */
async function refusal(text: unknown, binding: Binding = BINDING, ring = first): Promise<EnvelopeError> {
  const error = await open(text as string, binding, ring).then(
    () => new Error('it opened'),
    (reason: unknown) => reason as Error,
  );
  expect(error).toBeInstanceOf(EnvelopeError);
  expect(error.message).toBe(new EnvelopeError().message);
  expect(Object.entries(error)).toEqual([['name', 'EnvelopeError']]);
  expect(error.cause).toBeUndefined();
  return error as EnvelopeError;
}

const opens = (text: string) =>
  open(text, BINDING, both).then(
    () => true,
    () => false,
  );

const without = (part: number) => parts.map((text, i) => (i === part ? '' : text)).join('.');
const withHeader = (header: object) =>
  [base64url.encode(JSON.stringify(header)), ...parts.slice(1)].join('.');

describe('open rejects a text that differs from the sealed envelope', () => {
  it('opens the sealed envelope', async () => {
    expect(await opens(envelope)).toBe(true);
  });

  it('in any single bit of any character', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const flipped = Array.from(envelope, (character, i) => {
      const others =
        character === '.'
          ? ['A', '-', '', '..', ',']
          : [1, 2, 4, 8, 16, 32].map((bit) => alphabet[alphabet.indexOf(character) ^ bit]);
      return others.map((other) => envelope.slice(0, i) + other + envelope.slice(i + 1));
    }).flat();
    expect(flipped.length).toBeGreaterThan(envelope.length * 5);
    const opened = [];
    for (const text of flipped) if (await opens(text)) opened.push(text);
    expect(opened).toEqual([]);
  });

  it('in its length, cut or repeated at any position', async () => {
    const opened = [];
    for (let i = 0; i < envelope.length; i++) {
      const cut = [envelope.slice(0, i), envelope.slice(i + 1), envelope.slice(0, i) + envelope.slice(i + 1)];
      cut.push(envelope.slice(0, i) + envelope[i] + envelope.slice(i));
      for (const text of cut) if (text !== envelope && (await opens(text))) opened.push(text);
    }
    expect(opened).toEqual([]);
  });

  it.each([
    ['empty', ''],
    ['one part', parts[0]],
    ['four parts', parts.slice(0, 4).join('.')],
    ['six parts', `${envelope}.`],
    ['an empty header', without(0)],
    ['an empty wrapped key', without(1)],
    ['an empty IV', without(2)],
    ['an empty ciphertext', without(3)],
    ['an empty tag', without(4)],
    ['white space before', ` ${envelope}`],
    ['a line break after', `${envelope}\n`],
    ['white space before the wrapped key', envelope.replace('.', '. ')],
    ['white space before the tag', envelope.replace(/\.(?=[^.]*$)/, '. ')],
    ['padding', `${envelope}==`],
    ['standard base64 in the tag', envelope.slice(0, -22) + (parts[4] ?? '').replace(/^./, '+')],
    ['a general JSON serialization', JSON.stringify({ protected: parts[0], ciphertext: parts[3] })],
    ['undefined', undefined],
    ['null', null],
    ['a number', 5],
    ['an object', {}],
    ['the bytes of the text', new TextEncoder().encode(envelope)],
  ])('being %s', async (_, text) => {
    await refusal(text);
  });

  it('in unused bits that decoders ignore', async () => {
    // Each of these decodes to the same bytes, and jose alone would open the ones outside the header.
    const ends = [1, 3, 4].map((part) => {
      const text = parts[part] ?? '';
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      const other = text.slice(0, -1) + alphabet[alphabet.indexOf(text.slice(-1)) + 1];
      expect(base64url.decode(other)).toEqual(base64url.decode(text));
      return parts.map((original, i) => (i === part ? other : original)).join('.');
    });
    for (const text of ends) await refusal(text);
  });
});

describe('open rejects another binding', () => {
  it.each([
    ['client', { clientId: '7c9e6679-7425-40de-944b-e07fc1f90ae7' }],
    ['chain', { chain: 'solana' }],
    ['address', { address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266' }],
    ['address in another case', { address: BINDING.address.toLowerCase() }],
    ['key id', { keyId: '0192f0c1-2b7a-7cc3-98c4-dc0c0c073990' }],
    ['empty client', { clientId: '' }],
  ])('in its %s', async (_, change) => {
    await refusal(envelope, { ...BINDING, ...change });
  });

  it('also if the header is rewritten to name it', async () => {
    for (const [member, value] of Object.entries({ sub: 'x', chain: 'solana', address: 'x', jti: 'x' })) {
      const header = {
        ...JSON.parse(new TextDecoder().decode(base64url.decode(parts[0] ?? ''))),
        [member]: value,
      };
      const binding = {
        clientId: header.sub,
        chain: header.chain,
        address: header.address,
        keyId: header.jti,
      };
      await refusal(withHeader(header), binding);
    }
  });
});

// Sealed with the master key, so each is authentic, and only the rule under test can reject it.
describe('open rejects an authentic envelope', () => {
  const sealed = (header: Record<string, unknown>, secret = SECRET, key = FIRST_KEY) =>
    sealByHand(secret, header, key);

  it('opens an envelope with a correct header', async () => {
    expect(await opens(sealed(HEADER))).toBe(true);
  });

  it('opens an envelope whose header members have another order', async () => {
    expect(await opens(sealed(Object.fromEntries(Object.entries(HEADER).reverse())))).toBe(true);
  });

  it('opens an envelope of the second key of the ring', async () => {
    expect(await opens(sealed({ ...HEADER, kid: second.primary.id }, SECRET, SECOND_KEY))).toBe(true);
  });

  it.each([
    ['alg=dir', { alg: 'dir' }],
    ['alg=none', { alg: 'none' }],
    ['alg=A128GCMKW', { alg: 'A128GCMKW' }],
    ['alg=A256KW', { alg: 'A256KW' }],
    ['alg=PBES2-HS256+A128KW', { alg: 'PBES2-HS256+A128KW', p2c: 1, p2s: 'AAAA' }],
    ['alg in lower case', { alg: 'a256gcmkw' }],
    ['enc=A128GCM', { enc: 'A128GCM' }],
    ['enc=A256CBC-HS512', { enc: 'A256CBC-HS512' }],
    ['another typ', { typ: 'JWE' }],
    ['no typ', { typ: undefined }],
    ['zip', { zip: 'DEF' }],
    ['crit', { crit: ['exp'], exp: 1 }],
    ['an unknown member', { extra: 1 }],
    ['an unknown member in place of typ', { typ: undefined, extra: 1 }],
    ['a jwk', { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['__proto__', JSON.parse('{"__proto__":{"a":1}}')],
    ['no kid', { kid: undefined }],
    ['a kid that is not a string', { kid: 7 }],
    ['a kid outside the ring', { kid: 'nobody' }],
    ['the kid of the other key', { kid: second.primary.id }],
    ['a kid of Object.prototype', { kid: 'constructor' }],
    ['no sub', { sub: undefined }],
    ['no jti', { jti: undefined }],
    ['a sub that is an array of the client', { sub: [BINDING.clientId] }],
    ['an iv that is not a string', { iv: 5 }],
    ['no tag', { tag: undefined }],
    ['a short tag', { tag: 'AAAA' }],
  ])('with %s', async (_, change) => {
    await refusal(
      sealByHand(SECRET, Object.assign(Object.create(null), HEADER, change), FIRST_KEY),
      BINDING,
      both,
    );
  });

  it.each([0, 1, 16, 31, 33, 64, 100])('of %i bytes', async (length) => {
    await refusal(sealed(HEADER, new Uint8Array(length).fill(9)));
  });

  it('with a member given twice', async () => {
    const twice = (header: object) => JSON.stringify(header).replace('{', '{"sub":"another client",');
    expect(JSON.parse(twice(HEADER)).sub).toBe(BINDING.clientId);
    await refusal(sealByHand(SECRET, HEADER, FIRST_KEY, twice));
  });

  it.each([
    ['white space', (header: object) => JSON.stringify(header, null, 1)],
    ['escapes', (header: object) => JSON.stringify(header).replace('"evm"', '"\\u0065vm"')],
    ['a byte order mark', (header: object) => `\uFEFF${JSON.stringify(header)}`],
    ['an array around it', (header: object) => JSON.stringify([header])],
    ['null in its place', () => 'null'],
  ])('whose header has %s', async (_, write) => {
    await refusal(sealByHand(SECRET, HEADER, FIRST_KEY, write));
  });

  it('that uses the master key directly (alg=dir) under an otherwise correct header', async () => {
    const direct = await new CompactEncrypt(SECRET)
      .setProtectedHeader({ ...HEADER, alg: 'dir', iv: 'A'.repeat(16), tag: 'A'.repeat(22) })
      .encrypt(first.primary.key);
    await refusal(direct);
  });

  it('compressed', async () => {
    const zipped = await new CompactEncrypt(SECRET)
      .setProtectedHeader({ ...HEADER, zip: 'DEF' })
      .encrypt(first.primary.key);
    await refusal(zipped);
  });

  it('whose data key is wrapped by another master key', async () => {
    await refusal(sealed(HEADER, SECRET, SECOND_KEY), BINDING, both);
  });
});

describe('parts of two envelopes do not mix', () => {
  it('in any combination', async () => {
    const other = (await seal(SECRET, BINDING, first)).split('.');
    const opened = [];
    for (let mask = 1; mask < 31; mask++) {
      const mixed = parts.map((part, i) => ((mask >> i) & 1 ? other[i] : part)).join('.');
      if (await opens(mixed)) opened.push(mask);
    }
    expect(opened).toEqual([]);
    expect(base64urlnopad.decode(other[1] ?? '')).toHaveLength(32);
  });
});
