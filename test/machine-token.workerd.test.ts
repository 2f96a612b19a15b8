import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createBase58check } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOfMachineToken, isMachineToken, newMachineToken } from '../src/machine-token.ts';

const encode = (bytes: Uint8Array) => `tk_${createBase58check(sha256).encode(bytes)}`;

describe('a machine token', () => {
  it('is recognised by its format, whatever its bytes are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.constantFrom(new Uint8Array(32), new Uint8Array(32).fill(255)),
    );
    fc.assert(
      fc.property(bytes, (random) => {
        expect(isMachineToken(encode(random))).toBe(true);
      }),
    );
    expect(isMachineToken(newMachineToken())).toBe(true);
  });

  it('is rejected with any one character changed, removed or repeated', () => {
    const token = newMachineToken();
    const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
    const property = fc.property(fc.nat(token.length - 1), fc.constantFrom(...alphabet), (at, other) => {
      const [before, after] = [token.slice(0, at), token.slice(at + 1)];
      fc.pre(other !== token[at]);
      expect(isMachineToken(before + other + after)).toBe(false);
      expect(isMachineToken(before + after)).toBe(false);
      expect(isMachineToken(token.slice(0, at + 1) + token.slice(at))).toBe(false);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it.each([0, 1, 31, 33, 64])('is rejected with %i bytes', (size) => {
    expect(isMachineToken(encode(crypto.getRandomValues(new Uint8Array(size))))).toBe(false);
  });

  it.each(['', 'tk_', 'tk_1', 'sb_publishable_x', 'eyJhbGciOiJIUzI1NiJ9.e30.x', `tk_${'2'.repeat(1 << 20)}`])(
    'is not %.30s',
    (text) => expect(isMachineToken(text)).toBe(false),
  );

  it('is stored as the SHA-256 of all its characters', async () => {
    const token = newMachineToken();
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
    expect(hashOfMachineToken(token)).toBe(bytesToHex(new Uint8Array(digest)));
  });
});
