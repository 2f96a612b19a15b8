/**
 * Bots with unmodified libraries trade on a real EVM chain through `POST /bots/{id}/rpc`: each has one URL and one header. What
 * they did is read from the chain, and viem recovers who has signed.
 */
import {
  createPublicClient,
  http,
  parseAbi,
  parseEther,
  recoverMessageAddress,
  recoverTypedDataAddress,
} from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Anvil, startAnvil } from '../../tools/stack/anvil.ts';
import { newTrader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';
import { cast } from './json-rpc/cast.ts';
import { type Bot, type Connect, TOKEN, TYPED_DATA } from './json-rpc/client.ts';
import { ethers } from './json-rpc/ethers.ts';
import { hasPython, python } from './json-rpc/python.ts';
import { viem } from './json-rpc/viem.ts';
import { web3 } from './json-rpc/web3.ts';

const CHAIN_ID = '31337';
let anvil: Anvil;
let api: RunningWorker;

beforeAll(async () => {
  anvil = await startAnvil();
  api = await startApi({
    ENVIRONMENT: 'development',
    RPC_URLS: JSON.stringify({ [CHAIN_ID]: anvil.url }),
    RPC_FEE_CAPS: `${CHAIN_ID}=100000000000`,
  });
});
afterAll(async () => {
  await anvil?.stop();
  await stopApi(api);
});

const chain = () => createPublicClient({ transport: http(anvil.url) });
const someone = () => privateKeyToAddress(generatePrivateKey());
const fund = (address: string) =>
  anvil.rpc('anvil_setBalance', address, `0x${parseEther('10').toString(16)}`);
const tokensOf = (token: string, owner: string) =>
  chain().readContract({
    abi: parseAbi(TOKEN.abi as ['function balanceOf(address owner) view returns (uint256)']),
    address: token as `0x${string}`,
    functionName: 'balanceOf',
    args: [owner as `0x${string}`],
  });

async function newBot(connect: Connect) {
  const trader = await newTrader(api.url, { private_key: generatePrivateKey() }, 'evm-grid');
  const { token = '' } = await trader.owner.bots.issueToken(trader.botId, { name: 'JSON-RPC' });
  await fund(trader.address);
  const url = new URL(`/bots/${trader.botId}/rpc?chain_id=${CHAIN_ID}`, api.url).href;
  const again = () => connect({ url, authorization: `Bearer ${token}` });
  return { trader, bot: await again(), again };
}

/** The code of the problem, wherever the library has put it. */
async function refusal(doing: Promise<unknown>): Promise<string | undefined> {
  const error: unknown = await doing.then(
    () => new Error('done'),
    (reason) => reason,
  );
  return /"?(policy_recipient_denied|bot_not_running|wallet_address_replaced|done)\b/.exec(
    textOf(error),
  )?.[1];
}

/** All that an error contains, also in errors inside of it. */
function textOf(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > 6) return String(error);
  const names = Object.getOwnPropertyNames(error).filter((name) => name !== 'stack');
  return names.map((name) => `${name}: ${textOf(error[name as keyof typeof error], depth + 1)}`).join('\n');
}

const LIBRARIES: readonly [name: string, Connect][] = [
  ['ethers v6, JsonRpcProvider.getSigner()', ethers],
  ['web3.js v4', web3],
  ['viem with a JSON-RPC account', viem],
  ['cast send --unlocked', cast],
];
if (!hasPython) process.stderr.write('Python: not tested, because python3 with requests is not installed.\n');

describe.each([...LIBRARIES, ...(hasPython ? [['Python with requests', python] as const] : [])])(
  '%s',
  (_, connect) => {
    it('sends coins and tokens, creates a contract, and signs typed data and a message', async () => {
      const { trader, bot } = await newBot(connect);
      expect(bot.address).toBe(trader.address);
      const to = someone();
      await bot.transfer(to, parseEther('1.5'));
      expect(await chain().getBalance({ address: to })).toBe(parseEther('1.5'));
      const token = await bot.deploy();
      await bot.transferToken(token, to, 5n);
      expect(await tokensOf(token, to)).toBe(5n);
      expect(await tokensOf(token, bot.address)).toBe(999_995n);
      const typed = { ...TYPED_DATA, signature: (await bot.signTypedData()) as `0x${string}` };
      expect(await recoverTypedDataAddress(typed as never)).toBe(bot.address);
      const signature = (await bot.signMessage('hello ✓')) as `0x${string}`;
      expect(await recoverMessageAddress({ message: 'hello ✓', signature })).toBe(bot.address);
    });

    it('reports what the policy denies, and sends what it allows', async () => {
      const { trader, bot } = await newBot(connect);
      const to = someone();
      await trader.owner.bots.setPolicy(trader.botId, { recipients: [to], chain_ids: [CHAIN_ID] });
      expect(await refusal(bot.transfer(someone(), 1n))).toBe('policy_recipient_denied');
      await bot.transfer(to, 1n);
      expect(await chain().getBalance({ address: to })).toBe(1n);
    });

    it('stops with its bot, and continues with it', async () => {
      const { trader, bot } = await newBot(connect);
      const to = someone();
      await trader.owner.bots.stop(trader.botId);
      expect(await refusal(bot.transfer(to, 1n))).toBe('bot_not_running');
      expect(await refusal(bot.signMessage('hello'))).toBe('bot_not_running');
      await trader.owner.bots.start(trader.botId);
      await bot.transfer(to, 1n);
      expect(await chain().getBalance({ address: to })).toBe(1n);
    });

    it('sends nothing from the old address after a rotation, and finds the new one when it connects again', async () => {
      const { trader, bot, again } = await newBot(connect);
      const to = someone();
      const { address } = await trader.owner.clients.rotateKey(trader.clientId, {
        private_key: generatePrivateKey(),
      });
      await fund(address);
      // A program that is started for each transfer has no old address.
      if (connect !== python) expect(await refusal(bot.transfer(to, 1n))).toBe('wallet_address_replaced');
      const next: Bot = await again();
      expect(next.address).toBe(address);
      await next.transfer(to, 1n);
      expect(await chain().getBalance({ address: to })).toBe(1n);
    });
  },
);
