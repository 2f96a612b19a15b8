/** A logical backup, restored into an empty stack of its own as docs/backup.md says, behind the real Worker. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { recoverMessageAddress } from 'viem';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hashOfMachineToken } from '../../src/machine-token.ts';
import {
  type Account,
  type ClientAccount,
  createAdmin,
  createClientAccount,
} from '../../supabase/local/accounts.ts';
import { removePostgres } from '../../supabase/local/postgres.ts';
import { type Stack, startStack } from '../../supabase/local/stack.ts';
import { type RunningWorker, request, startWorker } from '../e2e/worker.ts';
import { call, MASTER_KEY } from '../support/api.ts';
import { formsOf } from '../support/key-forms.ts';
import { accessToken } from '../support/people.ts';
import { newEvmKey, newSolanaKey, type TestKey } from '../support/private-keys.ts';
import { recordText } from '../support/recorder.ts';
import { canDumpHere, contentsOf, dumpByCopy, dumpByPgDump, restore } from './dumping.ts';

/** What docs/backup.md tells to run before and after the dump, in its transaction. */
const BEFORE =
  'set session_replication_role = replica; delete from public.bot_types; delete from private.monitor_state; delete from private.settings';
const AFTER = 'set session_replication_role = origin; select private.after_restore()';
const OTHER_MASTER_KEY = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');

const stacks: { stack: Stack; directory: string }[] = [];
const workers: RunningWorker[] = [];

async function newStack(): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-backup-'));
  chmodSync(directory, 0o755);
  const stack = await startStack({ directory, supabasePort: 0, durable: false, poolSize: 4 });
  stacks.push({ stack, directory });
  const superuser = postgres(stack.superuserUrl, { max: 1 });
  // Hosted projects let `postgres` set it (supautils); nobody else may.
  await superuser`grant set on parameter session_replication_role to postgres`;
  await superuser.end();
  return stack;
}

const settingsOf = (stack: Stack, masterKey = MASTER_KEY) => ({
  SUPABASE_URL: stack.supabaseUrl,
  SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
  EDGE_TOKEN: stack.edgeToken,
  SUPABASE_JWT_SECRET: stack.jwtSecret,
  ENCRYPTION_KEY: masterKey,
});

async function newWorker(stack: Stack, masterKey?: string): Promise<RunningWorker> {
  const worker = await startWorker(settingsOf(stack, masterKey));
  workers.push(worker);
  return worker;
}

/** Signs in with the password of before, at the stack's own Auth server. */
async function signInAt(stack: Stack, { email, password }: Account): Promise<string> {
  const response = await fetch(`${stack.supabaseUrl}/auth/v1/token?grant_type=password`, {
    method: 'POST',
    headers: { apikey: stack.publishableKey, 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

const MESSAGE = { type: 'evm.message', message: 'hello' };
const signerOf = (signature: `0x${string}`) => recoverMessageAddress({ message: MESSAGE.message, signature });

interface Trader extends ClientAccount {
  readonly key: TestKey;
  readonly own: TestKey;
  readonly botId: string;
  readonly machineToken: string;
}

let original: Stack;
let admin: Account;
let anna: Trader;
let boris: Trader;
let keys: TestKey[] = [];
let backup: string;
let contents: Record<string, string[]>;

const as = async (account: Account) => accessToken({ sub: account.id }, original.jwtSecret);

/** A client that has rotated its key, with a running bot, a wallet with a key of its own, a policy and a token. */
async function newTrader(sql: postgres.Sql, name: string): Promise<Trader> {
  const env = settingsOf(original);
  const account = await createClientAccount(sql, name, `${name}@example.test`);
  const [first, key, own] = [newEvmKey(), newEvmKey(), newEvmKey()];
  keys.push(first, key, own);
  const token = await as(account);
  const made = async (line: string, body: object, by = token) => {
    const answer = await call(line, { token: by, body, env });
    expect(answer.status).toBeLessThan(300);
    return answer.json;
  };
  const bot = await made(`POST /clients/${account.clientId}/setup-bot`, {
    bot_type: 'evm-grid',
    private_key: first.privateKey,
  });
  await made(`PUT /clients/${account.clientId}/rotate-key`, { private_key: key.privateKey });
  await made(`POST /bots/${bot.id}/wallets`, { private_key: own.privateKey }, await as(admin));
  await made(`PUT /bots/${bot.id}/policy`, { kinds: ['evm.message'] });
  const { token: machineToken } = await made(`POST /bots/${bot.id}/tokens`, { name: 'a runner' });
  await made(`POST /bots/${bot.id}/sign`, { ...MESSAGE, wallet: key.address }, machineToken);
  return { ...account, key, own, botId: bot.id, machineToken };
}

beforeAll(async () => {
  // The embedded API prints every refusal of the database.
  vi.spyOn(console, 'error').mockImplementation((...args) => recordText(args.map(String).join(' ')));
  original = await newStack();
  const sql = postgres(original.databaseUrl, { max: 1, onnotice: () => {} });
  admin = await createAdmin(sql, 'ada@example.test');
  keys = [];
  anna = await newTrader(sql, 'anna');
  boris = await newTrader(sql, 'boris');
  // Somebody with a key of the other chain family, revoked before the backup.
  const cleo = await createClientAccount(sql, 'cleo', 'cleo@example.test');
  const solana = newSolanaKey();
  keys.push(solana);
  const setUp = { bot_type: 'solana-dca', private_key: solana.privateKey };
  const [token, env] = [await as(cleo), settingsOf(original)];
  await call(`POST /clients/${cleo.clientId}/setup-bot`, { token, body: setUp, env });
  await call(`DELETE /clients/${cleo.clientId}/revoke-key`, { token, env });
  await sql`insert into private.imported_rows ${sql({
    source: 'legacy',
    old_table: 'clients',
    old_id: '1',
    new_id: anna.clientId,
    client_id: anna.clientId,
  })}`;
  await sql.end();
  contents = await contentsOf(original.databaseUrl);
  backup = await dumpByCopy(original.databaseUrl);
});

afterAll(async () => {
  for (const { harness } of workers) {
    for (const line of harness.getLogs()) recordText(JSON.stringify(line));
    await harness.close();
  }
  for (const { stack, directory } of stacks) {
    await stack.stop();
    removePostgres(join(directory, 'postgres'));
    rmSync(directory, { recursive: true, force: true });
  }
});

const holdsNoKey = (text: string) =>
  keys
    .flatMap(({ privateKey, secret }) => [privateKey, ...formsOf(secret)])
    .filter((form) => text.includes(form));

describe('a backup', () => {
  test('holds every table with its rows, and no private key in any form', () => {
    for (const [table, rows] of Object.entries(contents)) {
      const block = new RegExp(`^COPY ${table} \\(.*\\n([^]*?)\\\\\\.$`, 'm').exec(backup)?.[1] ?? '';
      expect([table, block.split('\n').length - 1]).toEqual([table, rows.length]);
    }
    expect(contents['public.trading_keys']).toHaveLength(2);
    expect(contents['public.bot_wallets']).toHaveLength(5);
    expect(backup).toMatch(/\teyJ[\w-]{100}/);
    expect(holdsNoKey(backup)).toEqual([]);
    for (const secret of [MASTER_KEY, anna.machineToken, anna.password]) expect(backup).not.toContain(secret);
  });
});

describe('loaded into an empty database', () => {
  let empty: Stack;
  let nothing: Record<string, string[]>;
  const load = (dump: string, before: string) => restore(empty.databaseUrl, dump, { before });

  beforeAll(async () => {
    empty = await newStack();
    nothing = await contentsOf(empty.databaseUrl);
  });

  test('with triggers on it is refused, whole', async () => {
    await expect(load(backup, 'delete from public.bot_types')).rejects.toMatchObject({
      name: 'PostgresError',
    });
    expect(await contentsOf(empty.databaseUrl)).toEqual(nothing);
  });

  test('it is row for row what it was, and is refused a second time', async () => {
    await load(backup, BEFORE);
    expect(await contentsOf(empty.databaseUrl)).toEqual(contents);
    await expect(load(backup, BEFORE)).rejects.toMatchObject({ code: '23505' });
    expect(await contentsOf(empty.databaseUrl)).toEqual(contents);
  });

  test.runIf(canDumpHere())('pg_dump gives the same', async () => {
    const dump = dumpByPgDump(original.databaseUrl);
    expect(holdsNoKey(dump)).toEqual([]);
    const restored = await newStack();
    await restore(restored.databaseUrl, dump, { before: BEFORE });
    expect(await contentsOf(restored.databaseUrl)).toEqual(contents);
  });
});

describe('restored as the document says', () => {
  let restored: Stack;
  let worker: RunningWorker;
  let annas: string;
  const ask = (line: string, token?: string, body?: object) => request(worker.url, line, token, body);

  beforeAll(async () => {
    // What happens after the backup is what it knows nothing of.
    const revoked = await call(`DELETE /clients/${boris.clientId}/revoke-key`, {
      token: await as(boris),
      env: settingsOf(original),
    });
    expect(revoked.status).toBe(200);
    restored = await newStack();
    await restore(restored.databaseUrl, backup, { before: BEFORE, after: AFTER });
    worker = await newWorker(restored);
    annas = await signInAt(restored, anna);
  });

  test('no bot runs, no token of before is valid, and a key that was revoked since is back but signs nothing', async () => {
    for (const trader of [anna, boris]) {
      const token = await signInAt(restored, trader);
      const bot = await ask(`GET /bots/${trader.botId}`, token);
      expect(bot.json).toMatchObject({ status: 'stopped', stop_reason: 'restored' });
      const signed = await ask(`POST /bots/${trader.botId}/sign`, trader.machineToken, MESSAGE);
      expect([signed.status, signed.json.code]).toEqual([401, 'token_invalid']);
      expect((await ask('GET /runner/bots', trader.machineToken)).json.code).toBe('token_invalid');
      const { json } = await ask(`POST /bots/${trader.botId}/tokens`, token, { name: 'a new runner' });
      const again = await ask(`POST /bots/${trader.botId}/sign`, json.token, {
        ...MESSAGE,
        wallet: trader.key.address,
      });
      expect([again.status, again.json.code]).toEqual([409, 'bot_not_running']);
    }
    const back = await ask(`GET /clients/${boris.clientId}/trading-key`, await signInAt(restored, boris));
    expect([back.status, back.json.address]).toEqual([200, boris.key.address]);
  });

  test('people sign in as before, and the admin is one', async () => {
    expect((await ask('GET /clients/me', annas)).json).toMatchObject({
      id: anna.clientId,
      email: anna.email,
    });
    const clients = await ask('GET /clients', await signInAt(restored, admin));
    expect(clients.json.items).toHaveLength(3);
    expect((await ask(`GET /clients/${boris.clientId}`, annas)).status).toBe(404);
  });

  test('a bot that is started signs with both of its keys', async () => {
    expect((await ask(`POST /bots/${anna.botId}/start`, annas)).json.status).toBe('running');
    const { json } = await ask(`POST /bots/${anna.botId}/tokens`, annas, { name: 'a new runner' });
    for (const { address } of [anna.key, anna.own]) {
      const signed = await ask(`POST /bots/${anna.botId}/sign`, json.token, { ...MESSAGE, wallet: address });
      expect([signed.status, await signerOf(signed.json.signature)]).toEqual([200, address]);
    }
    // The policy came along.
    const other = await ask(`POST /bots/${anna.botId}/sign`, json.token, {
      type: 'evm.transaction',
      transaction: { chainId: 1, nonce: 0, gas: 21_000, to: anna.key.address, value: 1, maxFeePerGas: 1 },
      wallet: anna.key.address,
    });
    expect(other.json.code).toBe('policy_kind');
  });

  test('with another master key nothing opens, nothing is told, and keys can still be revoked', async () => {
    const other = await newWorker(restored, OTHER_MASTER_KEY);
    const borises = await signInAt(restored, boris);
    expect((await request(other.url, `POST /bots/${boris.botId}/start`, borises)).status).toBe(200);
    const token = (await request(other.url, `POST /bots/${boris.botId}/tokens`, borises, { name: 'x' })).json
      .token;
    const asked = { ...MESSAGE, wallet: boris.key.address };
    const signed = await request(other.url, `POST /bots/${boris.botId}/sign`, token, asked);
    expect([signed.status, signed.json.code]).toEqual([503, 'key_not_opened']);
    expect(signed.text).not.toContain('eyJ');
    expect(holdsNoKey(signed.text)).toEqual([]);
    const revoked = await request(other.url, `DELETE /clients/${boris.clientId}/revoke-key`, borises);
    expect([revoked.status, revoked.json.bots_stopped]).toEqual([200, 1]);
  });

  test('rotation and revocation work as everywhere', async () => {
    const next = newEvmKey();
    keys.push(next);
    const rotated = await ask(`PUT /clients/${anna.clientId}/rotate-key`, annas, {
      private_key: next.privateKey,
    });
    expect([rotated.status, rotated.json.address, rotated.json.version]).toEqual([200, next.address, 3]);
    const { json } = await ask(`POST /bots/${anna.botId}/tokens`, annas, { name: 'after' });
    await ask(`POST /bots/${anna.botId}/start`, annas);
    const signed = await ask(`POST /bots/${anna.botId}/sign`, json.token, MESSAGE);
    expect(await signerOf(signed.json.signature)).toBe(next.address);
    const revoked = await ask(`DELETE /clients/${anna.clientId}/revoke-key`, annas);
    expect([revoked.status, revoked.json.wallets_cleared]).toEqual([200, 1]);
    expect((await ask(`POST /bots/${anna.botId}/sign`, json.token, MESSAGE)).json.code).toBe(
      'bot_not_running',
    );
  });
});

describe('private.after_restore()', () => {
  let stack: Stack;
  let sql: postgres.Sql;
  const answer = async () =>
    (await sql<{ done: Record<string, unknown> }[]>`select private.after_restore() as done`)[0]?.done;

  beforeAll(async () => {
    stack = await newStack();
    await restore(stack.databaseUrl, backup, { before: BEFORE });
    sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
  });
  afterAll(() => sql.end());

  test('waits for a signature that has begun, and lets none begin before it has ended', async () => {
    const signers = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
    const signing = { kind: 'evm.message', value: '0', recipients: [], digest: 'ab'.repeat(32) };
    const checkOut = (transaction: postgres.TransactionSql) => transaction<{ address: string }[]>`
      select public.check_out_key(${hashOfMachineToken(anna.machineToken)}, ${anna.botId},
        ${transaction.json(signing)}, ${anna.key.address}) ->> 'address' as address`;
    /** Who would have to wait is refused at once. */
    const impatient = (
      client: postgres.Sql,
      act: (transaction: postgres.TransactionSql) => Promise<unknown>,
    ) =>
      client.begin(async (transaction) => {
        await transaction`set local lock_timeout = '200ms'`;
        return act(transaction);
      });
    await signers.begin(async (signer) => {
      expect((await checkOut(signer))[0]?.address).toBe(anna.key.address);
      await expect(
        impatient(sql, (operator) => operator`select private.after_restore()`),
      ).rejects.toMatchObject({ code: '55P03' });
    });
    const undone = new Error('undone');
    const restoring = sql.begin(async (operator) => {
      await operator`select private.after_restore()`;
      await expect(impatient(signers, checkOut)).rejects.toMatchObject({ code: '55P03' });
      throw undone;
    });
    await expect(restoring).rejects.toBe(undone);
    await signers.end();
  });

  test('stops what ran, ends what was valid, and says what to look through', async () => {
    await sql`update public.machine_tokens set expires_at = '2020-01-01' where client_id = ${boris.clientId}`;
    expect(await answer()).toEqual({
      bots_stopped: 2,
      tokens_ended: 1,
      clients_unlinked: 0,
      admins_without_account: 0,
      admins: [admin.email],
      clients_with_key: 2,
      last_key_event: expect.stringMatching(/^20\d\d-/),
    });
    const bots =
      await sql`select status, stop_reason, stopped_at is not null as at_a_time from public.bots order by created_at`;
    expect([...bots]).toEqual([
      { status: 'stopped', stop_reason: 'restored', at_a_time: true },
      { status: 'stopped', stop_reason: 'restored', at_a_time: true },
      { status: 'stopped', stop_reason: 'key_revoked', at_a_time: true },
    ]);
    const tokens = await sql`select expires_at <= now() as ended, expires_at < '2021-01-01' as long_ago
      from public.machine_tokens order by long_ago`;
    expect([...tokens]).toEqual([
      { ended: true, long_ago: false },
      { ended: true, long_ago: true },
    ]);
  });

  test('may run again', async () => {
    expect(await answer()).toMatchObject({ bots_stopped: 0, tokens_ended: 0 });
    // The next event of whatever client finds its number free.
    const [queue] = await sql<{ last: number; next: number }[]>`
      select max(number)::integer as last,
        nextval(pg_get_serial_sequence('private.queued_key_events', 'number'))::integer as next
      from private.queued_key_events`;
    expect(queue?.last).toBeGreaterThan(0);
    expect(queue?.next).toBe((queue?.last ?? 0) + 1);
  });

  test('takes clients and admins whose account did not come along as what they are', async () => {
    await sql.begin(async (transaction) => {
      await transaction`set local session_replication_role = replica`;
      await transaction`delete from auth.users where id in (${admin.id}, ${anna.id})`;
    });
    expect(await answer()).toMatchObject({ clients_unlinked: 1, admins_without_account: 1, admins: [] });
    // Who signs up with the client's e-mail is linked again.
    const again = crypto.randomUUID();
    await sql`insert into auth.users (id, aud, role, email, email_confirmed_at)
      values (${again}, 'authenticated', 'authenticated', ${anna.email}, now())`;
    const [client] = await sql`select user_id from public.clients where id = ${anna.clientId}`;
    expect(client?.user_id).toBe(again);
  });

  test.each(['anon', 'authenticated', 'service_role'])('is not for %s', async (role) => {
    const calling = sql.begin(async (transaction) => {
      await transaction`select set_config('role', ${role}, true)`;
      await transaction`select private.after_restore()`;
    });
    await expect(calling).rejects.toMatchObject({ code: '42501' });
  });
});
