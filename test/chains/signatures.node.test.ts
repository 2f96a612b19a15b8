/** RFC 6979 signatures are deterministic: the API returns the same bytes as viem with the same key. */
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toTradingKeysAccount } from '../../src/sdk/viem.ts';
import { MESSAGES, TRANSACTIONS, TYPED_DATA } from '../support/evm-things.ts';
import { newTrader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

const privateKey = generatePrivateKey();
const local = privateKeyToAccount(privateKey);
let api: RunningWorker;
let account: ReturnType<typeof toTradingKeysAccount>;

beforeAll(async () => {
  api = await startApi();
  const { runner, botId, address } = await newTrader(api.url, { private_key: privateKey }, 'evm-dca');
  account = toTradingKeysAccount({ client: runner, botId, address });
});
afterAll(() => stopApi(api));

test('the address is the address of the key', () => {
  expect(account.address).toBe(local.address);
});

describe('transactions', () => {
  test.each(Object.entries(TRANSACTIONS))('%s', async (_name, transaction) => {
    expect(await account.signTransaction(transaction)).toBe(await local.signTransaction(transaction));
  });
});

describe('messages', () => {
  test.each(Object.entries(MESSAGES))('%s', async (_name, message) => {
    expect(await account.signMessage({ message })).toBe(await local.signMessage({ message }));
  });
});

describe('typed data', () => {
  test.each(Object.entries(TYPED_DATA))('%s', async (_name, typedData) => {
    expect(await account.signTypedData(typedData as never)).toBe(
      await local.signTypedData(typedData as never),
    );
  });
});
