/** After every call, also one that fails, the linear memory of libsecp256k1 has neither the key nor the nonce, which reveals the key. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { placesOf, watched } from './linear-memory.ts';
import { nonceOf } from './nonce.ts';

// In Node because modules cannot be reset inside workerd.
afterEach(() => vi.restoreAllMocks());

const [secret, digest] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))];
const nonce = nonceOf(digest, secret);
const OUT_OF_RANGE = new Uint8Array(32).map((_, i) => (i < 16 ? 0xff : (secret[i] ?? 0)));

/** The bytes of the stack that are wiped, and those of all of it. */
const WIPED = 16 * 1024;
const STACK = 5 * 1024 * 1024;

const SIGN = '_secp256k1_ecdsa_sign_recoverable';

describe('the linear memory has no 8 bytes of the key or of the nonce', () => {
  it('after a signature, although both were in it', async () => {
    const during: number[][] = [];
    const { ecdsa, memory } = await watched((library, memory) => ({
      [SIGN]: (...given) => {
        const result = library[SIGN]?.(...given) ?? 0;
        during.push(placesOf(secret, memory()));
        return result;
      },
    }));
    expect(ecdsa.signDigest(digest, secret)).toHaveLength(65);
    expect(during.map((places) => places.length > 0)).toEqual([true]);
    expect([placesOf(secret, memory()), placesOf(nonce, memory())]).toEqual([[], []]);
  });

  it('after many calls with the key', async () => {
    const { ecdsa, memory } = await watched();
    for (let i = 0; i < 20; i++) {
      ecdsa.isScalar(secret);
      ecdsa.recoverPoint(digest, ecdsa.signDigest(digest, secret) ?? new Uint8Array());
      ecdsa.pointOf(secret);
    }
    expect([placesOf(secret, memory()), placesOf(nonce, memory())]).toEqual([[], []]);
  });

  it('after a key out of range', async () => {
    const { ecdsa, memory } = await watched();
    expect(ecdsa.isScalar(OUT_OF_RANGE)).toBe(false);
    expect(ecdsa.signDigest(digest, OUT_OF_RANGE)).toBeUndefined();
    expect(() => ecdsa.pointOf(OUT_OF_RANGE)).toThrow(TypeError);
    expect(placesOf(OUT_OF_RANGE.subarray(16), memory())).toEqual([]);
  });

  it.each([
    ['before it returned, which wipes all of the memory and makes a new instance', true],
    ['without having begun', false],
  ])('after the library threw %s', async (_, begins) => {
    let throws = true;
    const { ecdsa, memory, instances } = await watched((library) => ({
      [SIGN]: (...given) => {
        const result = begins || !throws ? library[SIGN]?.(...given) : 0;
        if (throws) throw new RangeError('no memory');
        return result ?? 0;
      },
    }));
    expect(() => ecdsa.signDigest(digest, secret)).toThrow(RangeError);
    expect(memory().some((byte) => byte !== 0)).toBe(false);
    throws = false;
    expect(ecdsa.signDigest(digest, secret)).toHaveLength(65);
    expect(instances()).toBe(2);
    expect([placesOf(secret, memory()), placesOf(nonce, memory())]).toEqual([[], []]);
  });

  it('after an argument that the library rejects', async () => {
    const { ecdsa } = await watched();
    const signature = ecdsa.signDigest(digest, secret) ?? new Uint8Array();
    expect(() => ecdsa.recoverPoint(digest, signature.with(64, 4))).toThrow(TypeError);
    expect(ecdsa.recoverPoint(digest, signature)).toEqual(ecdsa.pointOf(secret));
  });
});

describe('the stack of the library', () => {
  it.each(['signDigest', 'pointOf', 'isScalar'] as const)('%s uses a part that is wiped', async (name) => {
    const { ecdsa, memory, stack } = await watched();
    ecdsa.isScalar(secret);
    const area = memory().subarray(stack(), stack() + STACK);
    area.fill(0xa5);
    if (name === 'signDigest') ecdsa.signDigest(digest, secret);
    else ecdsa[name](secret);
    expect(area.findLastIndex((byte) => byte !== 0xa5)).toBe(WIPED - 1);
    expect(area.subarray(0, WIPED).some((byte) => byte !== 0)).toBe(false);
  });

  it.each(['_secp256k1_ecdsa_sign_recoverable', '_secp256k1_ec_pubkey_create'])(
    '%s uses less than 2 KiB',
    async (name) => {
      const used: number[] = [];
      let start = 0;
      const { ecdsa, stack } = await watched((library, memory) => ({
        [name]: (...given) => {
          memory()
            .subarray(start, start + STACK)
            .fill(0xa5);
          const result = library[name]?.(...given) ?? 0;
          used.push(
            memory()
              .subarray(start, start + STACK)
              .findLastIndex((byte) => byte !== 0xa5),
          );
          return result;
        },
      }));
      ecdsa.isScalar(secret);
      start = stack();
      ecdsa.signDigest(digest, secret);
      ecdsa.pointOf(secret);
      expect(used.map((bytes) => bytes > 500 && bytes < 2048)).toEqual([true]);
    },
  );
});
