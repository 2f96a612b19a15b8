/** Cases that never occur in practice, with nonces and random numbers that the test chooses. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recoverPoint, signDigest } from '../../src/keys/ecdsa.ts';
import * as rfc6979 from '../../src/keys/rfc6979.ts';
import * as wiping from '../../src/keys/wipe.ts';

// In Node because modules cannot be mocked inside workerd.
vi.mock('../../src/keys/rfc6979.ts', { spy: true });
vi.mock('../../src/keys/wipe.ts', { spy: true });

const { BASE, Fn } = secp256k1.Point;
const HALF = (Fn.ORDER - 1n) / 2n;
const bytesOf = (number: bigint) => hexToBytes(number.toString(16).padStart(64, '0'));
const numberOf = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(bytes)}`);

const key = numberOf(secp256k1.utils.randomSecretKey());
const nonce = numberOf(secp256k1.utils.randomSecretKey());
const x = BASE.multiply(nonce).toAffine().x;
/** The digest that gives this s with this nonce. */
const digestFor = (s: bigint) => bytesOf(Fn.sub(Fn.mul(s, nonce), Fn.mul(x, key)));
const read = (signature: Uint8Array) => ({
  r: numberOf(signature.subarray(0, 32)),
  s: numberOf(signature.subarray(32, 64)),
});

function choose(...numbers: bigint[]): void {
  vi.mocked(rfc6979.nonces).mockImplementation(function* () {
    for (const number of numbers) yield bytesOf(number);
  });
}

afterEach(() => {
  vi.resetAllMocks();
  vi.restoreAllMocks();
});

describe('the next nonce is used', () => {
  it.each([
    ['zero', 0n],
    ['the order', Fn.ORDER],
    ['the highest number of 32 bytes', 2n ** 256n - 1n],
  ])('if a nonce is %s', (_, wrong) => {
    choose(wrong, nonce);
    const s = Fn.create(5n);
    expect(read(signDigest(digestFor(s), bytesOf(key)))).toEqual({ r: x, s });
  });

  it('if s would be zero', () => {
    const other = nonce + 1n;
    choose(nonce, other);
    const { r, s } = read(signDigest(digestFor(0n), bytesOf(key)));
    expect([r === BASE.multiply(other).toAffine().x, s === 0n]).toEqual([true, false]);
  });

  it('without a further nonce -> throws and returns no signature', () => {
    choose(0n);
    expect(() => signDigest(digestFor(5n), bytesOf(key))).toThrow(TypeError);
  });
});

describe('the lower of s and -s is returned', () => {
  it.each([
    ['the highest value of the lower half stays', HALF, HALF],
    ['the lowest value of the upper half becomes the highest of the lower half', HALF + 1n, HALF],
    ['one stays', 1n, 1n],
    ['the highest value becomes one', Fn.ORDER - 1n, 1n],
  ])('%s, and the public key is recovered from either', (_, s, expected) => {
    choose(nonce);
    const digest = digestFor(s);
    const signature = signDigest(digest, bytesOf(key));
    expect(read(signature)).toEqual({ r: x, s: expected });
    expect(recoverPoint(digest, signature)).toEqual(BASE.multiply(key).toBytes(false).subarray(1));
  });
});

describe('the random mask', () => {
  const held: string[] = [];
  beforeEach(() => {
    held.length = 0;
    vi.mocked(wiping.wipe).mockImplementation((...given) => {
      held.push(...given.map(bytesToHex));
      for (const buffer of given) buffer.fill(0);
    });
  });

  it('is wiped, with the masked key and their reduced sum', () => {
    choose(nonce);
    const digest = digestFor(5n);
    signDigest(digest, bytesOf(key));
    expect(held).toHaveLength(3);
    const [reduced, mask, masked] = held.map((hex) => BigInt(`0x${hex}`));
    expect(masked).toBe(Fn.add(key, mask ?? 0n));
    // The sum of key and mask, minus the order.
    expect(reduced).toBe(BigInt.asUintN(256, key + (mask ?? 0n) - Fn.ORDER));
  });

  it('is wiped also without a signature', () => {
    choose();
    expect(() => signDigest(digestFor(5n), bytesOf(key))).toThrow(TypeError);
    expect(held).toHaveLength(3);
  });

  it.each([
    ['zero', 0n],
    ['the order', Fn.ORDER],
  ])('is drawn again if it is %s, which would mask nothing', (_, wrong) => {
    choose(nonce);
    vi.spyOn(crypto, 'getRandomValues').mockImplementationOnce((into) => {
      (into as Uint8Array).set(bytesOf(wrong));
      return into;
    });
    signDigest(digestFor(5n), bytesOf(key));
    const mask = BigInt(`0x${held[1]}`);
    expect([mask === 0n, mask < Fn.ORDER]).toEqual([false, true]);
  });
});
