/**
 * An unmodified bot with ethers 6: it works with a node and its account, and needs one URL and one header. Copy this file and
 * write your strategy in `trade`. It needs RPC_URL (`https://…/bots/BOT_ID/rpc?chain_id=1`) and TRADING_KEYS_TOKEN. Ctrl-C ends
 * it after the current round. Its signatures are its signs of life, so it sends no heartbeats.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FetchRequest, JsonRpcProvider } from 'ethers';

const { RPC_URL = '', TRADING_KEYS_TOKEN = '', ROUND_MS = '5000' } = process.env;

const connection = new FetchRequest(RPC_URL);
connection.setHeader('authorization', `Bearer ${TRADING_KEYS_TOKEN}`);
// The API accepts at most 20 requests in a batch.
const provider = new JsonRpcProvider(connection, undefined, { batchMaxCount: 20, pollingInterval: 200 });

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());

while (!stopping.signal.aborted) {
  await trade().then(print, (error) => print(reason(error)));
  await sleep(Number(ROUND_MS), undefined, { signal: stopping.signal }).catch(() => {});
}
provider.destroy();
print('stopped');

/** The strategy. This example sends 1 wei from the wallet to itself. */
async function trade(): Promise<string> {
  // In every round, because a rotation changes the address. Before: new Wallet(key, provider)
  const signer = await provider.getSigner();
  const { hash } = await signer.sendTransaction({ to: signer.address, value: 1n });
  const receipt = await provider.waitForTransaction(hash, 1, 30_000);
  return `${receipt?.status === 1 ? 'success' : 'failure'}: ${hash} from ${signer.address}`;
}

/** The code of the problem if the API rejected the request. ethers keeps the error of JSON-RPC in `info` or in `error`. */
function reason(error: { message?: string; info?: { error?: RpcError }; error?: RpcError }): string {
  return error.info?.error?.data?.code ?? error.error?.data?.code ?? error.message ?? 'unknown';
}

interface RpcError {
  readonly data?: { readonly code?: string };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
