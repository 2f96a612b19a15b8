/** The SDK inside the Workers' runtime, because a bot can itself be a Worker. */
import {
  type Blockhash,
  createTransactionMessage,
  partiallySignTransactionMessageWithSigners,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
} from '@solana/kit';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { expect, inject, test } from 'vitest';
import { createApp } from '../../src/app.ts';
import { createClient } from '../../src/sdk/client.ts';
import { createTradingKeysSigner } from '../../src/sdk/solana.ts';
import { toTradingKeysAccount } from '../../src/sdk/viem.ts';
import { settings } from '../support/api.ts';
import { newSolanaKey } from '../support/private-keys.ts';
import { newTrader } from '../support/traders.ts';

const app = createApp();
/** In the form of a service binding. */
const binding: typeof fetch = async (input, init) => app.fetch(new Request(input, init), settings());
const url = 'https://keys.example.test';

async function newBot({ bot_type, private_key }: { bot_type: string; private_key: string }) {
  const { runner, botId, address } = await newTrader(url, { private_key }, bot_type, binding);
  return { client: runner, botId, address };
}

test('an account of viem signs through a service binding', async () => {
  const private_key = generatePrivateKey();
  const account = toTradingKeysAccount(await newBot({ bot_type: 'evm-grid', private_key }));
  const local = privateKeyToAccount(private_key);
  expect(await account.signMessage({ message: 'hello' })).toBe(await local.signMessage({ message: 'hello' }));
});

test('a signer of Kit signs through a service binding, and verifies with Web Crypto', async () => {
  const { privateKey, address } = newSolanaKey();
  const signer = createTradingKeysSigner(await newBot({ bot_type: 'solana-dca', private_key: privateKey }));
  const blockhash = '4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn' as Blockhash;
  const { signatures } = await partiallySignTransactionMessageWithSigners(
    pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(signer, message),
      (message) =>
        setTransactionMessageLifetimeUsingBlockhash({ blockhash, lastValidBlockHeight: 1n }, message),
    ),
  );
  expect(signer.address).toBe(address);
  expect(signatures[signer.address]).toHaveLength(64);
});

test("the runtime's own fetch supports the options of the client", async () => {
  const elsewhere = createClient({ url: inject('supabaseUrl'), token: 'tk_test', retries: 0 });
  await expect(elsewhere.runner.bots()).rejects.toMatchObject({ code: 'unexpected_answer' });
});
