import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isScalar, pointOf, recoverPoint, signDigest } from '../../src/keys/ecdsa.ts';
import { SigningError, signAs } from '../../src/keys/index.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { ED25519_KEYS } from '../support/published-keys.ts';

const ORDER = secp256k1.Point.Fn.ORDER;
const bytesOf = (number: bigint) => hexToBytes(number.toString(16).padStart(64, '0'));
const digests = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.constantFrom(0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n).map(bytesOf),
);
const secrets = fc.oneof(
  fc.bigInt({ min: 1n, max: ORDER - 1n }),
  fc.constantFrom(1n, 2n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 2n, ORDER - 1n, 2n ** 255n),
);

/** The signature of noble, which reads the key from a text: r, s, then the parity. */
function nobleSign(digest: Uint8Array, secret: Uint8Array): string {
  const [parity = 0, ...rest] = secp256k1.sign(digest, secret, {
    prehash: false,
    lowS: true,
    format: 'recovered',
  });
  return bytesToHex(Uint8Array.from([...rest, parity]));
}

const signed = (digest: Uint8Array, secret: Uint8Array) =>
  bytesToHex(signDigest(digest, secret) ?? new Uint8Array());

describe('signDigest', () => {
  /** secp256k1 with SHA-256, as Trezor and others publish it: RFC 6979 has no vectors for this curve. */
  it.each([
    [
      1n,
      'Satoshi Nakamoto',
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    ],
    [
      1n,
      'All those moments will be lost in time, like tears in rain. Time to die...',
      '8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21',
    ],
    [
      ORDER - 1n,
      'Satoshi Nakamoto',
      'fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d06b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5',
    ],
    [
      0xf8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181n,
      'Alan Turing',
      '7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea',
    ],
  ])('returns the published signature of %# by key %i', (secret, text, signature) => {
    expect(signed(sha256(utf8ToBytes(text)), bytesOf(secret)).slice(0, 128)).toBe(signature);
  });

  it('returns the signature of noble for 3,000 digests and keys, including the smallest and the largest', () => {
    const property = fc.property(digests, secrets, (digest, secret) => {
      const [key, copy] = [bytesOf(secret), digest.slice()];
      expect(signed(digest, key)).toBe(nobleSign(digest, key));
      expect([key, digest]).toEqual([bytesOf(secret), copy]);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  it('recovers the public point of noble for 1,000 digests and keys', () => {
    const property = fc.property(digests, secrets, (digest, secret) => {
      const point = bytesToHex(secp256k1.getPublicKey(bytesOf(secret), false).subarray(1));
      expect(bytesToHex(pointOf(bytesOf(secret)))).toBe(point);
      const signature = signDigest(digest, bytesOf(secret)) ?? new Uint8Array();
      expect(bytesToHex(recoverPoint(digest, signature) ?? new Uint8Array())).toBe(point);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it.each([
    ['1', 1n, true],
    ['the order minus 1', ORDER - 1n, true],
    ['0', 0n, false],
    ['the order', ORDER, false],
    ['the order plus 1', ORDER + 1n, false],
    ['the highest number of 32 bytes', 2n ** 256n - 1n, false],
  ])('the secret %s: signs only if it is in range', (_, secret, inRange) => {
    const digest = sha256(utf8ToBytes('something'));
    expect([isScalar(bytesOf(secret)), signDigest(digest, bytesOf(secret)) !== undefined]).toEqual([
      inRange,
      inRange,
    ]);
    if (!inRange) expect(() => pointOf(bytesOf(secret))).toThrow(TypeError);
  });
});

describe('signAs', () => {
  it('signs with Ed25519 as in RFC 8032', async () => {
    // Tests 1 to 3 of section 7.1, by seed.
    const expected: [message: string, signature: string][] = [
      [
        '',
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
      ],
      [
        '72',
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
      ],
      [
        'af82',
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
      ],
    ];
    const { base58 } = await import('@scure/base');
    for (const [index, [message, signature]] of expected.entries()) {
      const { seed, publicKey } = ED25519_KEYS[index] ?? ED25519_KEYS[0];
      const address = base58.encode(hexToBytes(publicKey));
      const bytes = await signAs({ chain: 'solana', address }, hexToBytes(message), hexToBytes(seed));
      expect(bytesToHex(bytes)).toBe(signature);
    }
  });

  it.each([
    ['evm', newEvmKey],
    ['solana', newSolanaKey],
  ] as const)('%s: returns no signature for an address of another key', async (chain, newKey) => {
    const [key, other] = [newKey(), newKey()];
    const payload = sha256(utf8ToBytes('something'));
    expect(await signAs({ chain, address: key.address }, payload, key.secret)).toBeInstanceOf(Uint8Array);
    for (const address of [other.address, '', key.address.toLowerCase()]) {
      await expect(signAs({ chain, address }, payload, key.secret)).rejects.toThrow(SigningError);
    }
    expect(new SigningError().name).toBe('SigningError');
  });

  it.each([0n, ORDER])('evm: returns no signature by the secret %i, which has no address', async (secret) => {
    const { address } = newEvmKey();
    const payload = sha256(utf8ToBytes('something'));
    await expect(signAs({ chain: 'evm', address }, payload, bytesOf(secret))).rejects.toThrow(SigningError);
  });
});
