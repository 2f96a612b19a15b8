import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Binding, EnvelopeError, open, seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import jwcrypto from '../vectors/jwcrypto-envelopes.json';
import { BINDING, FIRST, FIRST_KEY, SECOND, SECOND_KEY, SECRET } from './fixtures.ts';
import { openByHand, sealByHand } from './second-implementation.ts';

const first = await parseKeyring(FIRST);
const second = await parseKeyring(SECOND);
const both = await parseKeyring(`${SECOND},${FIRST}`);

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 });
const bindings: fc.Arbitrary<Binding> = fc.record({
  clientId: fc.uuid(),
  chain: fc.constantFrom('evm', 'solana'),
  address: fc.string({ unit: 'grapheme', minLength: 1 }),
  keyId: fc.uuid({ version: 7 }),
});

const headerOf = (binding: Binding, kid: string) => ({
  alg: 'A256GCMKW',
  enc: 'A256GCM',
  typ: 'trading-key+jwe',
  kid,
  sub: binding.clientId,
  chain: binding.chain,
  address: binding.address,
  jti: binding.keyId,
});

describe('an envelope that jwcrypto sealed', () => {
  it.each(jwcrypto)(
    'opens: $chain',
    async ({ envelope, master_key, client_id, chain, address, key_id, secret }) => {
      const keyring = await parseKeyring(master_key);
      const binding = { clientId: client_id, chain, address, keyId: key_id };
      expect(bytesToHex(await open(envelope, binding, keyring))).toBe(secret);
      await expect(open(envelope, { ...binding, keyId: BINDING.clientId }, keyring)).rejects.toThrow(
        EnvelopeError,
      );
    },
  );
});

describe('seal and open', () => {
  it('return any secret under its own binding', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, bindings, async (secret, binding) => {
        expect(await open(await seal(secret, binding, first), binding, first)).toEqual(secret);
      }),
    );
  });

  it('write the header of the design and nothing else', async () => {
    const { header } = openByHand(await seal(SECRET, BINDING, first), FIRST_KEY);
    expect(header).toEqual({
      ...headerOf(BINDING, first.primary.id),
      iv: expect.stringMatching(/^[\w-]{16}$/),
      tag: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  it('share neither data key, IV nor ciphertext between two envelopes of one secret', async () => {
    const envelopes = await Promise.all([1, 2].map(() => seal(SECRET, BINDING, first)));
    const [a, b] = envelopes.map((envelope) => {
      const { header, dataKey } = openByHand(envelope, FIRST_KEY);
      const [, wrappedKey, iv, ciphertext, tag] = envelope.split('.');
      return [header.iv, header.tag, dataKey.toString(), wrappedKey, iv, ciphertext, tag];
    });
    expect(a).toHaveLength(7);
    a?.forEach((part, i) => void expect(part).not.toBe(b?.[i]));
  });

  it('leave the bytes of the secret unchanged for the caller to wipe', async () => {
    const secret = SECRET.slice();
    await seal(secret, BINDING, first);
    expect(secret).toEqual(SECRET);
  });

  it.each([0, 31, 33, 64])('reject a secret of %i bytes', async (length) => {
    await expect(seal(new Uint8Array(length).fill(1), BINDING, first)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('a list of master keys', () => {
  it('seals with the first', async () => {
    const envelope = await seal(SECRET, BINDING, both);
    expect(await open(envelope, BINDING, second)).toEqual(SECRET);
  });

  it('opens an envelope that the second key sealed', async () => {
    expect(await open(await seal(SECRET, BINDING, first), BINDING, both)).toEqual(SECRET);
  });

  it('does not open an envelope of a key outside the list', async () => {
    await expect(open(await seal(SECRET, BINDING, first), BINDING, second)).rejects.toBeInstanceOf(
      EnvelopeError,
    );
  });
});

describe('a second, independent implementation', () => {
  it('opens an envelope from seal', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, bindings, async (secret, binding) => {
        const opened = openByHand(await seal(secret, binding, both), SECOND_KEY);
        expect(opened.secret).toEqual(secret);
        expect(opened.header).toMatchObject(headerOf(binding, second.primary.id));
      }),
      { numRuns: 50 },
    );
  });

  it('makes an envelope that open opens', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, bindings, async (secret, binding) => {
        const envelope = sealByHand(secret, headerOf(binding, first.primary.id), FIRST_KEY);
        expect(await open(envelope, binding, both)).toEqual(secret);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a text that is not an envelope', () => {
  it.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['no JSON', 'bm9wZQ....'],
    ['a header without members', 'e30....'],
    ['null', 'bnVsbA....'],
    ['a text', 'ImtpZCI....'],
    ['a kid that is a number', 'eyJraWQiOjF9....'],
    ['a kid that is not UTF-8', 'eyJraWQiOiL_In0....'],
    ['a header alone', 'eyJraWQiOiJ4In0'],
  ])('does not open: %s', async (_, envelope) => {
    await expect(open(envelope, BINDING, both)).rejects.toBeInstanceOf(EnvelopeError);
  });
});
