/** A bot trades on Solana's own runtime (litesvm) with `@solana/web3.js` 1 and the SDK. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { base58 } from '@scure/base';
import { type Address, getTransactionDecoder, lamports } from '@solana/kit';
import {
  Keypair,
  PublicKey,
  SystemProgram,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import { FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TradingKeysWallet } from '../../src/sdk/solana-web3js.ts';
import { newTrader, type Trader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

const SOL = 1_000_000_000;
const FEE = 5_000;

let api: RunningWorker;
let chain: LiteSVM;
let trader: Trader;
let wallet: TradingKeysWallet;
/** The keypair of web3.js, with the same key. */
let local: Keypair;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => stopApi(api));

beforeEach(async () => {
  local = Keypair.generate();
  chain = new LiteSVM();
  trader = await newTrader(api.url, { private_key: base58.encode(local.secretKey) }, 'solana-grid');
  wallet = new TradingKeysWallet({ client: trader.runner, botId: trader.botId, address: trader.address });
  fund(local.publicKey);
});

const addressOf = (key: PublicKey) => key.toBase58() as Address;
const balanceOf = (key: PublicKey) => Number(chain.getBalance(addressOf(key)));
const fund = (key: PublicKey) => chain.airdrop(addressOf(key), lamports(BigInt(10 * SOL)));

/** Sends what web3.js serialized. */
function send(transaction: Transaction | VersionedTransaction) {
  const result = chain.sendTransaction(getTransactionDecoder().decode(transaction.serialize()) as never);
  if (result instanceof FailedTransactionMetadata) throw new Error(String(result.err()));
}

const pay = (to: PublicKey, amount: number, from = wallet.publicKey) =>
  SystemProgram.transfer({ fromPubkey: from, toPubkey: to, lamports: amount });

const legacy = (to: PublicKey, amount: number, payer = wallet.publicKey) =>
  new Transaction({ feePayer: payer, blockhash: chain.latestBlockhash(), lastValidBlockHeight: 1 }).add(
    pay(to, amount),
  );

const versioned = (to: PublicKey, amount: number, payer = wallet.publicKey) =>
  new VersionedTransaction(
    new TransactionMessage({
      payerKey: payer,
      recentBlockhash: chain.latestBlockhash(),
      instructions: [pay(to, amount)],
    }).compileToV0Message(),
  );

test.each([
  ['a legacy transaction', legacy],
  ['a transaction of version 0', versioned],
])("%s executes, with the same signature as web3.js' own keypair", async (_name, make) => {
  const to = Keypair.generate().publicKey;
  const signed = await wallet.signTransaction(make(to, SOL));
  const byKeypair = make(to, SOL);
  if (byKeypair instanceof Transaction) byKeypair.sign(local);
  else byKeypair.sign([local]);
  expect(signed.serialize()).toEqual(byKeypair.serialize());
  send(signed);
  expect([balanceOf(to), balanceOf(local.publicKey)]).toEqual([SOL, 9 * SOL - FEE]);
});

test('a message has the signature of a keypair, and bytes that could be a transaction have none', async () => {
  const text = new TextEncoder().encode('I own this account.');
  expect(await wallet.signMessage(text)).toEqual(ed25519.sign(text, local.secretKey.slice(0, 32)));
  const disguised = wallet.signMessage(versioned(local.publicKey, SOL).message.serialize());
  await expect(disguised).rejects.toMatchObject({ code: 'message_is_transaction' });
});

test('a transfer whose fee another account pays has both signatures', async () => {
  const payer = Keypair.generate();
  const to = Keypair.generate().publicKey;
  fund(payer.publicKey);
  const transaction = versioned(to, SOL, payer.publicKey);
  transaction.sign([payer]);
  send(await wallet.signTransaction(transaction));
  expect([balanceOf(to), balanceOf(local.publicKey)]).toEqual([SOL, 9 * SOL]);
});

test('after a rotation the new address signs, and the old address does not', async () => {
  const next = Keypair.generate();
  const to = Keypair.generate().publicKey;
  const private_key = base58.encode(next.secretKey);
  const { address } = await trader.owner.clients.rotateKey(trader.clientId, { private_key });
  await expect(wallet.signTransaction(legacy(to, SOL))).rejects.toMatchObject({
    code: 'wallet_address_replaced',
  });
  wallet = new TradingKeysWallet({ client: trader.runner, botId: trader.botId, address });
  fund(new PublicKey(address));
  send(await wallet.signTransaction(legacy(to, SOL)));
  expect(balanceOf(to)).toBe(SOL);
});

test('a transaction that the policy of a bot forbids is not signed, and an allowed one is', async () => {
  const to = Keypair.generate().publicKey;
  await trader.owner.bots.setPolicy(trader.botId, { max_value: String(SOL) });
  const dear = wallet.signAllTransactions([versioned(to, SOL), versioned(to, SOL + 1)]);
  await expect(dear).rejects.toMatchObject({ code: 'policy_value_exceeded' });
  send(await wallet.signTransaction(versioned(to, SOL)));
  expect(balanceOf(to)).toBe(SOL);
});
