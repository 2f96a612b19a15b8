import fc from 'fast-check';
import { expect, it } from 'vitest';
import { equalBytes } from '../../src/crypto/equal.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });

it('bytes equal their copy, and differ from bytes with one bit changed', () => {
  const property = fc.property(bytes, fc.nat(), fc.nat(7), (one, at, bit) => {
    const other = one.map((byte, i) => (i === at % one.length ? byte ^ (1 << bit) : byte));
    expect([equalBytes(one, one.slice()), equalBytes(one, other)]).toEqual([true, false]);
  });
  fc.assert(property);
});

it('bytes differ from their own prefix and from themselves followed by zeros', () => {
  const property = fc.property(bytes, (one) => {
    const longer = Uint8Array.of(...one, 0);
    expect([equalBytes(one, longer), equalBytes(longer, one)]).toEqual([false, false]);
  });
  fc.assert(property);
});

it('two differences do not cancel each other out', () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(2, 1))).toBe(false);
  expect(equalBytes(Uint8Array.of(1, 1), Uint8Array.of(0, 0))).toBe(false);
});

it('an empty array equals an empty array', () => {
  expect(equalBytes(new Uint8Array(), new Uint8Array())).toBe(true);
});
