/** EVM transactions, signed through the API, are to the byte those that viem signs with the same key. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { type TransactionSerializable, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { newClientWithRunner, sign } from '../support/runners.ts';

const bot = await newClientWithRunner();
const account = privateKeyToAccount(`0x${bytesToHex(bot.key.secret)}`);

describe('POST /bots/{id}/sign with an EVM transaction', () => {
  it('of type 2 -> as viem signs it', async () => {
    const transaction = {
      chainId: 1,
      nonce: 7,
      to: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
      value: 10n ** 18n,
      gas: 21_000n,
      maxFeePerGas: 30_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
    } as const satisfies TransactionSerializable;
    const answer = await sign(bot, {
      type: 'evm.transaction',
      transaction: {
        type: '0x2',
        chainId: '0x1',
        nonce: '0x7',
        to: transaction.to,
        value: String(transaction.value),
        gas: toHex(transaction.gas),
        maxFeePerGas: toHex(transaction.maxFeePerGas),
        maxPriorityFeePerGas: toHex(transaction.maxPriorityFeePerGas),
      },
    });
    expect(answer.text).toContain('signature');
    expect(answer.json.signed_transaction).toBe(await account.signTransaction(transaction));
    expect(answer.json).toMatchObject({ address: bot.key.address, key_id: expect.any(String) });
  });
});
