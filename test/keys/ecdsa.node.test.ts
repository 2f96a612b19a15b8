/** The signatures of libsecp256k1 against the standard, and cases that never occur in practice, in which the library is replaced. */
import { randomBytes } from 'node:crypto';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { watched } from './linear-memory.ts';
import { nonceOf } from './nonce.ts';

// In Node because modules cannot be reset inside workerd.
afterEach(() => vi.restoreAllMocks());

const { BASE, Fn } = secp256k1.Point;
const numberOf = (bytes: Uint8Array) => BigInt(`0x${bytesToHex(bytes)}`);
const bytesOf = (number: bigint) => hexToBytes(number.toString(16).padStart(64, '0'));
const [secret, digest] = [new Uint8Array(randomBytes(32)), new Uint8Array(randomBytes(32))];

it.each([
  ['a random digest', digest],
  ['zero', bytesOf(0n)],
  ['the order', bytesOf(Fn.ORDER)],
  ['one more than the order', bytesOf(Fn.ORDER + 1n)],
  ['the highest number of 32 bytes', bytesOf(2n ** 256n - 1n)],
])('signs %s with the nonce of RFC 6979, and returns the lower s', async (_, hash) => {
  const { ecdsa } = await watched();
  const nonce = numberOf(nonceOf(hash, secret));
  const { x, y } = BASE.multiply(nonce).toAffine();
  const s = Fn.mul(Fn.inv(nonce), Fn.add(Fn.create(numberOf(hash)), Fn.mul(x, numberOf(secret))));
  const high = s > Fn.ORDER / 2n;
  expect(bytesToHex(ecdsa.signDigest(hash, secret) ?? new Uint8Array())).toBe(
    bytesToHex(
      Uint8Array.from([...bytesOf(x), ...bytesOf(high ? Fn.neg(s) : s), Number(y & 1n) ^ Number(high)]),
    ),
  );
});

describe('no signature is returned', () => {
  it.each([2, 3])('with recovery id %i, which no parity can state', async (recoveryId) => {
    const serialize = '_secp256k1_ecdsa_recoverable_signature_serialize_compact';
    const { ecdsa } = await watched((library, memory) => ({
      [serialize]: (...given) => {
        const result = library[serialize]?.(...given) ?? 0;
        memory().writeUInt8(recoveryId, given[2] ?? 0);
        return result;
      },
    }));
    expect(ecdsa.signDigest(digest, secret)).toBeUndefined();
  });

  it('if the library fails', async () => {
    const { ecdsa } = await watched(() => ({ _secp256k1_ecdsa_sign_recoverable: () => 0 }));
    expect(ecdsa.signDigest(digest, secret)).toBeUndefined();
  });
});

it.each([
  ['r is zero', bytesOf(0n), bytesOf(1n)],
  ['s is zero', bytesOf(1n), bytesOf(0n)],
  ['r is the order', bytesOf(Fn.ORDER), bytesOf(1n)],
  ['no point has the x of r', bytesOf(5n), bytesOf(1n)],
])('recovers no point if %s', async (_, r, s) => {
  const { ecdsa } = await watched();
  expect(ecdsa.recoverPoint(digest, Uint8Array.from([...r, ...s, 0]))).toBeUndefined();
});

it.each([0, 31, 33])(
  '%i bytes in place of 32 -> TypeError, and the next signature is right',
  async (length) => {
    const { ecdsa } = await watched();
    const wrong = new Uint8Array(length).fill(1);
    const signature = ecdsa.signDigest(digest, secret) ?? new Uint8Array();
    expect(() => ecdsa.signDigest(wrong, secret)).toThrow(TypeError);
    expect(() => ecdsa.signDigest(digest, wrong)).toThrow(TypeError);
    expect(() => ecdsa.recoverPoint(wrong, signature)).toThrow(TypeError);
    expect(() => ecdsa.pointOf(wrong)).toThrow(TypeError);
    expect(() => ecdsa.isScalar(wrong)).toThrow(TypeError);
    expect(ecdsa.signDigest(digest, secret)).toEqual(signature);
  },
);

it('blinds the library by new random numbers for each instance, and wipes them where they came from', async () => {
  const seeds: Uint8Array[] = [];
  const drawn: string[] = [];
  const original = crypto.getRandomValues.bind(crypto);
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((into) => {
    const bytes = original(into);
    seeds.push(bytes as Uint8Array);
    drawn.push(bytesToHex(bytes as Uint8Array));
    return bytes;
  });
  const randomize = '_secp256k1_context_randomize';
  const given: string[] = [];
  const made = async () => {
    const { ecdsa } = await watched((library, memory) => ({
      [randomize]: (context, seed) => {
        given.push(
          memory()
            .subarray(seed, (seed ?? 0) + 32)
            .toString('hex'),
        );
        return library[randomize]?.(context ?? 0, seed ?? 0) ?? 0;
      },
    }));
    return bytesToHex(ecdsa.signDigest(digest, secret) ?? new Uint8Array());
  };
  const signatures = [await made(), await made()];
  expect(given).toEqual(drawn);
  expect(new Set(given).size).toBe(2);
  expect(new Set(signatures).size).toBe(1);
  expect(seeds.every((seed) => seed.every((byte) => byte === 0))).toBe(true);
});

describe('the table for verifying takes longer than everything else', () => {
  const CREATE = '_secp256k1_context_create';
  const [SIGN, VERIFY] = [0x201, 0x101];
  const recorded = async () => {
    const flags: number[] = [];
    const library = await watched((real) => ({
      [CREATE]: (...given) => {
        flags.push(given[0] ?? 0);
        return real[CREATE]?.(...given) ?? 0;
      },
    }));
    return { ...library, flags };
  };

  it('a key that comes in does not compute it', async () => {
    const { ecdsa, flags } = await recorded();
    expect(ecdsa.isScalar(secret)).toBe(true);
    ecdsa.pointOf(secret);
    expect(flags).toEqual([SIGN]);
  });

  it('it is computed once', async () => {
    const { ecdsa, flags } = await recorded();
    for (let i = 0; i < 3; i++)
      ecdsa.recoverPoint(digest, ecdsa.signDigest(digest, secret) ?? new Uint8Array());
    expect(flags).toEqual([SIGN, VERIFY]);
  });

  it('a signature that was prepared finds it', async () => {
    const { ecdsa, flags } = await recorded();
    ecdsa.prepareToSign();
    expect(flags).toEqual([]);
    await expect.poll(() => flags).toEqual([SIGN, VERIFY]);
    const signature = ecdsa.signDigest(digest, secret) ?? new Uint8Array();
    expect(ecdsa.recoverPoint(digest, signature)).toEqual(ecdsa.pointOf(secret));
    ecdsa.prepareToSign();
    expect(flags).toEqual([SIGN, VERIFY]);
  });

  it('a signature succeeds after its preparation failed', async () => {
    let calls = 0;
    const { ecdsa, instances } = await watched((real) => ({
      [CREATE]: (...given) => {
        calls += 1;
        if (calls === 2) throw new RangeError('no memory');
        return real[CREATE]?.(...given) ?? 0;
      },
    }));
    ecdsa.prepareToSign();
    await expect.poll(() => calls).toBe(2);
    const signature = ecdsa.signDigest(digest, secret) ?? new Uint8Array();
    expect(ecdsa.recoverPoint(digest, signature)).toEqual(ecdsa.pointOf(secret));
    expect(instances()).toBe(2);
  });
});
