/** Which database an operator command uses, and its behaviour when a connection is not secure. */
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { runOperator } from '../support/operator-commands.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';

const TLS = join(import.meta.dirname, '..', 'vectors', 'tls');
const CA = join(TLS, 'ca.pem');
const NAMES = `--import=${join(import.meta.dirname, '..', 'support', 'names-of-loopback.ts')}`;

/** Each command that connects, with arguments with which it changes nothing. */
const COMMANDS: [string, string[]][] = [
  ['keys-status', []],
  ['keys-rewrap', ['--dry-run']],
  ['issue-token', ['--scope', 'monitor']],
  ['backup', ['--out', '-']],
  ['keys-ended', ['--out', '-']],
  ['restore', ['--from', join(TLS, 'ca.pem')]],
  ['../import/import', ['--dry-run']],
];
const KEYS = {
  ENCRYPTION_KEY: Buffer.alloc(32, 'master').toString('base64'),
  LEGACY_DATABASE_URL: 'postgresql://postgres:old@127.0.0.1:1/old',
  LEGACY_ENCRYPTION_KEY: Buffer.alloc(32, 'fernet').toString('base64url').padEnd(44, '='),
};

let home: string;
/** A directory in which `npm run dev` seems to run. */
let withStack: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'trading-keys-connect-'));
  withStack = join(home, 'with-stack');
  mkdirSync(join(withStack, '.local'), { recursive: true });
  writeFileSync(
    join(withStack, '.local', 'stack.json'),
    JSON.stringify({ database_url: inject('databaseUrl') }),
  );
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe.each(COMMANDS)('%s', (command, args) => {
  const run = (more: string[], env: Record<string, string>, cwd = withStack) =>
    runOperator(command, [...args, ...more], { env: { ...KEYS, ...env }, cwd });

  it('without DATABASE_URL and --local uses no database, even if a stack runs', async () => {
    const { code, out, err } = await run([], {});
    expect(code).toBeGreaterThan(0);
    expect(err).toContain('Set DATABASE_URL');
    expect(err).toContain('--local');
    expect(out + err).not.toContain('127.0.0.1');
    expect(out).toBe('');
  });

  it('with both -> rejected', async () => {
    const { code, out, err } = await run(['--local'], { DATABASE_URL: inject('databaseUrl') });
    expect(code).toBeGreaterThan(0);
    expect([out, err]).toEqual(['', expect.stringMatching(/^DATABASE_URL is set and --local is given\./)]);
  });

  it('--local without a stack -> rejected', async () => {
    const { code, err } = await run(['--local'], {}, home);
    expect([code === 0, err]).toEqual([false, expect.stringMatching(/^No local stack is running: .*\n$/)]);
  });

  it('with sslmode=disable to another host -> rejected, before a connection is made', async () => {
    const { code, out, err } = await run([], {
      DATABASE_URL: 'postgresql://postgres:secret-word@192.0.2.1/x?sslmode=disable',
    });
    expect([code === 0, out]).toEqual([false, '']);
    expect(err).toContain('sslmode=disable');
    expect(err).not.toContain('secret-word');
  });

  it('--help prints the usage without a connection', async () => {
    const { code, out, err } = await run(['--help'], {}, home);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: npm run /);
    expect(out).toContain('--local');
    expect(out).toContain('verify-full');
  });
});

it('the host is printed, and the password is not', async () => {
  const { port, password } = new URL(inject('databaseUrl'));
  const local = await runOperator('keys-status', ['--local'], { cwd: withStack });
  expect(local).toMatchObject({
    code: 0,
    err: `Database: postgres@127.0.0.1:${port}/postgres (the local stack)\n`,
  });
  const byUrl = await runOperator('keys-status', [], { env: { DATABASE_URL: inject('databaseUrl') } });
  expect(byUrl).toMatchObject({ code: 0, err: `Database: postgres@127.0.0.1:${port}/postgres\n` });
  for (const { out, err } of [local, byUrl]) expect(out + err).not.toContain(password);
});

it('a tunnel without a target, which accepts and closes connections -> the command ends', async () => {
  const tunnel = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end(),
  );
  await new Promise<void>((listening) => tunnel.listen(0, '127.0.0.1', listening));
  const { port } = tunnel.address() as AddressInfo;
  const env = { DATABASE_URL: `postgresql://postgres:secret-word@127.0.0.1:${port}/x?connect_timeout=1` };
  const { code, err } = await runOperator('keys-status', [], { env });
  await new Promise((closed) => tunnel.close(closed));
  expect([code, err]).toEqual([1, expect.stringMatching(/did not respond within 1 s\.\n$/)]);
});

describe('a PostgreSQL with TLS under a host name that is not loopback', () => {
  let stack: OwnStack;
  let plain: Server;

  beforeAll(async () => {
    stack = await startOwnStack();
    const superuser = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
    const [row] = await superuser<[{ data_directory: string }]>`show data_directory`;
    const { uid, gid } = statSync(row.data_directory);
    for (const file of ['server.pem', 'server.key']) {
      const path = join(row.data_directory, file);
      copyFileSync(join(TLS, file), path);
      chmodSync(path, 0o600);
      chownSync(path, uid, gid);
    }
    await superuser.unsafe(`alter system set ssl_cert_file = 'server.pem'`);
    await superuser.unsafe(`alter system set ssl_key_file = 'server.key'`);
    await superuser.unsafe('alter system set ssl = on');
    await superuser`select pg_reload_conf()`;
    await vi.waitUntil(async () => (await superuser`show ssl`)[0]?.ssl === 'on');
    // From here on the server rejects connections without TLS.
    writeFileSync(join(row.data_directory, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
    await superuser`select pg_reload_conf()`;
    await superuser.end();
    await vi.waitUntil(async () => (await refusalWithoutTls()) === '28000');
    // Rejects every TLS request, as PostgreSQL without TLS does, and records what it receives afterwards.
    plain = createServer((socket) => {
      socket.once('data', () => {
        socket.write('N');
        socket.once('data', () => socket.destroy());
      });
    });
    await new Promise<void>((listening) => plain.listen(0, '127.0.0.1', listening));
  });
  afterAll(async () => {
    await stack.stop();
    await new Promise((closed) => plain.close(closed));
  });

  async function refusalWithoutTls(): Promise<string | undefined> {
    const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
    const refusal = await sql`select 1`.then(
      () => undefined,
      (error) => error.code,
    );
    await sql.end({ timeout: 1 });
    return refusal;
  }
  const status = (host: string, query: string, env: Record<string, string> = {}, port?: number) => {
    const url = new URL(stack.databaseUrl);
    url.hostname = host;
    url.search = query;
    if (port !== undefined) url.port = String(port);
    return runOperator('keys-status', [], { env: { DATABASE_URL: url.href, NODE_OPTIONS: NAMES, ...env } });
  };

  it('is used if its certificate is signed by the given CA and has the host name, without any sslmode', async () => {
    const { code, out, err } = await status('db.example.test', '', { PGSSLROOTCERT: CA });
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/^Database: postgres@db\.example\.test:\d+\/postgres\n$/),
    ]);
    expect(out).toContain('master key');
    expect((await status('db.example.test', `sslrootcert=${encodeURIComponent(CA)}`)).code).toBe(0);
  });

  it.each<[string, string, string, Record<string, string>, RegExp]>([
    ['by an unknown CA', 'db.example.test', '', {}, /not signed by a CA/],
    ['for another name', 'other.example.test', '', { PGSSLROOTCERT: CA }, /another host name/],
    [
      'for another name, by sslmode=verify-full',
      'other.example.test',
      'sslmode=verify-full',
      { PGSSLROOTCERT: CA },
      /another host name/,
    ],
  ])('with a certificate %s -> not used', async (_, host, query, env, why) => {
    const { code, out, err } = await status(host, query, env);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(why);
    expect(err).not.toContain(new URL(stack.databaseUrl).password);
  });

  it('is used unverified with sslmode=require, and a warning is printed', async () => {
    const { code, err } = await status('other.example.test', 'sslmode=require');
    expect([code, err]).toEqual([0, expect.stringMatching(/^Warning: sslmode=require .*does not verify/m)]);
  });

  it('an IP address is compared with the certificate too', async () => {
    const { code } = await status('127.0.0.1', 'sslmode=verify-full', { PGSSLROOTCERT: CA });
    expect(code).toBe(0);
    const localhost = await status('localhost', 'sslmode=verify-full', { PGSSLROOTCERT: CA });
    expect([localhost.code, /another host name/.test(localhost.err)]).toEqual([1, true]);
  });

  it('a server without TLS gets no password, whatever it responds', async () => {
    const received: Buffer[] = [];
    plain.on('connection', (socket) => socket.on('data', (chunk) => received.push(chunk)));
    for (const query of ['', 'sslmode=require', 'sslmode=verify-full']) {
      const { code, out } = await status('db.example.test', query, {}, (plain.address() as AddressInfo).port);
      expect([query, code, out]).toEqual([query, 1, '']);
    }
    const text = Buffer.concat(received).toString('latin1');
    expect(received.length).toBeGreaterThanOrEqual(6);
    expect(text).not.toContain('user\0postgres');
  });
});
