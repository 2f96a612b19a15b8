/** A local EVM chain: the real anvil, with its binary from npm. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.ts';

const START_LIMIT_MS = 20_000;

export interface Anvil {
  readonly url: string;
  /** Calls any JSON-RPC method, such as `anvil_setBalance`. */
  rpc(method: string, ...params: unknown[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts an empty chain on a free port of this machine. No account has coins until a caller sets its balance. */
export async function startAnvil(): Promise<Anvil> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(binary(), ['--port', new URL(url).port, '--accounts', '0', '--silent'], {
    // Its own process group, so that Ctrl-C reaches only the program that started it. That program then stops it.
    detached: true,
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = () => stopChild(child, ended);
  const rpc = (method: string, ...params: unknown[]) => call(url, method, params);
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  for (const start = Date.now(); Date.now() - start < START_LIMIT_MS && !gone; await sleep(50)) {
    if (await rpc('eth_chainId').catch(() => undefined)) return { url, rpc, stop };
  }
  await stop();
  throw new Error('anvil did not start.');
}

/** The binary in the package of the platform. The wrapper that npm links would be a further process to stop. */
function binary(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const platform = `@foundry-rs/anvil-${process.platform}-${arch}`;
  const fromWrapper = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'));
  return fromWrapper.resolve(`${platform}/bin/anvil`);
}

async function call(url: string, method: string, params: unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(killer);
}
