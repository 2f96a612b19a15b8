/** `npm run runner` against `npm run dev`: trades, follows a rotation, stops trading at a revocation, ends cleanly. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { generatePrivateKey } from 'viem/accounts';
import { expect, test } from 'vitest';
import { createClient } from '../../src/sdk/client.ts';
import type { StackFile } from '../../tools/stack/dev.ts';
import { freePort } from '../../tools/stack/ports.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';

const within = { timeout: 60_000 };

function start(program: string, ...options: string[]) {
  const child = spawn(process.execPath, [program, ...options], {
    env: { ...process.env, ROUND_MS: '200' },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, ended, output: () => output };
}

async function end(child: ChildProcess | undefined, ended: Promise<unknown> | undefined): Promise<void> {
  child?.kill('SIGTERM');
  await ended;
}

test('the reference runner trades with the SDK, from the first round to Ctrl-C', {
  timeout: 180_000,
}, async () => {
  expect(spawnSync('npm', ['run', 'build'], { encoding: 'utf8' })).toMatchObject({ status: 0 });
  const home = mkdtempSync(join(tmpdir(), 'trading-keys-runner-'));
  chmodSync(home, 0o755);
  const directory = join(home, '.local');
  const ports = ['--port', String(await freePort()), '--supabase-port', String(await freePort())];
  const dev = start('tools/stack/dev.ts', '--directory', directory, ...ports);
  let runner: ReturnType<typeof start> | undefined;
  let sql: postgres.Sql | undefined;
  try {
    await expect.poll(dev.output, within).toContain('Ready');
    const stack: StackFile = JSON.parse(readFileSync(join(directory, 'stack.json'), 'utf8'));
    sql = postgres(stack.database_url, { max: 1, onnotice: () => {} });
    const [, bob] = stack.clients;
    const bobs = createClient({ url: stack.api_url, token: await signIn(stack, bob) });

    runner = start('tools/stack/runner.ts', '--directory', directory);
    await expect.poll(runner.output, within).toContain('success in block 3');
    const [bot] = (await bobs.clients.bots(bob?.id ?? '')).items;
    expect(runner.output()).toContain(`from ${bot?.wallets[0]?.address}`);
    expect(await sql`select bot_id, status from public.bot_heartbeats`).toEqual([
      { bot_id: bot?.id, status: 'ok' },
    ]);

    const { address } = await bobs.clients.rotateKey(bob?.id ?? '', { private_key: generatePrivateKey() });
    await expect.poll(runner.output, within).toMatch(new RegExp(`success in block .* from ${address}`));

    await bobs.clients.revokeKey(bob?.id ?? '');
    const [{ n: signed } = { n: 0 }] =
      await sql`select count(*)::int as n from private.every_key_event where event = 'key_released'`;
    // The revocation ended the token too.
    await expect.poll(runner.output, within).toContain('no bots: token_invalid');
    const [{ n: afterwards } = { n: -1 }] =
      await sql`select count(*)::int as n from private.every_key_event where event = 'key_released'`;
    expect(afterwards).toBe(signed);

    const chainUrl = /http:\/\/127\.0\.0\.1:\d+/.exec(runner.output())?.[0] ?? '';
    runner.child.kill('SIGINT');
    expect(await runner.ended).toBe(0);
    expect(runner.output()).toMatch(/stopped\n$/);
    await expect(fetch(chainUrl)).rejects.toThrow();
    expect((await bobs.bots.tokens(bot?.id ?? '')).items).toEqual([]);
  } finally {
    await end(runner?.child, runner?.ended);
    await sql?.end();
    await end(dev.child, dev.ended);
    removePostgres(join(directory, 'postgres'));
    rmSync(home, { recursive: true, force: true });
  }
});

async function signIn(stack: StackFile, account: StackFile['clients'][number] | undefined): Promise<string> {
  const response = await fetch(`${stack.supabase_url}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: stack.publishable_key, 'content-type': 'application/json' },
    body: JSON.stringify({ email: account?.email, password: account?.password }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}
