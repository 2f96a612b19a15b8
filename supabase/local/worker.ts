/** The Worker in its real runtime, by `wrangler dev`. */
import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { freePort } from './ports.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const WRANGLER = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'wrangler-dist',
  'cli.js',
);
const LEAVE_WITH_PARENT = pathToFileURL(join(import.meta.dirname, 'leave-with-parent.ts')).href;
const START_LIMIT_MS = 60_000;

export interface WorkerOptions {
  readonly port: number;
  /** Where its settings, log and state are written. */
  readonly directory: string;
  readonly settings: Readonly<Record<string, string>>;
}

export interface RunningWorker {
  readonly url: string;
  /** Resolves when it has ended, wanted or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts the Worker and waits until it answers. */
export async function startWorker({ port, directory, settings }: WorkerOptions): Promise<RunningWorker> {
  const envFile = join(directory, 'worker.env');
  writeFileSync(
    envFile,
    Object.entries(settings)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(''),
    {
      mode: 0o600,
    },
  );
  const log = join(directory, 'worker.log');
  const child = fork(
    WRANGLER,
    [
      'dev',
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', String(await freePort())],
      ...['--env-file', envFile, '--persist-to', join(directory, 'wrangler')],
      ...['--show-interactive-dev-session=false', '--log-level', 'log'],
    ],
    {
      cwd: ROOT,
      // A process group of its own: Ctrl-C reaches the program that started it, which then stops it.
      detached: true,
      silent: true,
      execArgv: [`--import=${LEAVE_WITH_PARENT}`],
      env: {
        ...process.env,
        CLOUDFLARE_CF_FETCH_ENABLED: 'false',
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_LOG_PATH: join(directory, 'wrangler-logs'),
        CI: 'true',
      },
    },
  );
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
  throw new Error(`The Worker does not start; see ${log}`);
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(killer);
}
