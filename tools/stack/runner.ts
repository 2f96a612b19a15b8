/**
 * `npm run runner`: the reference runner (`examples/runner.ts`) against the stack that `npm run dev` runs here, on a
 * local chain of its own. It has a machine token and no more: `TRADING_KEYS_TOKEN`, or the stack's, or one that this
 * program gets as Bob would, by signing in and setting up a bot; that one is revoked in the end.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { createClient, findProblem, type TradingKeysClient } from '../../src/sdk/client.ts';
import { startAnvil } from './anvil.ts';
import type { StackFile } from './dev.ts';
import { signIn } from './session.ts';

const RUNNER = join(import.meta.dirname, '..', '..', 'examples', 'runner.ts');
const TEN_ETHER = '0x8ac7230489e80000';
const FUNDING_INTERVAL_MS = 1_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

await main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { directory: { type: 'string', default: '.local' } } });
  const stack = readStack(resolve(options.directory));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const token = process.env.TRADING_KEYS_TOKEN || (stack.machine_token ?? (await tokenOfBob(stack, stops)));
    const chain = await startAnvil();
    stops.push(chain.stop);
    say(`Local chain at ${chain.url}; Ctrl-C ends it and the runner.`);
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

/** The runner as a program of its own, which ends after its round. Answers its exit code. */
async function runUntil(interrupted: AbortSignal, settings: Record<string, string>): Promise<number> {
  const runner = spawn(process.execPath, [RUNNER], {
    // A process group of its own: it hears of Ctrl-C from here, once.
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
  if (!existsSync(path)) throw new Error('No stack runs here: start it by npm run dev, in another terminal.');
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** As the demo client: a bot that can run, and a token for it. */
async function tokenOfBob(stack: StackFile, stops: (() => Promise<unknown>)[]): Promise<string> {
  const bob = stack.clients[1];
  if (!bob) throw new Error('The stack has no second demo client.');
  const project = { supabaseUrl: stack.supabase_url, publishableKey: stack.publishable_key };
  const session = await signIn(project, bob);
  const api = createClient({ url: stack.api_url, token: session.token });
  const bot = (await runningBot(api, bob.id)) ?? (await setupBot(api, bob.id));
  const { id, token } = await api.bots.issueToken(bot.id, { name: 'npm run runner' });
  stops.push(() => revokeToken(api, id));
  if (token === undefined) throw new Error('The answer with the machine token was lost. Start again.');
  say(`Signed in as ${bob.email}: bot ${bot.id}, machine token ${id}`);
  return token;
}

/** A revocation of the client's key has ended the token already. */
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

/** Gives coins to every wallet of the token's bots, also to those that a rotation brings. Answers how to stop. */
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
  // Later troubles are the runner's to tell.
  const timer = setInterval(() => fund().catch(() => {}), FUNDING_INTERVAL_MS);
  return async () => clearInterval(timer);
}
