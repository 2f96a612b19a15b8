/** `npm run dev` as a user runs it: started, started twice, interrupted, killed, and with a half-made directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StackFile } from '../../tools/stack/dev.ts';
import { isFree } from '../../tools/stack/ports.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { signIn } from '../../tools/stack/session.ts';
import { runOperator } from '../support/operator-commands.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { listeningPorts } from './listening.ts';

const DEV = 'tools/stack/dev.ts';
let directory: string;
let running: Dev | undefined;

interface Dev {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

function dev(...args: string[]): Dev {
  const child = spawn(process.execPath, [DEV, '--directory', directory, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { child, output: () => output, exit };
}

async function ready(...args: string[]): Promise<StackFile> {
  const started = dev(...args);
  running = started;
  const path = join(directory, 'stack.json');
  await expect
    .poll(() => started.output().includes('Ready') || started.child.exitCode, { timeout: 60_000 })
    .toBeTruthy();
  expect(started.output()).toContain('Ready');
  return JSON.parse(readFileSync(path, 'utf8'));
}

async function end(signal: NodeJS.Signals): Promise<void> {
  running?.child.kill(signal);
  await running?.exit;
  running = undefined;
}

const portOf = (url: string) => Number(new URL(url).port);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'trading-keys-dev-'));
  chmodSync(directory, 0o755);
});
afterEach(() => end('SIGTERM'));
afterAll(() => {
  removePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
});

describe('npm run dev', { timeout: 120_000 }, () => {
  let firstRun: StackFile;

  test('serves the API with demo accounts, and describes itself in stack.json for other programs', async () => {
    firstRun = await ready();
    expect(Object.keys(firstRun).sort()).toEqual(
      'admin api_url clients database_url jwt_secret machine_token publishable_key supabase_url'.split(' '),
    );
    expect(firstRun.clients.map(({ name }) => name)).toEqual(['Alice', 'Bob']);
    expect(firstRun.machine_token).toBeNull();
    const response = await fetch(`${firstRun.api_url}/ready`);
    const { status, dependencies } = (await response.json()) as { status: string; dependencies: object };
    expect([response.status, status]).toEqual([200, 'ready']);
    // Also the monitor, which gets a token of its own.
    expect(new Set(Object.values(dependencies).map((each) => each.status))).toEqual(new Set(['ok']));
    expect(response.headers.get('server-timing')).toMatch(/^total;dur=/);
    expect((await fetch(`${firstRun.api_url}/openapi.json`)).status).toBe(200);
    expect(await (await fetch(`${firstRun.api_url}/docs`)).text()).toMatch(/^<!doctype html>/);
  });

  test.runIf(existsSync('/proc/net/tcp'))(
    'opens no inspector, which would let a web page read the memory',
    async () => {
      await ready();
      const ports = listeningPorts(running?.child.pid ?? 0);
      expect(ports.length).toBeGreaterThanOrEqual(2);
      for (const port of ports) {
        const answer = await fetch(`http://127.0.0.1:${port}/json`, { signal: AbortSignal.timeout(2_000) })
          .then((response) => response.text())
          .catch(() => '');
        expect([port, answer.includes('webSocketDebuggerUrl')]).toEqual([port, false]);
      }
    },
  );

  test('runs the cron, which nothing else runs in development', async () => {
    await ready('--cron-every', '1');
    const log = () => readFileSync(join(directory, 'worker.log'), 'utf8');
    await expect
      .poll(log, { timeout: 20_000 })
      .toMatch(/^\{"level":"info","event":"monitor",.*"complete":1,/m);
  });

  test('with --empty has no accounts, so that the backup of another stack can be restored into it', async () => {
    // The directory in which the operator's commands look for the stack.
    const home = mkdtempSync(join(tmpdir(), 'trading-keys-home-'));
    symlinkSync(directory, join(home, '.local'));
    const { clients } = await ready();
    expect(await runOperator('backup', ['--local', '--out', 'backup.sql'], { cwd: home })).toMatchObject({
      code: 0,
    });
    expect(await runOperator('keys-ended', ['--local', '--out', 'ended'], { cwd: home })).toMatchObject({
      code: 0,
    });
    const from = ['--from', 'backup.sql', '--ended', 'ended', '--local'];
    expect((await runOperator('restore', from, { cwd: home })).err).toMatch(/is in use: \S+ has rows/);
    await end('SIGTERM');

    const [data, kept] = [join(directory, 'postgres'), join(directory, 'kept')];
    renameSync(data, kept);
    try {
      const empty = await ready('--empty');
      expect(empty).toMatchObject({ admin: null, clients: [] });
      const restored = await runOperator('restore', from, { cwd: home });
      expect([restored.code, restored.out]).toEqual([
        0,
        expect.stringContaining('Admins: admin@example.test.'),
      ]);
      const [alice] = clients;
      const project = { supabaseUrl: empty.supabase_url, publishableKey: empty.publishable_key };
      const { token } = await signIn(project, alice ?? { email: '', password: '' });
      const me = await fetch(`${empty.api_url}/clients/me`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(await me.json()).toMatchObject({ id: alice?.id });
    } finally {
      await end('SIGTERM');
      removePostgres(data);
      renameSync(kept, data);
      rmSync(home, { recursive: true });
    }
  });

  test('rejects a second run in the same directory and names the first', async () => {
    const stack = await ready();
    const second = dev();
    expect(await second.exit).toBe(1);
    expect(second.output()).toContain(stack.api_url);
    expect((await fetch(`${stack.api_url}/health`)).status).toBe(200);
  });

  test('keeps accounts, secrets and data between runs, and leaves no process after Ctrl-C', async () => {
    const stack = await ready();
    expect(stack.clients).toEqual(firstRun.clients);
    expect(stack.jwt_secret).toBe(firstRun.jwt_secret);
    await end('SIGINT');
    for (const url of [stack.api_url, stack.supabase_url, stack.database_url]) {
      await expect.poll(() => isFree(portOf(url)), { timeout: 10_000 }).toBe(true);
    }
    expect(existsSync(join(directory, 'stack.json'))).toBe(false);
    expect(existsSync(join(directory, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
  });

  test('starts after an earlier run was killed, whose Worker has ended with it', async () => {
    const stack = await ready();
    await end('SIGKILL');
    await expect.poll(() => isFree(portOf(stack.api_url)), { timeout: 10_000 }).toBe(true);
    expect(await isFree(portOf(stack.database_url))).toBe(false);
    expect((await ready()).clients).toEqual(firstRun.clients);
    expect(running?.output()).toContain('An earlier run was interrupted');
    expect(await isFree(portOf(stack.database_url))).toBe(true);
  });

  test('creates a half-made data directory again', async () => {
    renameSync(join(directory, 'postgres', 'data'), join(directory, 'postgres', 'data.partial'));
    const stack = await ready();
    expect(running?.output()).toContain('incomplete database');
    expect(stack.clients.map(({ name }) => name)).toEqual(['Alice', 'Bob']);
    expect(stack.clients[0]?.id).not.toBe(firstRun.clients[0]?.id);
  });

  test('reports a data directory that is not one of PostgreSQL, and --fresh creates a new one', async () => {
    rmSync(join(directory, 'postgres', 'data'), { recursive: true });
    mkdirSync(join(directory, 'postgres', 'data'));
    writeFileSync(join(directory, 'postgres', 'data', 'a-file'), '');
    const refused = dev();
    expect(await refused.exit).toBe(1);
    expect(refused.output()).toContain('--fresh');
    const stack = await ready('--fresh');
    expect(stack.jwt_secret).not.toBe(firstRun.jwt_secret);
  });

  test('rejects a requested port that is in use', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) =>
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
    );
    const refused = dev('--port', String(port));
    expect(await refused.exit).toBe(1);
    expect(refused.output()).toContain(`Port ${port} is in use`);
    taken.close();
  });
});

describe('npm run demo', { timeout: 120_000 }, () => {
  const demo = async (...args: string[]) => {
    const child = spawn(process.execPath, ['tools/stack/demo.ts', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    return { code: await new Promise((resolve) => child.once('exit', resolve)), output: () => output };
  };

  test('without a running stack shows both flows against a stack of its own', async () => {
    const { code, output } = await demo('--directory', mkdtempSync(join(tmpdir(), 'trading-keys-none-')));
    expect(code).toBe(0);
    expect(output()).toContain('Every response was as expected');
    expect(output()).toContain('"wallets_cleared": 1');
  });

  test('in a running stack leaves every client, bot, key and account of before as it was', async () => {
    const stack = await ready('--fresh');
    const [alice] = stack.clients;
    if (!alice) throw new TypeError('no client');
    const project = { supabaseUrl: stack.supabase_url, publishableKey: stack.publishable_key };
    const { token } = await signIn(project, alice);
    const setUp = await fetch(`${stack.api_url}/clients/${alice.id}/setup-bot`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ bot_type: 'evm-grid', private_key: newEvmKey().privateKey }),
    });
    expect(setUp.status).toBe(201);
    const sql = postgres(stack.database_url, { max: 1, onnotice: () => {} });
    const ids = stack.clients.map(({ id }) => id);
    const rows = () =>
      Promise.all([
        sql`select id, name, email, user_id, key_version from public.clients where id = any (${ids}) order by id`,
        sql`select * from public.trading_keys where client_id = any (${ids}) order by key_id`,
        sql`select id, status, stop_reason, started_at from public.bots where client_id = any (${ids}) order by id`,
        sql`select * from public.bot_wallets where client_id = any (${ids}) order by id`,
        sql`select event, actor from private.every_key_event where client_id = any (${ids}) order by id`,
        sql`select id, last_sign_in_at from auth.users
            where id in (select user_id from public.clients where id = any (${ids})) order by id`,
      ]);
    const before = await rows();
    const { code, output } = await demo('--directory', directory);
    expect(code).toBe(0);
    expect(output()).toContain('changes no other client');
    expect(await rows()).toEqual(before);
    expect(before.map((table) => table.length)).toEqual([2, 1, 1, 1, expect.any(Number), 2]);
    await sql.end();
  });
});
