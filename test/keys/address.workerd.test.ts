import { bytesToHex } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, KeyInputError } from '../../src/keys/index.ts';
import { EIP55 } from '../support/published-keys.ts';

function reasonFor(text: string): string {
  try {
    canonicalAddress(text);
  } catch (error) {
    if (error instanceof KeyInputError) return `${error.field}: ${error.reason}`;
  }
  return 'accepted';
}

describe('canonicalAddress', () => {
  it.each([...EIP55.mixed, ...EIP55.allCaps, ...EIP55.allLower])(
    'accepts %s, which is in EIP-55 form',
    (address) => {
      expect(canonicalAddress(address)).toEqual({ chain: 'evm', address });
    },
  );

  it.each(EIP55.mixed)('returns %s for the address in lower and in upper case', (address) => {
    for (const digits of [address.slice(2).toLowerCase(), address.slice(2).toUpperCase()]) {
      expect(canonicalAddress(`0x${digits}`).address).toBe(address);
    }
  });

  it('rejects every mixed case that is not the checksum', () => {
    const addresses = fc
      .uint8Array({ minLength: 20, maxLength: 20 })
      .map((bytes) => `0x${bytesToHex(bytes)}`);
    fc.assert(
      fc.property(addresses, fc.nat({ max: 39 }), (lower, at) => {
        const { address } = canonicalAddress(lower);
        const digit = address[at + 2] ?? '';
        const other = digit === digit.toUpperCase() ? digit.toLowerCase() : digit.toUpperCase();
        const changed = address.slice(0, at + 2) + other + address.slice(at + 3);
        const digits = changed.slice(2);
        fc.pre(other !== digit && digits !== digits.toLowerCase() && digits !== digits.toUpperCase());
        expect(reasonFor(changed)).toBe('address: address_checksum_invalid');
      }),
    );
  });

  it('accepts any base58 of 32 bytes as a Solana address, unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const address = base58.encode(bytes);
        expect(canonicalAddress(address)).toEqual({ chain: 'solana', address });
      }),
    );
  });

  const evm = EIP55.mixed[0];
  const solana = base58.encode(new Uint8Array(32).fill(77));

  it.each([
    ['nothing', ''],
    ['no prefix', evm.slice(2)],
    ['0X', evm.replace('0x', '0X')],
    ['39 digits', evm.slice(0, -1)],
    ['41 digits', `${evm}0`],
    ['a digit that is not hex', `${evm.slice(0, -1)}g`],
    ['white space before', ` ${evm}`],
    ['a line break after', `${evm}\n`],
    ['a private key of 64 digits', `0x${'1f'.repeat(32)}`],
    ['an ENS name', 'vitalik.eth'],
    ['31 bytes', base58.encode(new Uint8Array(31).fill(77))],
    ['33 bytes', base58.encode(new Uint8Array(33).fill(77))],
    ['one leading 1 too many', `1${solana}`],
    ['a character outside base58', `${solana.slice(0, -1)}0`],
    ['white space after base58', `${solana} `],
    ['64 bytes of base58', base58.encode(new Uint8Array(64).fill(77))],
    ['a megabyte', '2'.repeat(1 << 20)],
  ])('rejects %s', (_, text) => {
    expect(reasonFor(text)).toBe('address: address_malformed');
  });
});
