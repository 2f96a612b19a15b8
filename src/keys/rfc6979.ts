import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { wipe } from './wipe.ts';

/**
 * The candidates for the nonce, in order (RFC 6979, section 3.2, with HMAC-SHA256 and a group order of 256 bits).
 * `secret` is int2octets(x) and `hash` is bits2octets(h1), both 32 bytes. A candidate and its state are wiped when the next
 * candidate is requested or the generator ends.
 */
export function* nonces(secret: Uint8Array, hash: Uint8Array): Generator<Uint8Array> {
  let key = new Uint8Array(32);
  let value = new Uint8Array(32).fill(1);
  const next = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
    const mac = hmac.create(sha256, key).update(value);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  const rekey = (...parts: readonly Uint8Array[]) => {
    const old = key;
    key = next(...parts);
    wipe(old);
    step();
  };
  const step = () => {
    const old = value;
    value = next();
    wipe(old);
  };
  try {
    rekey(Uint8Array.of(0), secret, hash);
    rekey(Uint8Array.of(1), secret, hash);
    for (;;) {
      step();
      yield value;
      rekey(Uint8Array.of(0));
    }
  } finally {
    wipe(key, value);
  }
}
