/**
 * A bot with @solana/web3.js 1: trades for one bot, without access to its private key. Copy this file and write your strategy in
 * `trade`. It needs TRADING_KEYS_URL, TRADING_KEYS_TOKEN, BOT_ID and RPC_URL. Ctrl-C ends it after the current round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Connection,
  PublicKey,
  SystemProgram,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js';
import { createClient, findProblem } from 'trading-keys/client';
import { TradingKeysWallet } from 'trading-keys/solana-web3js';

const {
  TRADING_KEYS_URL = '',
  TRADING_KEYS_TOKEN = '',
  BOT_ID = '',
  RPC_URL = '',
  ROUND_MS = '5000',
} = process.env;

const api = createClient({ url: TRADING_KEYS_URL, token: TRADING_KEYS_TOKEN });
const connection = new Connection(RPC_URL, 'confirmed');

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

while (!stopping.signal.aborted) {
  await round();
  await sleep(Number(ROUND_MS), undefined, { signal: stopping.signal }).catch(() => {});
}
print('stopped');

/** One trade, and its result. A failure does not end the program. */
async function round(): Promise<void> {
  try {
    // The bot is read in every round, because it can be stopped, and a rotation changes the address of its wallet.
    const { status, wallets } = await api.runner.bot(BOT_ID);
    const wallet = wallets.find(({ chain, key_source }) => chain === 'solana' && key_source !== null);
    if (status !== 'running' || !wallet)
      return print('nothing to do: the bot is stopped or has no Solana wallet');
    const done = await trade(wallet.address);
    print(done);
    await api.bots.heartbeat(BOT_ID, { status: 'ok', message: done });
  } catch (error) {
    print(reason(error));
    await api.bots.heartbeat(BOT_ID, { status: 'failing', message: reason(error) }).catch(() => {});
  }
}

/** The strategy. This example sends 1 lamport from the wallet to itself. */
async function trade(address: string): Promise<string> {
  // Before: Keypair.fromSecretKey(key), or Anchor's NodeWallet. An AnchorProvider takes this wallet too.
  const wallet = new TradingKeysWallet({ client: api, botId: BOT_ID, address });
  const { publicKey } = wallet;
  const { blockhash } = await connection.getLatestBlockhash();
  const message = new TransactionMessage({
    payerKey: publicKey,
    recentBlockhash: blockhash,
    instructions: [
      SystemProgram.transfer({ fromPubkey: publicKey, toPubkey: new PublicKey(address), lamports: 1 }),
    ],
  });
  const signed = await wallet.signTransaction(new VersionedTransaction(message.compileToV0Message()));
  const signature = await connection.sendRawTransaction(signed.serialize());
  return `${(await isConfirmed(signature)) ? 'success' : 'failure'}: ${signature} from ${address}`;
}

async function isConfirmed(signature: string): Promise<boolean> {
  for (let attempt = 0; attempt < 150; attempt++, await sleep(200)) {
    const { value: status } = await connection.getSignatureStatus(signature);
    if (status?.err) return false;
    if (status?.confirmationStatus === 'confirmed' || status?.confirmationStatus === 'finalized') return true;
  }
  return false;
}

/** The code of the problem if the API rejected the request. Otherwise the name of the error. */
function reason(error: unknown): string {
  return findProblem(error)?.code ?? (error instanceof Error ? error.name : 'unknown');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
