/** A bot trades on a real EVM chain with ethers 6 and the SDK. Signatures are those of ethers' own wallet, byte for byte. */
import {
  ContractFactory,
  getBytes,
  JsonRpcProvider,
  NonceManager,
  parseEther,
  Transaction,
  Wallet,
} from 'ethers';
import { serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProblem } from '../../src/sdk/client.ts';
import { TradingKeysSigner } from '../../src/sdk/ethers.ts';
import { type Anvil, startAnvil } from '../../tools/stack/anvil.ts';
import { MESSAGES, TRANSACTIONS, TYPED_DATA } from '../support/evm-things.ts';
import { newTrader, type Trader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

/** A contract that keeps one number: `store` writes slot 0, any other call reads it. */
const STORAGE = {
  abi: ['function store(uint256)', 'function get() view returns (uint256)'],
  bytecode: '0x601b8060095f395ff3600436116010575f545f5260205ff3005b6004355f553360015500',
};

let anvil: Anvil;
let api: RunningWorker;
let provider: JsonRpcProvider;

beforeAll(async () => {
  [anvil, api] = await Promise.all([startAnvil(), startApi()]);
  provider = new JsonRpcProvider(anvil.url, undefined, { pollingInterval: 50, cacheTimeout: -1 });
});
afterAll(async () => {
  provider?.destroy();
  await anvil?.stop();
  await stopApi(api);
});

const newKey = () => Wallet.createRandom().privateKey;
const someone = () => Wallet.createRandom().address;
const fund = (address: string) =>
  anvil.rpc('anvil_setBalance', address, `0x${parseEther('10').toString(16)}`);

async function newFundedTrader(privateKey = newKey()): Promise<Trader> {
  const trader = await newTrader(api.url, { private_key: privateKey }, 'evm-grid');
  await fund(trader.address);
  return trader;
}

const signerOf = ({ runner, botId, address }: Trader) =>
  new TradingKeysSigner({ client: runner, botId, address }, provider);

/** ethers takes no arrays that are read-only. */
const fieldsOf = (types: object): Record<string, { name: string; type: string }[]> =>
  Object.fromEntries(Object.entries(types).map(([name, fields]) => [name, [...fields]]));

/** The code of the problem because of which nothing was sent. */
const refusal = (sending: Promise<unknown>): Promise<string | undefined> =>
  sending.then(
    () => 'sent',
    (error) => findProblem(error)?.code,
  );

test('a bot sends coins by EIP-1559: the receipt and the balance show it', async () => {
  const trader = await newFundedTrader();
  const to = someone();
  const sent = await signerOf(trader).sendTransaction({ to, value: parseEther('1.5') });
  const receipt = await sent.wait();
  expect(receipt).toMatchObject({ status: 1, type: 2, from: trader.address });
  expect(await provider.getBalance(to)).toBe(parseEther('1.5'));
});

test('a bot deploys a contract and calls it', async () => {
  const signer = signerOf(await newFundedTrader());
  const contract = await new ContractFactory(STORAGE.abi, STORAGE.bytecode, signer).deploy();
  await contract.waitForDeployment();
  const stored = await contract.getFunction('store')(42n);
  expect(await stored.wait()).toMatchObject({ status: 1 });
  expect(await contract.getFunction('get')()).toBe(42n);
});

test("ethers' NonceManager sends eight transfers concurrently, each with its own nonce", async () => {
  const trader = await newFundedTrader();
  const manager = new NonceManager(signerOf(trader));
  const to = someone();
  const sent = await Promise.all(
    Array.from({ length: 8 }, () => manager.sendTransaction({ to, value: 1n, gasLimit: 21_000n })),
  );
  await Promise.all(sent.map((transaction) => transaction.wait()));
  expect(await provider.getBalance(to)).toBe(8n);
  expect(await provider.getTransactionCount(trader.address)).toBe(8);
});

test('a transaction that the policy of a bot forbids never reaches the chain', async () => {
  const trader = await newFundedTrader();
  const signer = signerOf(trader);
  const to = someone();
  await trader.owner.bots.setPolicy(trader.botId, { max_value: '1000', recipients: [to] });
  expect(await refusal(signer.sendTransaction({ to, value: 1001n }))).toBe('policy_value_exceeded');
  expect(await refusal(signer.signMessage('hello'))).toBe('policy_kind_denied');
  await (await signer.sendTransaction({ to, value: 1000n })).wait();
  expect(await provider.getBalance(to)).toBe(1000n);
});

test('after a rotation the sender is the new address, and the old address sends nothing', async () => {
  const trader = await newFundedTrader();
  const before = signerOf(trader);
  const { address } = await trader.owner.clients.rotateKey(trader.clientId, { private_key: newKey() });
  const to = someone();
  expect(await refusal(before.sendTransaction({ to, value: 1n }))).toBe('wallet_address_replaced');
  await fund(address);
  const receipt = await (await signerOf({ ...trader, address }).sendTransaction({ to, value: 1n })).wait();
  expect(receipt).toMatchObject({ status: 1, from: address });
  await trader.owner.bots.stop(trader.botId);
  const stopped = signerOf({ ...trader, address }).sendTransaction({ to, value: 1n });
  expect(await refusal(stopped)).toBe('bot_not_running');
  expect(await provider.getBalance(to)).toBe(1n);
});

describe("signatures are those of ethers' own wallet", () => {
  const local = new Wallet(newKey());
  let signer: TradingKeysSigner;
  beforeAll(async () => {
    signer = signerOf(await newFundedTrader(local.privateKey));
  });

  test.each(Object.entries(TRANSACTIONS))('%s', async (_name, transaction) => {
    const unsigned = Transaction.from(serializeTransaction(transaction));
    expect(await signer.signTransaction(unsigned)).toBe(await local.signTransaction(unsigned));
  });

  test.each(Object.entries(MESSAGES))('a message: %s', async (_name, message) => {
    const text = typeof message === 'string' ? message : getBytes(message.raw);
    expect(await signer.signMessage(text)).toBe(await local.signMessage(text));
  });

  test.each(Object.entries(TYPED_DATA))('typed data: %s', async (_name, { domain, types, message }) => {
    const fields = fieldsOf(types);
    expect(await signer.signTypedData(domain, fields, message)).toBe(
      await local.signTypedData(domain, fields, message),
    );
  });

  test('a blob transaction keeps its blobs, which are not part of what is signed', async () => {
    const kzg = {
      blobToKzgCommitment: () => new Uint8Array(48).fill(1),
      computeBlobKzgProof: () => new Uint8Array(48).fill(2),
    };
    const blobs = {
      type: 3,
      chainId: 1,
      to: someone(),
      maxFeePerBlobGas: 1n,
      blobs: [new Uint8Array(131_072)],
      kzg,
    };
    const signed = await signer.signTransaction({ ...blobs });
    expect(signed).toBe(await local.signTransaction({ ...blobs }));
    expect(signed.length).toBeGreaterThan(131_072 * 2);
  });
});
