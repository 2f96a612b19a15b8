/** A bundle in plain `workerd serve`: the production runtime without development tools around it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../tools/stack/ports.ts';
import type { Bundle } from '../support/bundle.ts';
import { Connection, type Request } from './connection.ts';
import { endWithThisProcess } from './processes.ts';

const WORKERD = join(import.meta.dirname, '..', '..', 'node_modules', 'workerd', 'bin', 'workerd');

type Program = Pick<Bundle, 'code' | 'modules'>;

const configOf = (port: number, modules: readonly string[], bindings: Readonly<Record<string, string>>) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")${modules
    .map((name) => `, (name = ${JSON.stringify(name)}, wasm = embed ${JSON.stringify(name)})`)
    .join('')}],
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
  readonly #idle: Connection[] = [];

  private constructor(url: string, startMs: number, process: ChildProcess, directory: string) {
    this.url = url;
    this.startMs = startMs;
    this.#process = process;
    this.#directory = directory;
  }

  static async start(
    { code, modules }: Program,
    bindings: Readonly<Record<string, string>>,
    path = '/',
    wanted?: number,
  ): Promise<Workerd> {
    const directory = mkdtempSync(join(tmpdir(), 'trading-keys-workerd-'));
    const port = wanted ?? (await freePort());
    writeFileSync(join(directory, 'worker.js'), code);
    for (const [name, bytes] of Object.entries(modules)) writeFileSync(join(directory, name), bytes);
    for (const [name, text] of Object.entries(bindings)) writeFileSync(join(directory, name), text);
    writeFileSync(join(directory, 'config.capnp'), configOf(port, Object.keys(modules), bindings));
    const began = performance.now();
    const process = spawn(WORKERD, ['serve', 'config.capnp'], {
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    endWithThisProcess(process);
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
    for (const connection of this.#idle) connection.close();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill();
    await ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Sends a request on a connection that no other request uses. Returns the status. */
  async request(request: Request): Promise<number> {
    const connection = this.#idle.pop() ?? (await Connection.open(this.url));
    const { status } = await connection.send(request);
    this.#idle.push(connection);
    return status;
  }
}
