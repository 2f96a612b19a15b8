import { createHmac, randomBytes } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, it, vi } from 'vitest';
import { nonces } from '../../src/keys/rfc6979.ts';
import * as wiping from '../../src/keys/wipe.ts';

// In Node because modules cannot be mocked inside workerd.
vi.mock('../../src/keys/wipe.ts', { spy: true });

const hmac = (key: Buffer, ...parts: Uint8Array[]) =>
  createHmac('sha256', key).update(Buffer.concat(parts)).digest();

/** RFC 6979, section 3.2, step by step: `count` candidates, and every intermediate K and V. */
function byTheStandard(secret: Uint8Array, hash: Uint8Array, count: number) {
  const states: Buffer[] = [];
  const kept = (state: Buffer) => {
    states.push(state);
    return state;
  };
  let v = kept(Buffer.alloc(32, 1)); // b
  let k = kept(Buffer.alloc(32, 0)); // c
  for (const step of [0, 1]) {
    k = kept(hmac(k, v, Uint8Array.of(step), secret, hash)); // d, f
    v = kept(hmac(k, v)); // e, g
  }
  const candidates: Buffer[] = [];
  for (;;) {
    v = kept(hmac(k, v)); // h.2
    candidates.push(v);
    if (candidates.length === count) return { candidates: candidates.map(bytesToHex), states };
    k = kept(hmac(k, v, Uint8Array.of(0))); // h.3
    v = kept(hmac(k, v));
  }
}

it.each([1, 2, 5])('returns the %i candidates of the standard, and wipes every state', (count) => {
  const [secret, hash] = [randomBytes(32), randomBytes(32)];
  const expected = byTheStandard(secret, hash, count);
  const held: string[] = [];
  const buffers: Uint8Array[] = [];
  vi.mocked(wiping.wipe).mockImplementation((...given) => {
    held.push(...given.map(bytesToHex));
    buffers.push(...given);
    for (const buffer of given) buffer.fill(0);
  });
  const candidates: string[] = [];
  for (const nonce of nonces(secret, hash)) {
    buffers.push(nonce);
    if (candidates.push(bytesToHex(nonce)) === count) break;
  }
  expect(candidates).toEqual(expected.candidates);
  expect(held.sort()).toEqual(expected.states.map(bytesToHex).sort());
  expect(buffers.every((buffer) => buffer.every((byte) => byte === 0))).toBe(true);
});
