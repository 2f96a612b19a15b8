/** One Python process that signs as a test tells it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { pythonEnvironment } from './python.ts';

export interface PythonCall {
  readonly method: string;
  readonly address: string;
  readonly arguments?: readonly unknown[];
  readonly named?: Record<string, unknown>;
  readonly [option: string]: unknown;
}

export interface PythonAnswer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that the result should have
  readonly result?: any;
  readonly error?: string;
  readonly code?: string | null;
  readonly message?: string;
}

export interface PythonSigner {
  call(call: PythonCall): Promise<PythonAnswer>;
  stop(): Promise<void>;
}

export function startPythonSigner(settings: Record<string, string>): PythonSigner {
  const child = spawn('python3', ['test/chains/python-signer.py'], {
    env: pythonEnvironment({ ...settings, NODE: process.execPath }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async call(call) {
      child.stdin.write(`${json(call)}\n`);
      const { value } = await lines.next();
      return JSON.parse(value ?? '{"error": "the process has ended"}');
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** With numbers of any size, which Python reads, and bytes as `{"bytes": hex}`. */
const json = (value: unknown): string => JSON.stringify(plain(value)).replaceAll(/"number:(-?\d+)"/g, '$1');

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return `number:${value}`;
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}
