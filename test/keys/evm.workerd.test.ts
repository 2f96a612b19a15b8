import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePrivateKey } from '../../src/keys/index.ts';
import { EVM_ACCOUNTS } from '../support/published-keys.ts';

const BELOW_ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140';

const scalars = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytesToHex)
  .filter((hex) => /[1-9a-f]/.test(hex) && hex <= BELOW_ORDER);

describe('an EVM private key', () => {
  it.each(EVM_ACCOUNTS)('has its published address $address', ({ privateKey, address }) => {
    const key = parsePrivateKey({ privateKey, address, chain: 'evm' });
    expect(key).toEqual({ chain: 'evm', address, secret: expect.any(Uint8Array) });
    expect(bytesToHex(key.secret)).toBe(privateKey);
  });

  it('is the same with and without 0x, in lower and upper case', () => {
    fc.assert(
      fc.property(
        scalars,
        fc.infiniteStream(fc.boolean()),
        fc.constantFrom('', '0x'),
        (hex, capitals, prefix) => {
          const cased = Array.from(hex, (digit) =>
            capitals.next().value ? digit.toUpperCase() : digit,
          ).join('');
          const key = parsePrivateKey({ privateKey: prefix + cased });
          expect(key).toEqual(parsePrivateKey({ privateKey: hex }));
          expect(key.chain).toBe('evm');
          expect(bytesToHex(key.secret)).toBe(hex);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('accepts its own address in checksummed, lower and upper case, and returns the checksummed one', () => {
    fc.assert(
      fc.property(scalars, (privateKey) => {
        const { address } = parsePrivateKey({ privateKey });
        const digits = address.slice(2);
        for (const form of [address, `0x${digits.toLowerCase()}`, `0x${digits.toUpperCase()}`]) {
          expect(parsePrivateKey({ privateKey, address: form }).address).toBe(address);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('may be the order of the curve minus one', () => {
    const { address } = parsePrivateKey({ privateKey: BELOW_ORDER });
    expect(address).toBe('0x80C0dbf239224071c59dD8970ab9d542E3414aB2');
  });
});
