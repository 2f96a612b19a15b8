/**
 * `npm run runner`: runs the reference runner (`examples/runner.ts`) with the stack that `npm run dev` runs, on its own
 * local chain. The runner only has a machine token: `TRADING_KEYS_TOKEN`, or the token of the stack. If neither is set,
 * this program signs in as the demo client Bob, sets up a bot and issues a token, which it revokes at the end.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createClient, findProblem, type TradingKeysClient } from '../../src/sdk/client.ts';
import { readOptions } from '../operator/command.ts';
import { startAnvil } from './anvil.ts';
import type { StackFile } from './dev.ts';
import { signIn } from './session.ts';

const RUNNER = join(import.meta.dirname, '..', '..', 'examples', 'runner.ts');
const TEN_ETHER = '0x8ac7230489e80000';
const FUNDING_INTERVAL_MS = 1_000;

const print = (line: string) => process.stdout.write(`${line}\n`);

const options = readOptions(
  `Usage: npm run runner -- [--directory D]

Runs examples/runner.ts against the stack of "npm run dev" and a local chain until Ctrl-C.

  --directory D  the directory of the running stack (default: .local)

Environment: TRADING_KEYS_TOKEN, a machine token; without it, the program signs in as Bob and issues one.`,
  { directory: { type: 'string', default: '.local' } },
);

await main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const stack = readStack(resolve(options.directory));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const token = process.env.TRADING_KEYS_TOKEN || (stack.machine_token ?? (await tokenOfBob(stack, stops)));
    const chain = await startAnvil();
    stops.push(chain.stop);
    print(`Local chain at ${chain.url}. Ctrl-C stops the chain and the runner.`);
    stops.push(await keepFunded(createClient({ url: stack.api_url, token }), chain.rpc));
    process.exitCode = await runUntil(interrupted.signal, {
      TRADING_KEYS_URL: stack.api_url,
      TRADING_KEYS_TOKEN: token,
      RPC_URL: chain.url,
    });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** Runs the runner as a separate process until it ends or is interrupted. Returns its exit code. */
async function runUntil(interrupted: AbortSignal, settings: Record<string, string>): Promise<number> {
  const runner = spawn(process.execPath, [RUNNER], {
    // Its own process group, so that it receives Ctrl-C only once, from this program.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...settings },
  });
  const end = () => runner.kill('SIGTERM');
  const ended = new Promise<number>((resolve) => runner.once('exit', (code) => resolve(code ?? 1)));
  runner.once('spawn', () => {
    if (interrupted.aborted) end();
    else interrupted.addEventListener('abort', end, { once: true });
  });
  return ended;
}

function readStack(directory: string): StackFile {
  const path = join(directory, 'stack.json');
  if (!existsSync(path))
    throw new Error('No local stack is running. Start one in another terminal: npm run dev');
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Signs in as the demo client, sets up a bot if necessary, starts it, and issues a token for it. */
async function tokenOfBob(stack: StackFile, stops: (() => Promise<unknown>)[]): Promise<string> {
  const bob = stack.clients[1];
  if (!bob) throw new Error('The stack has no second demo client.');
  const project = { supabaseUrl: stack.supabase_url, publishableKey: stack.publishable_key };
  const session = await signIn(project, bob);
  const api = createClient({ url: stack.api_url, token: session.token });
  const bot = (await runningBot(api, bob.id)) ?? (await setupBot(api, bob.id));
  const { id, token } = await api.bots.issueToken(bot.id, { name: 'npm run runner' });
  stops.push(() => revokeToken(api, id));
  if (token === undefined) throw new Error('The response with the machine token was lost. Start again.');
  print(`Signed in as ${bob.email}: bot ${bot.id}, machine token ${id}`);
  return token;
}

/** Revokes the token. It may have ended already, because the client has revoked its key. */
async function revokeToken(api: TradingKeysClient, id: string): Promise<void> {
  await api.tokens.revoke(id).catch((error: unknown) => {
    if (findProblem(error)?.code !== 'resource_not_found') throw error;
  });
}

async function runningBot(api: TradingKeysClient, clientId: string) {
  const { items } = await api.clients.bots(clientId, { limit: 100 });
  return items.find(
    ({ status, wallets }) => status === 'running' && wallets.some(({ chain }) => chain === 'evm'),
  );
}

function setupBot(api: TradingKeysClient, clientId: string) {
  const private_key = bytesToHex(secp256k1.utils.randomSecretKey());
  return api.clients.setupBot(clientId, { bot_type: 'evm-grid', name: 'Runner', private_key });
}

/** Gives coins to every wallet of the token's bots, also to new wallets after a rotation. Returns a function that stops it. */
async function keepFunded(
  api: TradingKeysClient,
  rpc: (method: string, ...params: unknown[]) => Promise<unknown>,
) {
  const funded = new Set<string>();
  async function fund(): Promise<void> {
    const { items } = await api.runner.bots({ limit: 100 });
    for (const { address, chain } of items.flatMap(({ wallets }) => wallets)) {
      if (chain !== 'evm' || funded.has(address)) continue;
      await rpc('anvil_setBalance', address, TEN_ETHER);
      funded.add(address);
    }
  }
  await fund();
  // Later errors are ignored here, because the runner reports them.
  const timer = setInterval(() => fund().catch(() => {}), FUNDING_INTERVAL_MS);
  return async () => clearInterval(timer);
}
