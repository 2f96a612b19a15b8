/**
 * A runner: trades for the bots of one machine token, with keys that it never sees. Copy it, and put your own
 * strategy into `trade`. Needs TRADING_KEYS_URL, TRADING_KEYS_TOKEN and RPC_URL; Ctrl-C ends it after the round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, findProblem, type RunnerBot } from 'trading-keys/client';
import { toTradingKeysAccount } from 'trading-keys/viem';
import { createPublicClient, createWalletClient, http } from 'viem';
import { anvil as chain } from 'viem/chains';

const { TRADING_KEYS_URL = '', TRADING_KEYS_TOKEN = '', RPC_URL = '', ROUND_MS = '5000' } = process.env;

const api = createClient({ url: TRADING_KEYS_URL, token: TRADING_KEYS_TOKEN });
const transport = http(RPC_URL);
const node = createPublicClient({ chain, transport });

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

while (!stopping.signal.aborted) {
  // Asked for anew in every round: bots start and stop, and a rotation gives a wallet another address.
  const bots = await api.runner.bots().catch((error) => say(`no bots: ${reason(error)}`));
  await Promise.all((bots?.items ?? []).map(round));
  await sleep(Number(ROUND_MS), undefined, { signal: stopping.signal }).catch(() => {});
}
say('stopped');

/** One trade of one bot, and what became of it. One bot's trouble is not another's. */
async function round(bot: RunnerBot): Promise<void> {
  try {
    const done = await trade(bot);
    say(`${bot.name}: ${done}`);
    await api.bots.heartbeat(bot.id, { status: 'ok', message: done });
  } catch (error) {
    say(`${bot.name}: ${reason(error)}`);
    await api.bots.heartbeat(bot.id, { status: 'failing', message: reason(error) }).catch(() => {});
  }
}

/** The strategy. This one sends a single wei to itself. */
async function trade(bot: RunnerBot): Promise<string> {
  const wallet = bot.wallets.find(({ chain, key }) => chain === 'evm' && key !== null);
  if (!wallet) return 'has no EVM wallet';
  const account = toTradingKeysAccount({ client: api, botId: bot.id, address: wallet.address });
  const sender = createWalletClient({ account, chain, transport });
  const hash = await sender.sendTransaction({ to: account.address, value: 1n });
  const { status, blockNumber } = await node.waitForTransactionReceipt({ hash, pollingInterval: 200 });
  return `${status} in block ${blockNumber}: ${hash} from ${account.address}`;
}

/** The API's code where it refused, and else what kind of error it was. */
function reason(error: unknown): string {
  return findProblem(error)?.code ?? (error instanceof Error ? error.name : 'unknown');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
