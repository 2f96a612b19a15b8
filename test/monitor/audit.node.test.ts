/** The cron's part of the audit chain, and the command that verifies it. They process every client, so the stack is their own. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { SignJWT } from 'jose';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import type { AuditorDatabase, SignedHead } from '../../src/database/as-auditor.ts';
import type { Bindings } from '../../src/env.ts';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { signCheckpoints } from '../../src/monitor/checkpoints.ts';
import { runScheduled } from '../../src/monitor/index.ts';
import { runtimeFor } from '../../src/runtime.ts';
import { verifyChain } from '../../src/sdk/audit.ts';
import { createClient } from '../../src/sdk/client.ts';
import { createAdmin } from '../../tools/stack/accounts.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { type Stack, startStack } from '../../tools/stack/stack.ts';
import { rehash } from '../support/audit.ts';
import { runOperator } from '../support/operator-commands.ts';
import { type Client, Rows } from '../support/rows.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';

const newSeed = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
const MONITOR_TOKEN = newMachineToken();
const AUDIT_SIGNING_KEY = newSeed();

let directory: string;
let stack: Stack;
let sql: postgres.Sql;
let superuser: postgres.Sql;
let server: ServerType;
let url: string;
let admin: string;
let settings: Bindings;

const sessionOf = (id: string) =>
  new SignJWT({ sub: id, role: 'authenticated', aud: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(stack.jwtSecret));

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'trading-keys-audit-'));
  chmodSync(directory, 0o755);
  stack = await startStack({ directory, supabasePort: 0, durable: false });
  sql = postgres(stack.databaseUrl, { max: 2, onnotice: () => {} });
  superuser = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
  await sql`insert into public.machine_tokens (name, token_hash, scope)
    values ('cron', decode(${hashOfMachineToken(MONITOR_TOKEN)}, 'hex'), 'monitor')`;
  settings = {
    SUPABASE_URL: stack.supabaseUrl,
    SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
    EDGE_TOKEN: stack.edgeToken,
    SUPABASE_JWT_SECRET: stack.jwtSecret,
    MONITOR_TOKEN,
    AUDIT_SIGNING_KEY,
  };
  admin = await sessionOf((await createAdmin(sql, 'admin@example.test')).id);
  // The events of the stack's set-up in the chain of the deployment are chained and signed before the first test.
  vi.spyOn(console, 'info').mockImplementation(() => {});
  await runScheduled(settings);
  const app = createApp();
  server = serve({ fetch: (request) => app.fetch(request, settings), port: 0, hostname: '127.0.0.1' });
  await new Promise((listening) => server.once('listening', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((closed) => server?.close(closed));
  await superuser?.end({ timeout: 1 });
  await sql?.end({ timeout: 1 });
  await stack?.stop();
  removePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
});

let lines: Record<string, unknown>[];
beforeEach(() => {
  lines = [];
  // The embedded server logs here too, in its own format.
  const note = (line: unknown) => {
    if (String(line).startsWith('{"level"')) lines.push(JSON.parse(String(line)));
  };
  vi.spyOn(console, 'info').mockImplementation(note);
  vi.spyOn(console, 'error').mockImplementation(note);
  return () => vi.restoreAllMocks();
});
const said = (event: string) =>
  lines.filter((line) => line.event === event).map(({ event: _, request_id, duration_ms, ...line }) => line);

/** A client with four rows in its chain, and two more in the queue. */
async function newClient(): Promise<Client> {
  const rows = new Rows(sql);
  const client = await rows.newClient();
  const { clientId } = client;
  await rows.newBots(client, 1);
  await rows.newKey(client);
  await sql`update public.trading_keys set ${sql({ ...sealedWallet(clientId) })} where client_id = ${clientId}`;
  await rows.newBots(client, 2);
  return client;
}
const count = async (table: string, { clientId }: { clientId: string }) => {
  const [row] = await sql.unsafe<[{ n: number }]>(
    `select count(*)::int as n from ${table} where client_id = $1`,
    [clientId],
  );
  return row.n;
};
const verify = ({ clientId }: { clientId: string }) =>
  verifyChain(createClient({ url, token: admin }), clientId);
/** Moves every signature to yesterday. */
const aDayLater = () =>
  superuser
    .unsafe(`begin; set local session_replication_role = replica;
      alter table public.audit_checkpoints disable trigger all;
      update public.audit_checkpoints set created_at = created_at - interval '1 day';
      alter table public.audit_checkpoints enable trigger all;
      alter table public.audit_checkpoints enable always trigger audit_checkpoints_are_never_changed; commit`)
    .simple();
/** Makes a forbidden change and commits it. */
const tamper = (text: string) =>
  superuser
    .unsafe(`begin; alter table public.key_events disable trigger all; alter table public.audit_checkpoints disable trigger all; ${text};
      alter table public.audit_checkpoints enable trigger all;
      alter table public.audit_checkpoints enable always trigger audit_checkpoints_are_never_changed;
      alter table public.key_events enable trigger all;
      alter table public.key_events enable always trigger key_events_are_never_changed; commit`)
    .simple();

describe('the cron', () => {
  it('chains the queued events of every client, and signs each head once a day', async () => {
    const clients = await Promise.all([newClient(), newClient()]);
    for (const client of clients) expect(await count('private.queued_key_events', client)).toBe(2);
    await runScheduled(settings);
    for (const client of clients) {
      expect(await count('private.queued_key_events', client)).toBe(0);
      expect(await count('public.key_events', client)).toBe(6);
    }
    expect(said('audit')).toEqual([{ level: 'info', events: 4, signed: 2, mismatches: 0 }]);
    for (const client of clients) {
      expect(await count('public.audit_checkpoints', client)).toBe(1);
      expect(await verify(client)).toMatchObject({ misfit: null, rows: 6, checkpoints: 1 });
    }
    const [row] = clients;
    if (!row) throw new TypeError();
    await sql`update public.trading_keys set ${sql({ ...sealedWallet(row.clientId) })} where client_id = ${row.clientId}`;
    await runScheduled(settings);
    expect(await count('public.audit_checkpoints', row)).toBe(1);
    await aDayLater();
    await runScheduled(settings);
    expect(await Promise.all(clients.map((client) => count('public.audit_checkpoints', client)))).toEqual([
      2, 1,
    ]);
    expect(await verify(row)).toMatchObject({ misfit: null, rows: 7, checkpoints: 2 });
    expect(said('audit').at(-1)).toEqual({ level: 'info', events: 0, signed: 1, mismatches: 0 });
    expect(said('audit_checkpoint_mismatch')).toEqual([]);
  });

  it('does not sign a chain that no longer agrees with its checkpoint, and logs it', async () => {
    const client = await newClient();
    await runScheduled(settings);
    expect(await count('public.audit_checkpoints', client)).toBe(1);
    await tamper(
      `update public.key_events set actor = 'admin' where client_id = '${client.clientId}' and seq = 2`,
    );
    await rehashFor(client);
    await sql`update public.trading_keys set ${sql({ ...sealedWallet(client.clientId) })} where client_id = ${client.clientId}`;
    await aDayLater();
    lines = [];
    await runScheduled(settings);
    expect(said('audit_checkpoint_mismatch')).toEqual([{ level: 'error', client_id: client.clientId }]);
    expect(said('audit')).toMatchObject([{ mismatches: 1 }]);
    expect(await count('public.audit_checkpoints', client)).toBe(1);
    expect((await verify(client)).misfit?.reason).toBe('checkpoint');
  });

  it('also logs a chain that was cut off before its checkpoint', async () => {
    const client = await newClient();
    await runScheduled(settings);
    await tamper(`delete from public.key_events where client_id = '${client.clientId}' and seq > 3`);
    lines = [];
    await runScheduled(settings);
    expect(said('audit_checkpoint_mismatch')).toContainEqual({ level: 'error', client_id: client.clientId });
    expect((await verify(client)).misfit).toMatchObject({ reason: 'truncated' });
  });

  it('signs the other chains, however many no longer agree', async () => {
    const misfits = await sql<{ id: string }[]>`
      insert into public.clients (name, email)
      select 'A misfit', gen_random_uuid() || '@example.test' from generate_series(1, 120) returning id`;
    await sql`insert into public.bots (client_id, bot_type, name)
      select clients.id, 'evm-grid', 'A bot' from public.clients where name = 'A misfit'`;
    await runScheduled(settings);
    // More than one call processes.
    const [{ signed }] = await sql<[{ signed: number }]>`
      select count(*)::int as signed from public.audit_checkpoints
      join public.clients on clients.id = client_id where clients.name = 'A misfit'`;
    expect(signed).toBe(120);
    const client = await newClient();
    await runScheduled(settings);
    await tamper(`update public.key_events set hash = sha256('another')
      where client_id in (select id from public.clients where name = 'A misfit')`);
    await sql`update public.trading_keys set ${sql({ ...sealedWallet(client.clientId) })} where client_id = ${client.clientId}`;
    await aDayLater();
    lines = [];
    for (let runs = 0; runs < 10 && (await count('public.audit_checkpoints', client)) < 2; runs++)
      await runScheduled(settings);
    expect(await count('public.audit_checkpoints', client)).toBe(2);
    expect(said('audit_checkpoint_mismatch').length).toBeGreaterThan(100);
    await tamper(`delete from public.audit_checkpoints where client_id = any ('{${misfits.map(({ id }) => id).join()}}');
      delete from public.key_events where client_id = any ('{${misfits.map(({ id }) => id).join()}}')`);
  });

  it('signs with a new key while the former key stays published', async () => {
    const client = await newClient();
    await runScheduled(settings);
    const response = await createApp().request('http://api.example.test/.well-known/jwks.json', {}, settings);
    const { keys } = (await response.json()) as { keys: { x: string }[] };
    await sql`update public.trading_keys set ${sql({ ...sealedWallet(client.clientId) })} where client_id = ${client.clientId}`;
    await aDayLater();
    const next = { ...settings, AUDIT_SIGNING_KEY: newSeed(), AUDIT_PUBLIC_KEYS: keys[0]?.x ?? '' };
    await runScheduled(next);
    expect(await count('public.audit_checkpoints', client)).toBe(2);
    const former = settings;
    settings = next;
    expect(await verify(client)).toMatchObject({ misfit: null, checkpoints: 2 });
    settings = former;
    // A deployment that no longer publishes the former key reports this, and does not sign the chain.
    expect((await verify(client)).misfit?.reason).toBe('checkpoint_signature');
  });

  it('without an audit key still chains, and logs one line with the missing setting', async () => {
    const client = await newClient();
    await runScheduled({ ...settings, AUDIT_SIGNING_KEY: '' });
    expect(await count('private.queued_key_events', client)).toBe(0);
    expect(said('audit_checkpoints')).toEqual([{ level: 'info', code: 'audit_key_missing' }]);
    lines = [];
    await runScheduled({ ...settings, AUDIT_SIGNING_KEY: 'x' });
    expect(said('audit')).toMatchObject([{ level: 'error', code: 'audit_key_malformed' }]);
  });

  it('chains the queued events of more clients than one call processes', async () => {
    await sql`with made as (
        insert into public.clients (name, email)
        select 'One of many', gen_random_uuid() || '@example.test' from generate_series(1, 120) returning id)
      insert into public.bots (client_id, bot_type, name) select id, 'evm-grid', 'A bot' from made`;
    await runScheduled({ ...settings, AUDIT_SIGNING_KEY: '' });
    expect(said('audit')).toMatchObject([{ events: 240 }]);
    expect([...(await sql`select number from private.queued_key_events`)]).toEqual([]);
  });

  it('without a token of its own does nothing, and logs a malformed one', async () => {
    const { MONITOR_TOKEN: _, ...without } = settings;
    await runScheduled(without);
    await runScheduled({ ...settings, MONITOR_TOKEN: 'tk_x' });
    expect(said('audit')).toEqual([]);
    await runScheduled({ ...settings, MONITOR_TOKEN: newMachineToken() });
    expect(said('audit')).toMatchObject([{ level: 'error', code: 'token_invalid' }]);
    expect(JSON.stringify(lines)).not.toContain(AUDIT_SIGNING_KEY);
  });
});

describe('the chain of the deployment', () => {
  const deployment = { clientId: '00000000-0000-0000-0000-000000000000' };
  const verifyDeployment = () => verifyChain(createClient({ url, token: admin }), 'deployment');

  it('is chained and signed once a day, like the chain of a client', async () => {
    const { rows, checkpoints } = await verifyDeployment();
    expect([rows > 0, checkpoints]).toEqual([true, 1]);
    await sql`update private.monitor_settings set key_age_limit = key_age_limit + interval '1 day' where only_row`;
    await aDayLater();
    lines = [];
    await runScheduled(settings);
    // Chains of earlier tests no longer agree with their checkpoints.
    expect(said('audit')).toMatchObject([{ events: 1 }]);
    expect(said('audit_checkpoint_mismatch')).not.toContainEqual({
      level: 'error',
      client_id: deployment.clientId,
    });
    expect(await verifyDeployment()).toMatchObject({ misfit: null, rows: rows + 1, checkpoints: 2 });
    const { items, queued, omitted } = await createClient({ url, token: admin }).events.list({ limit: 1 });
    expect(items).toMatchObject([
      { event: 'settings_changed', actor: 'operator', client_id: deployment.clientId },
    ]);
    expect([queued, omitted]).toEqual([[], 0]);
  });

  it('can be read by admins only', async () => {
    const { userId } = await newClient();
    const client = createClient({ url, token: await sessionOf(userId) });
    for (const call of [
      () => client.events.list(),
      () => client.events.checkpoints(),
      () => verifyChain(client, 'deployment'),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'admin_required' });
    }
    const asClient = createClient({ url, token: admin }).clients.keyEvents(deployment.clientId);
    await expect(asClient).rejects.toMatchObject({ code: 'resource_not_found' });
  });

  it('that was changed -> reports the first row that does not fit', async () => {
    const { rows } = await verifyDeployment();
    const [kept] = await sql<[{ actor: string }]>`
      select actor from public.key_events where client_id = ${deployment.clientId} and seq = 2`;
    const set = (actor: string) =>
      tamper(
        `update public.key_events set actor = '${actor}' where client_id = '${deployment.clientId}' and seq = 2`,
      );
    await set('admin');
    expect(await verifyDeployment()).toMatchObject({ rows: 1, misfit: { seq: 2, reason: 'wrong_hash' } });
    await set(kept.actor);
    expect(await verifyDeployment()).toMatchObject({ rows, misfit: null });
  });
});

it('a chain that changes between reading and signing -> not counted as signed', async () => {
  const client = await newClient();
  const runtime = runtimeFor(settings);
  const real = runtime.database().asAuditor({ token: MONITOR_TOKEN, requestId: 'x' });
  const auditor = {
    listUnsignedHeads: async () =>
      (await real.listUnsignedHeads(100_000)).filter(({ client_id }) => client_id === client.clientId),
    async storeCheckpoints(heads: readonly SignedHead[]) {
      await tamper(
        `update public.key_events set hash = sha256('another') where client_id = '${client.clientId}'`,
      );
      return real.storeCheckpoints(heads);
    },
  };
  expect(await signCheckpoints(runtime, auditor as unknown as AuditorDatabase, 'x')).toMatchObject({
    signed: 0,
  });
  expect(await count('public.audit_checkpoints', client)).toBe(0);
});

describe('npm run audit:verify', () => {
  const run = (args: string[], token = admin) =>
    new Promise<{ code: number | null; text: string }>((done) => {
      const child = spawn(process.execPath, [resolve('tools/operator/audit-verify.ts'), ...args], {
        cwd: directory,
        env: { ...process.env, TRADING_KEYS_TOKEN: token },
      });
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      child.stderr.on('data', (chunk) => (text += chunk));
      child.once('close', (code) => done({ code, text }));
    });
  const about = ({ clientId }: { clientId: string }, ...more: string[]) => [
    '--url',
    url,
    '--client',
    clientId,
    ...more,
  ];

  it('exits with 0 and prints the head; with that head, 0 again; after a row was changed, 1 and its sequence number', async () => {
    const client = await newClient();
    const first = await run(about(client), await sessionOf(client.userId));
    expect(first).toMatchObject({ code: 0, text: expect.stringContaining('rows verified         6') });
    const head = /^head +(\S+)$/m.exec(first.text)?.[1] ?? '';
    expect((await run(about(client, '--known', head))).code).toBe(0);
    const another = await run(
      about(
        client,
        '--known',
        head.replace(/.$/, (end) => (end === '0' ? '1' : '0')),
      ),
    );
    expect([another.code, /DOES NOT FIT +row 6 .*: known_head/.test(another.text)]).toEqual([1, true]);

    await runScheduled(settings);
    const { items } = await createClient({ url, token: admin }).clients.checkpoints(client.clientId);
    const keys = join(directory, 'keys.json');
    writeFileSync(keys, JSON.stringify(await createClient({ url }).audit.keys()));
    const kept = items[0]?.jws ?? '';
    const withAll = await run(about(client, '--checkpoint', kept, '--keys', keys));
    expect(withAll).toMatchObject({ code: 0, text: expect.stringContaining('checkpoints verified  2') });
    // Verified by the kept keys, whatever the API returns.
    writeFileSync(keys, JSON.stringify({ keys: [] }));
    const byNone = await run(about(client, '--keys', keys));
    expect([byNone.code, /DOES NOT FIT .*: checkpoint_signature/.test(byNone.text)]).toEqual([1, true]);

    await tamper(
      `update public.key_events set actor = 'admin' where client_id = '${client.clientId}' and seq = 4`,
    );
    const changed = await run(about(client));
    expect([changed.code, /DOES NOT FIT +row 4 .*: wrong_hash/.test(changed.text)]).toEqual([1, true]);
    expect(changed.text).toContain('rows verified         3');
  });

  it('--deployment verifies the chain of the deployment; with the session of a client -> 2', async () => {
    const { items } = await createClient({ url, token: admin }).events.list();
    const { code, text } = await run(['--url', url, '--deployment']);
    expect([code, text]).toEqual([0, expect.stringContaining(`rows verified         ${items[0]?.seq}\n`)]);
    const { userId } = await newClient();
    const byClient = await run(['--url', url, '--deployment'], await sessionOf(userId));
    expect([byClient.code, byClient.text.includes('Everything matches')]).toEqual([2, false]);
  });

  it.each<[string, () => string[] | Promise<string[]>]>([
    ['no client', () => ['--url', url]],
    ['a client and the deployment', async () => about(await newClient(), '--deployment')],
    ['a malformed head', async () => about(await newClient(), '--known', '5')],
    ['a client that does not exist', () => about({ clientId: crypto.randomUUID() })],
    ['an API that does not respond', () => ['--url', 'http://127.0.0.1:9', '--client', crypto.randomUUID()]],
  ])('with %s -> 2, and nothing is said to fit', async (_, args) => {
    const { code, text } = await run(await args());
    expect([code, text.includes('Everything matches')]).toEqual([2, false]);
  });

  it('of an API that returns forged rows -> 1, and no control character of its response reaches the terminal', async () => {
    const lie = '\u001b[2K\rEverything fits.\n';
    const answers = { items: [{ seq: 7, id: lie }], next_cursor: null, keys: [] };
    const liar = serve({ fetch: () => Response.json(answers), port: 0, hostname: '127.0.0.1' });
    await new Promise((listening) => liar.once('listening', listening));
    const at = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    const { code, text } = await run(['--url', at, '--client', crypto.randomUUID()]);
    await new Promise((closed) => liar.close(closed));
    expect([code, text.includes('\u001b'), text.includes('\r'), /^Everything matches/m.test(text)]).toEqual([
      1,
      false,
      false,
      false,
    ]);
  });

  describe('with a local stack, without TRADING_KEYS_TOKEN', () => {
    let home: string;
    const authorizations: (string | undefined)[] = [];
    let other: ServerType;
    const urlOf = (server: ServerType) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const runThere = (args: string[], env: Record<string, string> = {}) =>
      runOperator('audit-verify', args, { cwd: home, env });

    beforeAll(async () => {
      home = join(directory, 'with-stack');
      mkdirSync(join(home, '.local'), { recursive: true });
      const { email, password } = await createAdmin(sql, 'local-admin@example.test');
      const stackFile = {
        api_url: url,
        supabase_url: stack.supabaseUrl,
        publishable_key: stack.publishableKey,
        admin: { email, password },
      };
      writeFileSync(join(home, '.local', 'stack.json'), JSON.stringify(stackFile));
      other = serve({
        fetch(request) {
          authorizations.push(request.headers.get('authorization') ?? undefined);
          return Response.json({ items: [], next_cursor: null, keys: [] });
        },
        port: 0,
        hostname: '127.0.0.1',
      });
      await new Promise((listening) => other.once('listening', listening));
    });
    afterAll(() => new Promise((closed) => other.close(closed)));

    it('the session of its admin is sent to its own API, without --url and with it', async () => {
      const { clientId } = await newClient();
      expect(await runThere(['--client', clientId])).toMatchObject({ code: 0, err: '' });
      for (const same of [url, `${url}/`]) {
        expect(await runThere(['--url', same, '--client', clientId])).toMatchObject({ code: 0, err: '' });
      }
    });

    it('no other API gets the session', async () => {
      for (const elsewhere of [urlOf(other), `${url}/elsewhere`, url.replace('127.0.0.1', 'localhost')]) {
        const { code, out, err } = await runThere(['--url', elsewhere, '--client', crypto.randomUUID()]);
        expect([code, out, err]).toEqual([2, '', expect.stringContaining('TRADING_KEYS_TOKEN')]);
      }
      expect(authorizations).toEqual([]);
      const given = { TRADING_KEYS_TOKEN: 'another-session' };
      await runThere(['--url', urlOf(other), '--client', crypto.randomUUID()], given);
      expect(new Set(authorizations)).toEqual(new Set(['Bearer another-session']));
    });
  });

  it.each(['http://keys.example.test', 'ftp://keys.example.test', 'keys.example.test', ''])(
    '--url %j -> one line that names the error, and no request is sent',
    async (wrong) => {
      const args = ['--url', wrong, '--client', crypto.randomUUID()];
      const { code, out, err } = await runOperator('audit-verify', args, {
        env: { TRADING_KEYS_TOKEN: 'a-secret-session' },
      });
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(/^The url .*https:\/\//);
      expect(err).not.toMatch(/a-secret-session|\n {4}at /);
    },
  );

  it('--help lists every option', async () => {
    const { code, out, err } = await runOperator('audit-verify', ['--help']);
    expect([code, err]).toEqual([0, '']);
    for (const name of [
      '--url',
      '--client',
      '--deployment',
      '--known',
      '--checkpoint',
      '--keys',
      'TRADING_KEYS_TOKEN',
    ]) {
      expect(out).toContain(name);
    }
  });

  it('with a malformed session -> 2, without printing it', async () => {
    const { code, text } = await run(about(await newClient()), 'a-secret-session');
    expect([code, text.includes('a-secret-session')]).toEqual([2, false]);
  });
});

describe('npm run audit:keys', () => {
  const run = (args: string[], input = '') =>
    new Promise<{ code: number | null; out: string; err: string }>((done) => {
      const child = spawn(process.execPath, [resolve('tools/operator/audit-key.ts'), ...args]);
      let [out, err] = ['', ''];
      child.stdout.on('data', (chunk) => (out += chunk));
      child.stderr.on('data', (chunk) => (err += chunk));
      child.once('close', (code) => done({ code, out, err }));
      child.stdin.end(input);
    });

  it('prints a new key that the settings accept, and its public key', async () => {
    const [one, other] = await Promise.all([run([]), run([])]);
    const [, seed = ''] = /^AUDIT_SIGNING_KEY=(\S+)\n$/.exec(one.out) ?? [];
    expect([one.code, seed === '', one.out === other.out, one.err.includes(seed)]).toEqual([
      0,
      false,
      false,
      false,
    ]);
    const response = await createApp().request(
      'http://api.example.test/.well-known/jwks.json',
      {},
      { AUDIT_SIGNING_KEY: seed },
    );
    const { keys } = (await response.json()) as { keys: { x: string }[] };
    expect(one.err).toContain(keys[0]?.x);
    expect(await run(['--public'], seed)).toEqual({ code: 0, out: `${keys[0]?.x}\n`, err: '' });
  });

  it('with a malformed seed -> 1, without printing it', async () => {
    const { code, out, err } = await run(['--public'], 'not a seed');
    expect([code, out, err.includes('not a seed')]).toEqual([1, '', false]);
  });
});

async function rehashFor(client: { clientId: string; userId: string }): Promise<void> {
  await superuser.begin(async (transaction) => {
    await transaction`alter table public.key_events disable trigger all`;
    await rehash(transaction, client);
    await transaction`alter table public.key_events enable trigger all`;
    await transaction`alter table public.key_events enable always trigger key_events_are_never_changed`;
  });
}
