/** An embedded stack beside the shared one, for tests that would disturb other tests. */
import { type ChildProcess, fork } from 'node:child_process';
import { chmodSync, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres, restartPostgres } from '../../tools/stack/postgres.ts';

export interface OwnStack {
  readonly supabaseUrl: string;
  readonly databaseUrl: string;
  readonly superuserUrl: string;
  readonly jwtSecret: string;
  readonly publishableKey: string;
  readonly edgeToken: string;
  /** The process of the REST and Auth API. */
  readonly apiPid: number;
  /** Ends every session, as a crash does, and recovers. */
  restartPostgres(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnStack({ durable = false } = {}): Promise<OwnStack> {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-own-'));
  chmodSync(directory, 0o755);
  const child = fork(
    join(import.meta.dirname, 'stack-process.ts'),
    [directory, ...(durable ? ['durable'] : [])],
    {
      silent: true,
    },
  );
  const log = createWriteStream(join(directory, 'supabase.log'));
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  const stack = await firstMessage<Omit<OwnStack, 'stop' | 'restartPostgres' | 'apiPid'>>(child);
  return {
    ...stack,
    apiPid: child.pid ?? 0,
    restartPostgres: () => restartPostgres(join(directory, 'postgres')),
    async stop() {
      await end(child);
      removePostgres(join(directory, 'postgres'));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Lets a process stop its stack, and waits for the end of the process. */
export async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  if (child.exitCode === null && child.signalCode === null) await ended;
}

export function firstMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('exit', () => reject(new Error('the process ended before it was ready')));
  });
}
