/** The requests of the SDK are the transactions that the API signs: both parts, without a network between them. */
import { type Hex, keccak256, serializeTransaction, toHex } from 'viem';
import { expect, test } from 'vitest';
import { describePayload } from '../../src/sdk/evm-payload.ts';
import { readEvmTransaction } from '../../src/signing/evm-transaction.ts';
import { TRANSACTIONS } from '../support/evm-things.ts';

test.each(Object.entries(TRANSACTIONS))(
  '%s is described so that the API signs exactly its bytes',
  (_name, transaction) => {
    const payload = serializeTransaction(transaction);
    const asked = JSON.parse(JSON.stringify(describePayload(payload)));
    expect(toHex(readEvmTransaction(asked).payload)).toBe(keccak256(payload));
  },
);

test('quantities are hex, and zero values are included', () => {
  const payload = serializeTransaction({
    type: 'eip1559',
    chainId: 31_337,
    to: `0x${'ab'.repeat(20)}`,
    value: 10n ** 18n,
  });
  expect(describePayload(payload)).toEqual({
    type: '0x2',
    chainId: '0x7a69',
    nonce: '0x0',
    gas: '0x0',
    to: `0x${'ab'.repeat(20)}`,
    value: '0xde0b6b3a7640000',
    maxFeePerGas: '0x0',
    maxPriorityFeePerGas: '0x0',
  });
});

test.each<[string, Hex]>([
  ['a type of a single chain', '0x7bf84682a4ec8080808094'],
  ['a type that no chain has', '0x05c0'],
  ['malformed bytes', '0x02ff'],
  ['nothing', '0x'],
])('%s is not described', (_name, payload) => {
  expect(() => describePayload(payload)).toThrow(
    expect.objectContaining({ code: 'unsupported_transaction' }),
  );
});
