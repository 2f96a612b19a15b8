/** The transactions that ethers builds are described so that the API signs exactly their bytes. */
import { Transaction } from 'ethers';
import { type Hex, serializeTransaction, toHex } from 'viem';
import { expect, test } from 'vitest';
import { describeTransaction } from '../../src/sdk/ethers-transaction.ts';
import { readEvmTransaction } from '../../src/signing/evm-transaction.ts';
import { TRANSACTIONS } from '../support/evm-things.ts';

test.each(Object.entries(TRANSACTIONS))('%s', (_name, transaction) => {
  const { unsignedSerialized, unsignedHash } = Transaction.from(serializeTransaction(transaction));
  const described = JSON.parse(JSON.stringify(describeTransaction(unsignedSerialized)));
  expect(toHex(readEvmTransaction(described).payload)).toBe(unsignedHash as Hex);
});

test('quantities are hex, and zero values are included', () => {
  const { unsignedSerialized } = Transaction.from({ type: 2, chainId: 31_337, to: `0x${'ab'.repeat(20)}` });
  expect(describeTransaction(unsignedSerialized)).toEqual({
    type: '0x2',
    chainId: '0x7a69',
    nonce: '0x0',
    gas: '0x0',
    value: '0x0',
    maxFeePerGas: '0x0',
    maxPriorityFeePerGas: '0x0',
    to: '0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB',
  });
});
