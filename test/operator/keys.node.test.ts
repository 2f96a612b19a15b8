/** The operator's commands for master keys, each as a process, as npm runs it. */
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { describeKeys } from '../../src/services/key-status.ts';
import { printStatus } from '../../tools/operator/key-status.ts';
import { newProject } from '../support/people.ts';
import { recordText } from '../support/recorder.ts';
import { newPlatform, type Platform, wrongsOf } from '../support/rewrap-traffic.ts';

const COMMANDS = join(import.meta.dirname, '..', '..', 'tools', 'operator');
const newMasterKey = () => randomBytes(32).toString('base64');
const idOf = async (setting: string) => (await parseKeyring(setting)).primary.id;

interface Run {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** A file descriptor for standard output, instead of a pipe. */
  readonly stdout?: number;
  /** Called with each piece of output; may end the process. */
  readonly onOutput?: (out: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a command with only the given environment. */
function run(command: string, { args = [], env = {}, input = '', stdout, onOutput }: Run = {}) {
  const child = spawn(process.execPath, [join(COMMANDS, `keys-${command}.ts`), ...args], {
    env,
    cwd: tmpdir(),
    stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += chunk;
    onOutput?.(out, (signal) => child.kill(signal));
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin?.end(input);
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => {
      if (command !== 'generate') recordText(out + err);
      resolve({ code, out, err });
    });
  });
}

describe('npm run keys:generate', () => {
  it('prints a new master key alone on standard output, and its id on standard error', async () => {
    const [one, other] = await Promise.all([run('generate'), run('generate')]);
    expect([one.code, one.out]).toEqual([0, expect.stringMatching(/^[\w+/]{43}=\n$/)]);
    expect(one.err).toBe(`id ${await idOf(one.out)}\n`);
    expect(other.out).not.toBe(one.out);
  });

  it('writes no key into a file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'trading-keys-file-'));
    const path = join(directory, 'key');
    const stdout = openSync(path, 'w');
    expect((await run('generate', { stdout })).code).toBe(1);
    closeSync(stdout);
    expect(readFileSync(path, 'utf8')).toBe('');
    rmSync(directory, { recursive: true });
  });
});

describe('npm run keys:check', () => {
  const [A, B] = [newMasterKey(), newMasterKey()];

  it('prints the number, the ids and the roles of the keys, from the environment or standard input', async () => {
    const said = `2 keys: the first seals, all open.\n${await idOf(B)}  primary\n${await idOf(A)}  open\n`;
    expect(await run('check', { env: { ENCRYPTION_KEY: `${B}, ${A}` } })).toEqual({
      code: 0,
      out: said,
      err: '',
    });
    expect(await run('check', { input: `${B},${A}\n` })).toEqual({ code: 0, out: said, err: '' });
    expect((await run('check', { input: A })).out).toContain('1 key:');
  });

  it.each([
    ['nothing', '', /^ENCRYPTION_KEY is not set\n$/],
    ['a key of 16 bytes', btoa('0123456789abcdef'), /^entry 1 is malformed: .+\n$/],
    ['a second key of zeros', `${A},${btoa('\0'.repeat(32))}`, /^entry 2 is weak: .+\n$/],
    ['two malformed keys', `x,${A},y`, /^entry 1 is malformed: .+\nentry 3 is malformed: .+\n$/],
    ['a superfluous comma', `${A},`, /^entry 2 is malformed: .+\n$/],
    ['a key twice', `${A},${B},${A}`, /^ENCRYPTION_KEY holds the same key twice\n$/],
  ])('%s -> exit code 1 and the reason, without a character of a key', async (_, setting, why) => {
    const { code, out, err } = await run('check', { env: { ENCRYPTION_KEY: setting } });
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(why)]);
    for (const key of [A, B]) expect(err).not.toContain(key.slice(0, 8));
  });
});

describe('the report on the master keys', () => {
  const counts = (master_key_id: string, trading_keys: number, copies: number, own_keys: number) => ({
    master_key_id,
    trading_keys,
    copies,
    own_keys,
  });
  /** The lines below the table. */
  async function said(...of: ReturnType<typeof counts>[]): Promise<string[]> {
    const { byId } = await parseKeyring(KEYS);
    const written: unknown[] = [];
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(text) > 0);
    printStatus(describeKeys(of, { byId }));
    spy.mockRestore();
    const text = written.join('');
    return text
      .slice(text.indexOf('\n\n') + 2)
      .split('\n')
      .slice(0, -1);
  }
  const KEYS = [newMasterKey(), newMasterKey(), newMasterKey()].join();
  const ids = Promise.all(KEYS.split(',').map(idOf));
  const mayBeDropped = (id: string | undefined) => `Nothing is left under ${id}: it may be dropped.`;

  it('before any key is sealed: each master key but the first may be dropped', async () => {
    const [, second, third] = await ids;
    expect(await said()).toEqual([mayBeDropped(second), mayBeDropped(third)]);
  });

  it.each<[string, [number, number, number]]>([
    ['a trading key', [1, 0, 0]],
    ['a copy', [0, 1, 0]],
    ['an own key of a wallet', [0, 0, 1]],
  ])('while %s is left under a master key: it may not be dropped', async (_, left) => {
    const [, second = '', third] = await ids;
    expect(await said(counts(second, ...left))).toEqual([
      mayBeDropped(third),
      '1 envelope is not yet under the first master key: npm run keys:rewrap.',
    ]);
  });

  it('if a master key is missing: the number of envelopes that no key opens', async () => {
    const [first = '', second = '', third = ''] = await ids;
    expect(
      await said(
        counts(first, 1, 1, 1),
        counts(second, 0, 0, 1),
        counts(third, 0, 1, 1),
        counts('x', 2, 3, 4),
      ),
    ).toEqual([
      '3 envelopes are not yet under the first master key: npm run keys:rewrap.',
      '9 envelopes are under master keys that are not in ENCRYPTION_KEY: nothing opens them.',
    ]);
  });
});

describe('with a database', () => {
  const [OLD, NEW] = [newMasterKey(), newMasterKey()];
  let platform: Platform;
  let sql: Sql;
  let env: Record<string, string>;
  let databaseUrl: string;

  beforeAll(async () => {
    ({ databaseUrl } = await newProject());
    sql = postgres(databaseUrl, { max: 2, onnotice: () => {}, prepare: false });
    platform = await newPlatform(databaseUrl, 12, await parseKeyring(OLD));
    env = { DATABASE_URL: databaseUrl, ENCRYPTION_KEY: `${NEW},${OLD}` };
  });
  afterAll(() => Promise.all([sql.end({ timeout: 1 }), platform.sql.end({ timeout: 1 })]));

  const envelopes = async () => {
    const rows = await sql<{ encrypted_key: string }[]>`
      select encrypted_key from public.trading_keys union all select encrypted_key from public.bot_wallets order by 1`;
    return rows.map(({ encrypted_key }) => encrypted_key);
  };

  it('keys:status and keys:check count envelopes, and exit with an error if a master key is missing', async () => {
    const json = await run('status', { env, args: ['--json'] });
    expect([json.code, JSON.parse(json.out)]).toEqual([
      0,
      {
        master_keys: [
          { id: await idOf(NEW), role: 'primary', trading_keys: 0, copies: 0, own_keys: 0, envelopes: 0 },
          { id: await idOf(OLD), role: 'open', trading_keys: 12, copies: 24, own_keys: 3, envelopes: 39 },
        ],
        to_rewrap: 39,
        unopenable: 0,
      },
    ]);
    const old = await idOf(OLD);
    const row = (role: string) => new RegExp(`^${old} +${role} +12 +24 +3 +39$`, 'm');
    for (const command of ['status', 'check']) {
      const well = await run(command, { env });
      expect([command, well.code, well.out]).toEqual([command, 0, expect.stringMatching(row('open'))]);
      const dropped = await run(command, { env: { ...env, ENCRYPTION_KEY: NEW } });
      expect([command, dropped.code, dropped.out]).toEqual([
        command,
        2,
        expect.stringMatching(row('missing')),
      ]);
      // Ten of the twelve.
      const named = platform.clients
        .map(({ id }) => id)
        .toSorted()
        .slice(0, 10);
      expect(dropped.out).toContain(`Under ${old}: client ${named.join(', ')} and others\n`);
    }
  });

  it('keys:status without ENCRYPTION_KEY: the role of every master key is unknown, and no envelope is reported as lost', async () => {
    const old = await idOf(OLD);
    for (const setting of [{}, { ENCRYPTION_KEY: '' }, { ENCRYPTION_KEY: ' ' }]) {
      const { code, out } = await run('status', { env: { DATABASE_URL: databaseUrl, ...setting } });
      expect([code, out]).toEqual([0, expect.stringMatching(`\n${old} +unknown +12 +24 +3 +39\n`)]);
      expect(out).toContain('ENCRYPTION_KEY is not set');
      expect(out).not.toMatch(/missing|nothing opens|dropped|Under /);
    }
    const json = await run('status', { env: { DATABASE_URL: databaseUrl }, args: ['--json'] });
    expect([json.code, JSON.parse(json.out)]).toEqual([
      0,
      {
        master_keys: [{ id: old, role: 'unknown', trading_keys: 12, copies: 24, own_keys: 3, envelopes: 39 }],
        to_rewrap: null,
        unopenable: null,
      },
    ]);
  });

  it('keys:rewrap as a dry run opens and seals, but stores nothing', async () => {
    const before = await envelopes();
    const { code, out } = await run('rewrap', { env, args: ['--dry-run', '--batch', '4'] });
    expect([code, out]).toEqual([0, expect.stringMatching(/could move 15,.*\n15 keys in .* 15 left/)]);
    expect(await envelopes()).toEqual(before);
  });

  it.each([
    ['a batch of 0', ['--batch', '0']],
    ['a batch of too many', ['--batch', '201']],
    ['a limit that is not a number', ['--limit', 'x']],
    ['a key as an option', ['--key', OLD]],
    ['keys as arguments', [OLD, NEW]],
  ])('keys:rewrap with %s -> exit code 2, nothing done, nothing repeated', async (_, args) => {
    const before = await envelopes();
    const { code, err } = await run('rewrap', { env, args });
    expect(code).toBe(2);
    expect(err).not.toContain(OLD.slice(0, 8));
    expect(await envelopes()).toEqual(before);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['no master key', { ENCRYPTION_KEY: '' }, /^ENCRYPTION_KEY is not set\n$/],
    ['a malformed one', { ENCRYPTION_KEY: 'x' }, /^ENCRYPTION_KEY .+\n$/],
    ['no database', { DATABASE_URL: '' }, /^No database is named\. .+\n$/],
    [
      'a database that does not respond',
      { DATABASE_URL: 'postgres://postgres:secret-word@127.0.0.1:9/x' },
      /^Database: postgres@127\.0\.0\.1:9\/x\n.+: ECONNREFUSED\.\n$/,
    ],
  ])('keys:rewrap with %s -> exit code 1 and the reason', async (_, change, reason) => {
    const { code, err } = await run('rewrap', { env: { ...env, ...change } });
    expect([code, err]).toEqual([1, expect.stringMatching(reason)]);
    expect(err).not.toContain('secret-word');
  });

  it('keys:rewrap moves all envelopes in parts: up to a limit, up to Ctrl-C, then the rest', async () => {
    const part = await run('rewrap', { env, args: ['--limit', '2', '--batch', '1'] });
    expect([part.code, part.out]).toEqual([2, expect.stringMatching(/\n2 keys in .* 13 left/)]);

    let asked = false;
    const stopped = await run('rewrap', {
      env,
      args: ['--batch', '1'],
      onOutput(out, kill) {
        // Only once: a second Ctrl-C ends the command immediately.
        if (!asked && out.includes('moved')) kill('SIGINT');
        asked ||= out.includes('moved');
      },
    });
    expect(stopped.code).toBe(130);
    const [, left] = /; (\d+) left/.exec(stopped.out) ?? [];
    expect(Number(left)).toBeGreaterThan(0);

    const rest = await run('rewrap', { env });
    expect([rest.code, rest.out]).toEqual([0, expect.stringContaining('; 0 left')]);
    expect((await run('rewrap', { env })).code).toBe(0);
    expect(await wrongsOf(platform, await parseKeyring(NEW))).toEqual([]);
    const status = await run('status', { env });
    expect(status.out).toContain(`Nothing is left under ${await idOf(OLD)}: it may be dropped.`);
  });

  it('keys:rewrap returns to keys that were in use, and counts all its passes', async () => {
    const THIRD = newMasterKey();
    const [, client] = platform.clients;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const signing = sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock_shared(private.lock_of_keys(${client?.id ?? ''}))`;
      await released;
    });
    const { code, out } = await run('rewrap', {
      env: { ...env, ENCRYPTION_KEY: `${THIRD},${NEW}` },
      onOutput: (text) => text.includes('in use 1') && release(),
    });
    release();
    await signing;
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/moved 14, .* in use 1,.*\n(.*\n)*15 keys in .*; 0 left/),
    ]);
    expect(await wrongsOf(platform, await parseKeyring(THIRD), 2)).toEqual([]);
    expect((await run('rewrap', { env: { ...env, ENCRYPTION_KEY: `${NEW},${THIRD}` } })).code).toBe(0);
  });

  it('an own key of a wallet whose master key is missing, or that does not open -> its client, and exit code 2', async () => {
    const LOST = newMasterKey();
    const [client] = platform.clients;
    if (!client) throw new TypeError('there are clients');
    const [chain, address, keyId] = ['evm', `0x${randomBytes(20).toString('hex')}`, randomUUID()];
    const binding = { clientId: client.id, chain, address, keyId };
    const sealed = await seal(randomBytes(32), binding, await parseKeyring(LOST));
    // A correct header with a wrong ciphertext.
    const parts = sealed.split('.');
    const spoilt = [...parts.slice(0, 3), randomBytes(32).toString('base64url'), parts[4]].join('.');
    await sql`insert into public.bot_wallets ${sql({
      bot_id: client.botId,
      client_id: client.id,
      chain,
      address,
      key_id: keyId,
      encrypted_key: spoilt,
    })}`;
    for (const command of ['status', 'check']) {
      const { code, out } = await run(command, { env: { ...env, ENCRYPTION_KEY: NEW } });
      expect([command, code]).toEqual([command, 2]);
      expect(out).toContain('\n1 envelope is under master keys that are not in ENCRYPTION_KEY');
      expect(out).toContain(`\nUnder ${await idOf(LOST)}: client ${client.id}\n`);
    }
    const both = { ...env, ENCRYPTION_KEY: `${NEW},${LOST}` };
    for (const args of [['--dry-run'], []]) {
      const { code, out } = await run('rewrap', { env: both, args });
      expect([args, code]).toEqual([args, 2]);
      expect(out).toContain(`does not open: client ${client.id}, key ${keyId}\n`);
      expect(out).toContain('; 1 left under other master keys.');
    }
  });
});
