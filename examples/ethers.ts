/**
 * A bot with ethers 6: trades for one bot, without access to its private key. Copy this file and write your strategy in
 * `trade`. It needs TRADING_KEYS_URL, TRADING_KEYS_TOKEN, BOT_ID and RPC_URL. Ctrl-C ends it after the current round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { JsonRpcProvider } from 'ethers';
import { createClient, findProblem } from 'trading-keys/client';
import { TradingKeysSigner } from 'trading-keys/ethers';

const {
  TRADING_KEYS_URL = '',
  TRADING_KEYS_TOKEN = '',
  BOT_ID = '',
  RPC_URL = '',
  ROUND_MS = '5000',
} = process.env;

const api = createClient({ url: TRADING_KEYS_URL, token: TRADING_KEYS_TOKEN });
const provider = new JsonRpcProvider(RPC_URL, undefined, { pollingInterval: 200 });

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

while (!stopping.signal.aborted) {
  await round();
  await sleep(Number(ROUND_MS), undefined, { signal: stopping.signal }).catch(() => {});
}
provider.destroy();
print('stopped');

/** One trade, and its result. A failure does not end the program. */
async function round(): Promise<void> {
  try {
    // The bot is read in every round, because it can be stopped, and a rotation changes the address of its wallet.
    const { status, wallets } = await api.runner.bot(BOT_ID);
    const wallet = wallets.find(({ chain, key_source }) => chain === 'evm' && key_source !== null);
    if (status !== 'running' || !wallet)
      return print('nothing to do: the bot is stopped or has no EVM wallet');
    const done = await trade(wallet.address);
    print(done);
    await api.bots.heartbeat(BOT_ID, { status: 'ok', message: done });
  } catch (error) {
    print(reason(error));
    await api.bots.heartbeat(BOT_ID, { status: 'failing', message: reason(error) }).catch(() => {});
  }
}

/** The strategy. This example sends 1 wei from the wallet to itself. */
async function trade(address: string): Promise<string> {
  // Before: new Wallet(key, provider)
  const signer = new TradingKeysSigner({ client: api, botId: BOT_ID, address }, provider);
  const { hash } = await signer.sendTransaction({ to: address, value: 1n });
  const receipt = await provider.waitForTransaction(hash, 1, 30_000);
  return `${receipt?.status === 1 ? 'success' : 'failure'}: ${hash} from ${address}`;
}

/** The code of the problem if the API rejected the request. Otherwise the name of the error. */
function reason(error: unknown): string {
  return findProblem(error)?.code ?? (error instanceof Error ? error.name : 'unknown');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
