/**
 * A bot with Solana Kit: trades for one bot, without access to its private key. Copy this file and write your strategy in
 * `trade`. It needs TRADING_KEYS_URL, TRADING_KEYS_TOKEN, BOT_ID and RPC_URL. Ctrl-C ends it after the current round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AccountRole,
  type Address,
  appendTransactionMessageInstruction,
  createSolanaRpc,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  type Instruction,
  pipe,
  type Signature,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type TransactionSigner,
} from '@solana/kit';
import { createClient, findProblem } from 'trading-keys/client';
import { createTradingKeysSigner } from 'trading-keys/solana';

const {
  TRADING_KEYS_URL = '',
  TRADING_KEYS_TOKEN = '',
  BOT_ID = '',
  RPC_URL = '',
  ROUND_MS = '5000',
} = process.env;

const api = createClient({ url: TRADING_KEYS_URL, token: TRADING_KEYS_TOKEN });
const node = createSolanaRpc(RPC_URL);
const SYSTEM_PROGRAM = '11111111111111111111111111111111' as Address;

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
  // Before: await createKeyPairSignerFromBytes(key)
  const signer = createTradingKeysSigner({ client: api, botId: BOT_ID, address });
  const { value: lifetime } = await node.getLatestBlockhash().send();
  const signed = await pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(signer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => appendTransactionMessageInstruction(transfer(signer, signer.address, 1n), message),
    (message) => signTransactionMessageWithSigners(message),
  );
  const wire = getBase64EncodedWireTransaction(signed);
  const signature = await node.sendTransaction(wire, { encoding: 'base64' }).send();
  return `${(await isConfirmed(signature)) ? 'success' : 'failure'}: ${signature} from ${address}`;
}

/** Instruction 2 of the System program: the number of the instruction, and the lamports. */
function transfer(from: TransactionSigner, to: Address, lamports: bigint): Instruction {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, 2, true);
  view.setBigUint64(4, lamports, true);
  const accounts = [
    { address: from.address, role: AccountRole.WRITABLE_SIGNER, signer: from },
    { address: to, role: AccountRole.WRITABLE },
  ];
  return { programAddress: SYSTEM_PROGRAM, accounts, data };
}

async function isConfirmed(signature: Signature): Promise<boolean> {
  for (let attempt = 0; attempt < 150; attempt++, await sleep(200)) {
    const { value } = await node.getSignatureStatuses([signature]).send();
    const [status] = value;
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
