/** A bundle in plain `workerd serve`: the production runtime without development tools around it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../tools/stack/ports.ts';

const WORKERD = join(import.meta.dirname, '..', '..', 'node_modules', 'workerd', 'bin', 'workerd');

const configOf = (port: number, bindings: Readonly<Record<string, string>>) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  bindings = [${Object.keys(bindings)
    .map((name) => `(name = ${JSON.stringify(name)}, text = embed "${name}")`)
    .join(', ')}],
  compatibilityDate = "2026-11-01"
);
`;

export class Workerd {
  readonly url: string;
  /** Milliseconds from the start of the process to its first response. */
  readonly startMs: number;
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  private constructor(url: string, startMs: number, process: ChildProcess, directory: string) {
    this.url = url;
    this.startMs = startMs;
    this.#process = process;
    this.#directory = directory;
  }

  static async start(
    code: string,
    bindings: Readonly<Record<string, string>>,
    path = '/',
    wanted?: number,
  ): Promise<Workerd> {
    const directory = mkdtempSync(join(tmpdir(), 'trading-keys-workerd-'));
    const port = wanted ?? (await freePort());
    writeFileSync(join(directory, 'worker.js'), code);
    for (const [name, text] of Object.entries(bindings)) writeFileSync(join(directory, name), text);
    writeFileSync(join(directory, 'config.capnp'), configOf(port, bindings));
    const began = performance.now();
    const process = spawn(WORKERD, ['serve', 'config.capnp'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    process.stderr?.on('data', (data) => {
      complaint += data;
    });
    const url = `http://127.0.0.1:${port}`;
    while (process.exitCode === null && performance.now() - began < 30_000) {
      const answer = await fetch(`${url}${path}`, { headers: { connection: 'close' } }).catch(
        () => undefined,
      );
      if (answer) {
        await answer.arrayBuffer();
        return new Workerd(url, performance.now() - began, process, directory);
      }
      await sleep(1);
    }
    process.kill();
    rmSync(directory, { recursive: true, force: true });
    throw new Error(`workerd does not start:\n${complaint}`);
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill();
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Nanoseconds of processor time that its threads have used; 0 where the system does not report it. */
  cpuNanoseconds(): number {
    const tasks = `/proc/${this.#process.pid}/task`;
    if (!existsSync(tasks)) return 0;
    return readdirSync(tasks).reduce((sum, task) => {
      try {
        return sum + Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ', 1)[0]);
      } catch {
        return sum; // The thread has ended.
      }
    }, 0);
  }

  /** Sends one request on a connection that stays open. Returns the status. */
  request({ method = 'GET', path, headers = {}, body }: Request): Promise<number> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const sent = request(
        `${this.url}${path}`,
        { method, headers: { ...headers, ...length }, agent: this.#agent },
        (answer) => {
          answer.resume();
          answer.once('end', () => resolve(answer.statusCode ?? 0));
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
  }
}

export interface Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Burst {
  readonly perSecond: number;
  /** Processor time of the runtime alone, in microseconds a request. */
  readonly cpu: number;
}

/** Sends this many requests, `connections` at a time. Every response must have the expected status. */
export async function burst(
  worker: Workerd,
  request: Request,
  { requests, connections, status = 200 }: { requests: number; connections: number; status?: number },
): Promise<Burst> {
  const cpu = worker.cpuNanoseconds();
  const began = performance.now();
  let left = requests;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const got = await worker.request(request);
        if (got !== status) throw new Error(`${request.method ?? 'GET'} ${request.path} returned ${got}`);
      }
    }),
  );
  return {
    perSecond: requests / ((performance.now() - began) / 1000),
    cpu: (worker.cpuNanoseconds() - cpu) / requests / 1000,
  };
}
