/**
 * A runner: trades for the bots of one machine token, without access to their private keys. Copy this file and write your
 * strategy in `trade`. It needs TRADING_KEYS_URL, TRADING_KEYS_TOKEN and RPC_URL. Ctrl-C ends it after the current round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, findProblem, type RunnerBot, type RunnerBotSummary } from 'trading-keys/client';
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
  // Bots are listed in every round, because they start and stop, and a rotation changes the address of a wallet.
  const bots = await runningBots().catch((error) => print(`no bots: ${reason(error)}`));
  await Promise.all((bots ?? []).map(round));
  await sleep(Number(ROUND_MS), undefined, { signal: stopping.signal }).catch(() => {});
}
print('stopped');

/** All running bots of the token, page by page. Lists have no configs. */
async function runningBots(): Promise<RunnerBotSummary[]> {
  const bots: RunnerBotSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.runner.bots({ limit: 100, cursor });
    bots.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return bots;
}

/** One trade of one bot, and its result. A failure of one bot does not stop the others. */
async function round(bot: RunnerBotSummary): Promise<void> {
  try {
    const done = await trade(await api.runner.bot(bot.id));
    print(`${bot.name}: ${done}`);
    await api.bots.heartbeat(bot.id, { status: 'ok', message: done });
  } catch (error) {
    print(`${bot.name}: ${reason(error)}`);
    await api.bots.heartbeat(bot.id, { status: 'failing', message: reason(error) }).catch(() => {});
  }
}

/** The strategy. This example sends `config.amount` wei, or 1 wei, from the wallet to itself. */
async function trade(bot: RunnerBot): Promise<string> {
  const wallet = bot.wallets.find(({ chain, key_source }) => chain === 'evm' && key_source !== null);
  if (!wallet) return 'has no EVM wallet';
  const account = toTradingKeysAccount({ client: api, botId: bot.id, address: wallet.address });
  const sender = createWalletClient({ account, chain, transport });
  const hash = await sender.sendTransaction({ to: account.address, value: amountOf(bot) });
  const { status, blockNumber } = await node.waitForTransactionReceipt({ hash, pollingInterval: 200 });
  return `${status} in block ${blockNumber}: ${hash} from ${account.address}`;
}

function amountOf({ config: { amount } }: RunnerBot): bigint {
  return typeof amount === 'string' && /^\d{1,78}$/.test(amount) ? BigInt(amount) : 1n;
}

/** The code of the problem if the API rejected the request. Otherwise the name of the error. */
function reason(error: unknown): string {
  return findProblem(error)?.code ?? (error instanceof Error ? error.name : 'unknown');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
