import fc from 'fast-check';
import { hashMessage, keccak256, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../../src/signing/evm-message.ts';
import { asRpc, hex, TRANSACTIONS } from '../support/arbitraries.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { refusalOf, signedBy } from './signed.ts';

const key = newEvmKey();
const account = privateKeyToAccount(key.privateKey as `0x${string}`);
const request = (message: string | { raw: string }) => ({ type: 'evm.message', message }) as const;

it('a text gets the same signature as from viem', async () => {
  const property = fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (message) => {
    const { signature, signing } = await signedBy(key, request(message));
    expect(signature).toBe(await account.signMessage({ message }));
    expect(signing).toMatchObject({ kind: 'evm.message', recipients: [], value: 0n });
    expect(signing).not.toHaveProperty('chainId');
  });
  await fc.assert(property, { numRuns: 50 });
});

it('raw bytes get the same signature as from viem', async () => {
  const property = fc.asyncProperty(hex({ maxLength: 300 }), async (raw) => {
    expect((await signedBy(key, request({ raw }))).signature).toBe(
      await account.signMessage({ message: { raw } }),
    );
  });
  await fc.assert(property, { numRuns: 50 });
});

it('a text that looks like hex is signed as a text', () => {
  expect(refusalOf(request('0x1234'))).not.toEqual(refusalOf(request({ raw: '0x1234' })));
  expect(refusalOf(request(''))).toHaveProperty('payload');
});

describe('no message gives the signature of a transaction', () => {
  it('its bytes, its digest, and the prefix itself are prefixed before signing', async () => {
    const property = fc.asyncProperty(fc.oneof(...TRANSACTIONS), async (transaction) => {
      const signed = await signedBy(key, { type: 'evm.transaction', transaction: asRpc(transaction) });
      const unsigned = signed.signed_transaction as `0x${string}`;
      for (const raw of [unsigned, keccak256(unsigned), toHex(signed.signing.payload)]) {
        const { signing, signature } = await signedBy(key, request({ raw }));
        expect(toHex(signing.payload)).toBe(hashMessage({ raw }));
        expect(signing.payload).not.toEqual(signed.signing.payload);
        expect(signature).not.toBe(signed.signature);
      }
    });
    await fc.assert(property, { numRuns: 20 });
  });
});

describe('a message is rejected', () => {
  it.each<[string, string | { raw: string }, string]>([
    ['half of a surrogate pair', 'a\ud800', 'message_malformed'],
    ['half a byte', { raw: '0x123' }, 'message_malformed raw'],
    ['hex without 0x', { raw: '1234' }, 'message_malformed raw'],
    ['no hex', { raw: '0xzz' }, 'message_malformed raw'],
    ['one character too many', 'a'.repeat(MAX_MESSAGE_BYTES + 1), 'message_too_long'],
    ['one byte too many', { raw: `0x${'00'.repeat(MAX_MESSAGE_BYTES + 1)}` }, 'message_too_long'],
    ['few characters of many bytes', '€'.repeat(MAX_MESSAGE_BYTES / 3 + 1), 'message_too_long'],
  ])('%s', (_, message, refusal) => {
    expect(refusalOf(request(message))).toBe(refusal);
  });

  it('the longest allowed message is accepted', () => {
    expect(refusalOf(request('a'.repeat(MAX_MESSAGE_BYTES)))).toHaveProperty('payload');
  });
});
