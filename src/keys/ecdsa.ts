/**
 * ECDSA over secp256k1 with the nonce of RFC 6979, composed from the curve arithmetic of @noble/curves.
 *
 * The `sign` of @noble/curves is not used, because it converts the private key to a hex text and a bigint, and neither can
 * be overwritten. Here the key is only 32 bytes, which the caller wipes. The arithmetic gets two numbers whose difference
 * is the key. They are new for each signature, and each of them alone is random.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { nonces } from './rfc6979.ts';
import { wipe } from './wipe.ts';

const { Point } = secp256k1;
const { Fn } = Point;
const ORDER = Fn.toBytes(Fn.neg(1n)).with(31, 0x41); // n - 1 ends in 0x40
const HALF_ORDER = Fn.ORDER >> 1n;

/**
 * Signs a digest of 32 bytes. Returns 65 bytes: `r` and the lower `s` (EIP-2) in 32 bytes each, and the parity of y. The
 * secret is a scalar in range. The caller wipes it.
 */
export function signDigest(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const mask = randomScalar();
  const masked = addModOrder(secret, mask);
  const hash = Fn.create(numberOf(digest));
  try {
    for (const nonce of nonces(secret, Fn.toBytes(hash))) {
      const signature = attempt(hash, numberOf(nonce), numberOf(masked), numberOf(mask));
      if (signature) return signature;
    }
    throw new TypeError('unreachable: there is always another nonce');
  } finally {
    wipe(mask, masked);
  }
}

/** The uncompressed public key, without its 0x04, that made a signature of `signDigest`. */
export function recoverPoint(digest: Uint8Array, signature: Uint8Array): Uint8Array {
  const recovered = new Uint8Array([signature[64] ?? 0, ...signature.subarray(0, 64)]);
  const point = secp256k1.Signature.fromBytes(recovered, 'recovered').recoverPublicKey(digest);
  return point.toBytes(false).subarray(1);
}

/** `undefined` if the standard requires another nonce, or if two values of x have this r. */
function attempt(hash: bigint, nonce: bigint, masked: bigint, mask: bigint): Uint8Array | undefined {
  if (!Fn.isValidNot0(nonce)) return undefined;
  const { x, y } = Point.BASE.multiply(nonce).toAffine();
  if (!Fn.isValidNot0(x)) return undefined;
  // s = (hash + x * key) / nonce. A random factor protects the nonce and the products against timing attacks.
  const blind = numberOf(randomScalar());
  const product = Fn.sub(Fn.mul(Fn.mul(blind, x), masked), Fn.mul(Fn.mul(blind, x), mask));
  const s = Fn.mul(Fn.inv(Fn.mul(blind, nonce)), Fn.add(Fn.mul(blind, hash), product));
  if (s === 0n) return undefined;
  const high = s > HALF_ORDER;
  const signature = new Uint8Array(65);
  signature.set(Fn.toBytes(x), 0);
  signature.set(Fn.toBytes(high ? Fn.neg(s) : s), 32);
  signature[64] = Number(y & 1n) ^ Number(high);
  return signature;
}

function randomScalar(): Uint8Array {
  for (;;) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    if (Fn.isValidNot0(numberOf(bytes))) return bytes;
  }
}

/** Converts big-endian bytes to a number, without a hex text, which could not be wiped. */
function numberOf(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 32);
  let number = 0n;
  for (let offset = 0; offset < 32; offset += 8) number = (number << 64n) | view.getBigUint64(offset);
  return number;
}

/** (a + b) mod n of scalars in range, in constant time: the steps do not depend on the bytes. */
function addModOrder(a: Uint8Array, b: Uint8Array): Uint8Array {
  const sum = new Uint8Array(32);
  const reduced = new Uint8Array(32);
  let carry = 0;
  for (let i = 31; i >= 0; i--) {
    carry += (a[i] ?? 0) + (b[i] ?? 0);
    sum[i] = carry;
    carry >>= 8;
  }
  let borrow = 0;
  for (let i = 31; i >= 0; i--) {
    borrow += (sum[i] ?? 0) - (ORDER[i] ?? 0);
    reduced[i] = borrow;
    borrow >>= 8;
  }
  // borrow is -1 if the sum without its carry is less than n. With a carry, the sum is never less than n.
  const keep = borrow + carry;
  for (let i = 0; i < 32; i++) sum[i] = ((sum[i] ?? 0) & keep) | ((reduced[i] ?? 0) & ~keep);
  wipe(reduced);
  return sum;
}
