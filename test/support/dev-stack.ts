/** `npm run dev` in a directory that looks like the repository, for tests that run what a document tells users to run. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../tools/stack/ports.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';

/** What the commands of a document read. Whatever they write stays in the directory itself. */
const LINKED = ['package.json', 'tsconfig.json', 'LICENSE', 'node_modules', 'src'];

const START_LIMIT_MS = 60_000;

export interface DevStack {
  /** The directory: `.local/stack.json` describes the stack. */
  readonly home: string;
  stop(): Promise<void>;
}

export async function startDevStack(): Promise<DevStack> {
  const home = mkdtempSync(join(tmpdir(), 'trading-keys-reader-'));
  chmodSync(home, 0o755);
  for (const name of LINKED) symlinkSync(resolve(name), join(home, name));
  const directory = join(home, '.local');
  const ports = ['--port', String(await freePort()), '--supabase-port', String(await freePort())];
  const dev = spawn(process.execPath, ['tools/stack/dev.ts', '--directory', directory, ...ports], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => dev.once('exit', resolve));
  const stop = async () => {
    dev.kill('SIGTERM');
    await ended;
    removePostgres(join(directory, 'postgres'));
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const started = Date.now();
    while (!existsSync(join(directory, 'stack.json'))) {
      if (dev.exitCode !== null || Date.now() - started > START_LIMIT_MS)
        throw new Error('The stack does not start.');
      await sleep(50);
    }
    return { home, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
