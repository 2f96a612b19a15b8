/** A bot trades on a real EVM chain with viem and the SDK. Every balance and receipt comes from the chain. */
import {
  createPublicClient,
  createWalletClient,
  type Hash,
  http,
  nonceManager,
  parseAbi,
  parseEther,
} from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { anvil as chain } from 'viem/chains';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, findProblem } from '../../src/sdk/client.ts';
import { toTradingKeysAccount } from '../../src/sdk/viem.ts';
import { type Anvil, startAnvil } from '../../tools/stack/anvil.ts';
import { newTrader, type Trader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';

/** A contract that keeps one number and who set it: `store` writes slots 0 and 1, any other call reads slot 0. */
const STORAGE = {
  abi: parseAbi(['function store(uint256)', 'function get() view returns (uint256)']),
  bytecode: '0x601b8060095f395ff3600436116010575f545f5260205ff3005b6004355f553360015500',
} as const;

let anvil: Anvil;
let api: RunningWorker;

beforeAll(async () => {
  [anvil, api] = await Promise.all([startAnvil(), startApi()]);
});
afterAll(async () => {
  await anvil?.stop();
  await stopApi(api);
});

const node = () => createPublicClient({ chain, transport: http(anvil.url), pollingInterval: 50 });
const receiptOf = (hash: Hash) => node().waitForTransactionReceipt({ hash });
const someone = () => privateKeyToAddress(generatePrivateKey());
const fund = (address: string, ether = '10') =>
  anvil.rpc('anvil_setBalance', address, `0x${parseEther(ether).toString(16)}`);

async function newFundedTrader(): Promise<Trader> {
  const trader = await newTrader(api.url, { private_key: generatePrivateKey() }, 'evm-grid');
  await fund(trader.address);
  return trader;
}

/** The one line that changes in a bot. */
function walletOf({ runner, botId, address }: Trader, options = {}) {
  const account = toTradingKeysAccount({ client: runner, botId, address, ...options });
  return createWalletClient({ account, chain, transport: http(anvil.url) });
}

/** The code of the problem because of which nothing was sent. */
async function refusal(sending: Promise<unknown>): Promise<string | undefined> {
  return sending.then(
    (hash) => `sent: ${hash}`,
    (error) => findProblem(error)?.code,
  );
}

test('a bot sends coins by EIP-1559: the receipt and both balances show it', async () => {
  const trader = await newFundedTrader();
  const to = someone();
  const hash = await walletOf(trader).sendTransaction({ to, value: parseEther('1.5') });
  const receipt = await receiptOf(hash);
  expect(receipt).toMatchObject({ status: 'success', type: 'eip1559', from: trader.address.toLowerCase() });
  expect(await node().getBalance({ address: to })).toBe(parseEther('1.5'));
  const left = await node().getBalance({ address: receipt.from });
  expect(left).toBe(parseEther('8.5') - receipt.gasUsed * receipt.effectiveGasPrice);
});

test('a bot deploys a contract and calls it', async () => {
  const trader = await newFundedTrader();
  const wallet = walletOf(trader);
  const { contractAddress } = await receiptOf(await wallet.deployContract(STORAGE));
  const address = contractAddress ?? '0x';
  const hash = await wallet.writeContract({ ...STORAGE, address, functionName: 'store', args: [42n] });
  expect((await receiptOf(hash)).status).toBe('success');
  expect(await node().readContract({ ...STORAGE, address, functionName: 'get' })).toBe(42n);
  const setBy = await node().getStorageAt({ address, slot: '0x1' });
  expect(setBy).toBe(`0x${trader.address.slice(2).toLowerCase().padStart(64, '0')}`);
});

test('a bot signs twelve transfers concurrently, each with its own nonce', async () => {
  const trader = await newFundedTrader();
  const wallet = walletOf(trader, { nonceManager });
  const to = someone();
  const hashes = await Promise.all(
    Array.from({ length: 12 }, () => wallet.sendTransaction({ to, value: 1n, gas: 21_000n })),
  );
  const receipts = await Promise.all(hashes.map(receiptOf));
  expect(receipts.map(({ status }) => status)).toEqual(Array(12).fill('success'));
  expect(await node().getBalance({ address: to })).toBe(12n);
  expect(await node().getTransactionCount({ address: wallet.account.address })).toBe(12);
});

test('a transaction that the policy of a bot forbids never reaches the chain', async () => {
  const trader = await newFundedTrader();
  const wallet = walletOf(trader);
  const to = someone();
  await trader.owner.bots.setPolicy(trader.botId, { max_value: '1000', recipients: [to] });
  expect(await refusal(wallet.sendTransaction({ to, value: 1001n }))).toBe('policy_value_exceeded');
  expect(await refusal(wallet.sendTransaction({ to: someone(), value: 1n }))).toBe('policy_recipient_denied');
  expect(await refusal(wallet.signMessage({ message: 'hello' }))).toBe('policy_kind_denied');
  const { status } = await receiptOf(await wallet.sendTransaction({ to, value: 1000n }));
  expect([status, await node().getBalance({ address: to })]).toEqual(['success', 1000n]);
});

test('after a rotation the sender is the new address, and the old address sends nothing', async () => {
  const trader = await newFundedTrader();
  const before = walletOf(trader);
  const to = someone();
  await receiptOf(await before.sendTransaction({ to, value: 1n }));

  const { address } = await trader.owner.clients.rotateKey(trader.clientId, {
    private_key: generatePrivateKey(),
  });
  expect(address).not.toBe(trader.address);
  expect(await refusal(before.sendTransaction({ to, value: 1n }))).toBe('wallet_address_replaced');

  const [bot] = (await trader.runner.runner.bots()).items;
  expect(bot?.wallets.map((wallet) => wallet.address)).toEqual([address]);
  await fund(address);
  const receipt = await receiptOf(
    await walletOf({ ...trader, address: bot?.wallets[0]?.address ?? '' }).sendTransaction({ to, value: 1n }),
  );
  expect(receipt).toMatchObject({ status: 'success', from: address.toLowerCase() });
  expect(await node().getBalance({ address: to })).toBe(2n);
  expect(await node().getTransactionCount({ address: before.account.address })).toBe(1);
});

test('after a rotation an account that names its wallet by id reports that the address has changed', async () => {
  const trader = await newFundedTrader();
  const [bot] = (await trader.runner.runner.bots()).items;
  const wallet = walletOf(trader, { wallet: bot?.wallets[0]?.id });
  await trader.owner.clients.rotateKey(trader.clientId, { private_key: generatePrivateKey() });
  await expect(wallet.signMessage({ message: 'hello' })).rejects.toMatchObject({ code: 'address_changed' });
});

test('after a revocation the next trade fails and does not reach the chain', async () => {
  const trader = await newFundedTrader();
  const wallet = walletOf(trader);
  const to = someone();
  await receiptOf(await wallet.sendTransaction({ to, value: 1n }));
  await trader.owner.clients.revokeKey(trader.clientId);
  // The revocation ends the token too.
  expect(await refusal(wallet.sendTransaction({ to, value: 1n }))).toBe('token_invalid');
  expect(await node().getBalance({ address: to })).toBe(1n);
  expect(await node().getTransactionCount({ address: wallet.account.address })).toBe(1);
  expect(await refusal(trader.runner.runner.bots())).toBe('token_invalid');
  // Another token does not list the bot either: it does not run.
  const { token = '' } = await trader.owner.bots.issueToken(trader.botId, { name: 'Another' });
  const another = createClient({ url: api.url, token });
  expect((await another.runner.bots()).items).toEqual([]);
});

test('a machine token that was revoked signs nothing any more', async () => {
  const trader = await newFundedTrader();
  const wallet = walletOf(trader);
  await wallet.signMessage({ message: 'hello' });
  const { items } = await trader.owner.bots.tokens(trader.botId);
  await trader.owner.tokens.revoke(items[0]?.id ?? '');
  expect(await refusal(wallet.sendTransaction({ to: someone(), value: 1n }))).toBe('token_invalid');
});
