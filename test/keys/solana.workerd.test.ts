import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { base58, base64urlnopad } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyInputError, parsePrivateKey } from '../../src/keys/index.ts';
import { solanaAddressOf } from '../../src/keys/solana.ts';
import { ED25519_KEYS } from '../support/published-keys.ts';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** The public key as Web Crypto derives it, which is a second implementation. */
async function publicKeyOf(seed: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = new Uint8Array([...hexToBytes('302e020100300506032b657004220420'), ...seed]); // RFC 8410
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign']);
  const jwk = (await crypto.subtle.exportKey('jwk', key)) as JsonWebKey;
  return base64urlnopad.decode(jwk.x ?? '');
}

function formsOf(seed: Uint8Array, publicKey: Uint8Array) {
  const keypair = [...seed, ...publicKey];
  return [
    base58.encode(new Uint8Array(keypair)),
    base58.encode(seed),
    keypair,
    JSON.stringify(keypair),
    `\r\n\t ${JSON.stringify(keypair, null, 2)} \n`,
  ];
}

describe('a Solana private key', () => {
  it.each(ED25519_KEYS)(
    'from RFC 8032 has its public key $publicKey as its address',
    ({ seed, publicKey }) => {
      const address = base58.encode(hexToBytes(publicKey));
      for (const privateKey of formsOf(hexToBytes(seed), hexToBytes(publicKey))) {
        const key = parsePrivateKey({ privateKey, address, chain: 'solana' });
        expect(key).toEqual({ chain: 'solana', address, secret: expect.any(Uint8Array) });
        expect(bytesToHex(key.secret)).toBe(seed);
      }
    },
  );

  it('is the same in every format, with the address that Web Crypto derives', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const publicKey = await publicKeyOf(seed);
        const expected = { chain: 'solana', address: base58.encode(publicKey), secret: seed };
        for (const privateKey of formsOf(seed, publicKey))
          expect(parsePrivateKey({ privateKey, address: expected.address })).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('may have the longest base58 text of 64 bytes', () => {
    const seed = new Uint8Array(32).fill(0xff);
    const address = solanaAddressOf(seed);
    const text = base58.encode(new Uint8Array([...seed, ...base58.decode(address)]));
    expect(text).toHaveLength(88);
    expect(parsePrivateKey({ privateKey: text }).secret).toEqual(seed);
  });

  it('may be JSON of 4096 characters, including white space', () => {
    const json = JSON.stringify([...hexToBytes(ED25519_KEYS[0].seed + ED25519_KEYS[0].publicKey)]);
    const sized = (length: number) => json.replace('[', '['.padEnd(length - json.length + 1));
    expect(bytesToHex(parsePrivateKey({ privateKey: sized(4096) }).secret)).toBe(ED25519_KEYS[0].seed);
    expect(() => parsePrivateKey({ privateKey: sized(4097) })).toThrow(KeyInputError);
  });

  it('as base58 of 32 bytes, which may be an address, needs its address', () => {
    const [{ seed, publicKey }] = ED25519_KEYS;
    const [privateKey, address] = [seed, publicKey].map((text) => base58.encode(hexToBytes(text)));
    const refused = expect.objectContaining({ reason: 'address_required', field: 'address' });
    expect(() => parsePrivateKey({ privateKey: privateKey ?? '' })).toThrow(refused);
    expect(() => parsePrivateKey({ privateKey: address ?? '', chain: 'solana' })).toThrow(refused);
    expect(parsePrivateKey({ privateKey: ` ${privateKey}\n`, address }).address).toBe(address);
  });

  it('is a copy: wiping it leaves the array of the caller unchanged', async () => {
    const seed = new Uint8Array(32).fill(5);
    const sent = [...seed, ...(await publicKeyOf(seed))];
    parsePrivateKey({ privateKey: sent }).secret.fill(0);
    expect(sent.slice(0, 32)).toEqual([...seed]);
  });
});
