/** The Worker in its real runtime, workerd, as `wrangler dev` runs it. */
import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerProcessOptions } from './worker-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const START_LIMIT_MS = 60_000;

export interface WorkerOptions {
  readonly port: number;
  /** The directory for its settings, log and state. */
  readonly directory: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly cronEveryMs: number;
}

export interface RunningWorker {
  readonly url: string;
  /** Resolves when the Worker has ended, intentionally or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts the Worker and waits until it responds. */
export async function startWorker({
  port,
  directory,
  settings,
  cronEveryMs,
}: WorkerOptions): Promise<RunningWorker> {
  const log = join(directory, 'worker.log');
  const child = fork(join(import.meta.dirname, 'worker-process.ts'), {
    cwd: ROOT,
    // Its own process group, so that Ctrl-C reaches only the program that started it. That program then stops it.
    detached: true,
    silent: true,
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_LOG_PATH: join(directory, 'wrangler-logs'),
      CI: 'true',
    },
  });
  const options: WorkerProcessOptions = {
    config: join(ROOT, 'wrangler.toml'),
    port,
    persist: join(directory, 'wrangler'),
    settings,
    cronEveryMs,
  };
  child.send(options);
  const output = createWriteStream(log);
  child.stdout?.pipe(output);
  child.stderr?.pipe(output);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = () => stopChild(child, ended);
  const url = `http://127.0.0.1:${port}`;
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  for (const start = Date.now(); Date.now() - start < START_LIMIT_MS && !gone; await sleep(100)) {
    const response = await fetch(`${url}/health`).catch(() => undefined);
    if (response?.ok) return { url, ended, stop };
  }
  await stop();
  throw new Error(`The Worker did not start. See ${log}`);
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(killer);
}
