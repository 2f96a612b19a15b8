/** The nonce of RFC 6979 by the letter of the standard, with Node's HMAC: an implementation that shares nothing with the product's. */
import { createHmac } from 'node:crypto';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const hmac = (key: Buffer, ...parts: Uint8Array[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();

/** Section 3.2, with HMAC-SHA256, a group order of 256 bits and a digest of 32 bytes. */
export function nonceOf(digest: Uint8Array, secret: Uint8Array): Uint8Array {
  const hash = Buffer.from((numberOf(digest) % ORDER).toString(16).padStart(64, '0'), 'hex'); // bits2octets
  let v = Buffer.alloc(32, 1); // b
  let k = Buffer.alloc(32, 0); // c
  for (const step of [0, 1]) {
    k = hmac(k, v, Uint8Array.of(step), secret, hash); // d, f
    v = hmac(k, v); // e, g
  }
  for (;;) {
    v = hmac(k, v); // h.2
    if (numberOf(v) > 0n && numberOf(v) < ORDER) return new Uint8Array(v);
    k = hmac(k, v, Uint8Array.of(0)); // h.3
    v = hmac(k, v);
  }
}
