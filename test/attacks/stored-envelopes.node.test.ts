/** What a superuser of the database can do with envelopes when every trigger and CHECK is off. */
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { violationsOf } from '../support/invariants.ts';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';
import { newEvmKey, type TestKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { type ClientWithRunner, newClientWithRunner } from '../support/runners.ts';

let stack: PeopledStack;
beforeAll(async () => {
  stack = await startPeopledStack();
});
afterAll(() => stack.end());

const newRunner = () => newClientWithRunner({ at: stack });

const sign = ({ botId, machineToken }: ClientWithRunner, wallet?: string) =>
  call(`POST /bots/${botId}/sign`, {
    token: machineToken,
    env: stack.settings,
    body: { type: 'evm.message', message: 'x', ...(wallet !== undefined && { wallet }) },
  });
const rotate = ({ clientId, token }: ClientWithRunner, key: TestKey) =>
  call(`PUT /clients/${clientId}/rotate-key`, {
    token,
    env: stack.settings,
    body: { private_key: key.privateKey },
  });

type Change = (sql: postgres.TransactionSql) => Promise<unknown>;

/** Runs statements as only a superuser can: only triggers that are ENABLE ALWAYS fire. */
const withoutTriggers = (run: Change) =>
  stack.superuser.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await run(sql);
  });

const KEEPS_KEY_IDS = ['hold_key_ids_of_new', 'hold_key_ids_of_changed', 'end_key_ids_of_changed'];
/** Runs statements as a role that can alter the tables: the ENABLE ALWAYS triggers are switched off too, one by one. */
const withoutAnyTrigger = (run: Change) =>
  withoutTriggers(async (sql) => {
    const each = (what: string) =>
      sql
        .unsafe(
          KEEPS_KEY_IDS.map((name) => `alter table public.bot_wallets ${what} trigger ${name};`).join(''),
        )
        .simple();
    await each('disable');
    await run(sql);
    await each('enable always');
  });

/** The key id has ended, or another client holds it. */
const KEY_ENDED = { code: 'PT409', hint: 'key_id_ended' };
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('an envelope with one character changed', () => {
  it('at any position -> 503 key_decryption_failed, never a signature', async () => {
    const house = await newRunner();
    const [row] = await stack.sql<[{ encrypted_key: string }]>`
      select encrypted_key from public.bot_wallets where bot_id = ${house.botId}`;
    const envelope = row.encrypted_key;
    const variants = [...envelope].map((character, at) => {
      // Changes the highest of the six bits: the lowest bits of the last character may be unused.
      const other = character === '.' ? 'A' : ALPHABET[ALPHABET.indexOf(character) ^ 0b100000];
      return `${envelope.slice(0, at)}${other}${envelope.slice(at + 1)}`;
    });
    variants.push(
      ...[
        '',
        '.',
        '....',
        `${envelope}.`,
        `${envelope}A`,
        `.${envelope}`,
        envelope.slice(0, -1),
        `${envelope}=`,
      ],
      envelope.split('.').toReversed().join('.'),
      envelope.split('.').slice(0, 4).join('.'),
      `${envelope}\n`,
      'null',
    );
    // The Worker reads the id of the master key from the envelope, and cannot read it from a malformed one.
    await stack.superuser`alter table public.bot_wallets alter column master_key_id drop expression,
      drop constraint "a wallet's envelope names its own row", drop constraint "a bot has a wallet once"`;
    const wallets = await withoutTriggersReturning(house, variants);
    expect(wallets).toHaveLength(variants.length);

    // The unchanged envelope beside them opens.
    const good = await stack.sql<{ id: string }[]>`
      select id from public.bot_wallets where bot_id = ${house.botId} and encrypted_key = ${envelope}`;
    expect((await sign(house, good[0]?.id)).status).toBe(200);

    const queue = [...wallets];
    const worker = async () => {
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
        expectProblem(await sign(house, id), 503, 'key_decryption_failed');
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  });

  async function withoutTriggersReturning(
    { clientId, botId, key }: ClientWithRunner,
    envelopes: readonly string[],
  ) {
    let ids: string[] = [];
    await withoutTriggers(async (sql) => {
      const rows = await sql<{ id: string }[]>`
        insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
        select ${botId}, ${clientId}, ${key.address}, 'evm', key_id, envelope
        from public.trading_keys, unnest(${[...envelopes]}::text[]) as envelope
        where client_id = ${clientId} returning id`;
      ids = rows.map(({ id }) => id);
    });
    return ids;
  }
});

describe("an envelope under another's name", () => {
  it('with columns of one row and the envelope of another -> 503 key_decryption_failed', async () => {
    const [victim, thief] = [await newRunner(), await newRunner()];
    await withoutTriggers(
      (sql) => sql`update public.bot_wallets as mine set encrypted_key = theirs.encrypted_key
        from public.bot_wallets as theirs where mine.bot_id = ${thief.botId} and theirs.bot_id = ${victim.botId}`,
    );
    expectProblem(await sign(thief), 503, 'key_decryption_failed');
    // The address and the key id match as well; only the client differs.
    const asTheirs: Change = (sql) => sql`update public.bot_wallets as mine
      set address = theirs.address, key_id = theirs.key_id
      from public.bot_wallets as theirs where mine.bot_id = ${thief.botId} and theirs.bot_id = ${victim.botId}`;
    await expect(withoutTriggers(asTheirs)).rejects.toMatchObject(KEY_ENDED);
    await withoutAnyTrigger(asTheirs);
    expectProblem(await sign(thief), 503, 'key_decryption_failed');
    expect((await sign(victim)).status).toBe(200);
  });
});

/**
 * An envelope names its key but not whether that key is the current one: only the database knows. The database remembers the
 * ids of ended keys and rejects them, also with the triggers off. A role that alters the tables can still put an old row
 * back. Responses, events and invariants then show it.
 */
describe('an old row put back', () => {
  const rowsOf = async (table: string, { clientId }: ClientWithRunner) =>
    stack.sql.unsafe(`select * from public.${table} where client_id = $1`, [clientId]);
  const putBack = (house: ClientWithRunner, [wallet]: readonly postgres.Row[], how: typeof withoutTriggers) =>
    how(
      (sql) => sql`update public.bot_wallets
        set address = ${wallet?.address}, key_id = ${wallet?.key_id}, encrypted_key = ${wallet?.encrypted_key}
        where bot_id = ${house.botId}`,
    );

  it('by an ordinary change of the trading key -> rejected', async () => {
    const house = await newRunner();
    const [old] = await rowsOf('trading_keys', house);
    const next = newEvmKey();
    expect((await rotate(house, next)).json.version).toBe(2);
    const change: Change = (sql) => sql`update public.trading_keys
      set address = ${old?.address}, key_id = ${old?.key_id}, encrypted_key = ${old?.encrypted_key}
      where client_id = ${house.clientId}`;
    await expect(stack.sql.begin(change)).rejects.toMatchObject(KEY_ENDED);
    await expect(withoutTriggers(change)).rejects.toMatchObject(KEY_ENDED);
    expect(await violationsOf(stack.sql, [house.clientId])).toEqual([]);
    expect((await sign(house)).json).toMatchObject({ address: next.address });
  });

  it('with every trigger off, after a rotation -> the old key signs, and response, event and invariants show it', async () => {
    const house = await newRunner();
    const before = await rowsOf('bot_wallets', house);
    const next = newEvmKey();
    expect((await rotate(house, next)).status).toBe(200);
    const current = (await sign(house)).json;
    expect(current.address).toBe(next.address);

    await expect(putBack(house, before, withoutTriggers)).rejects.toMatchObject(KEY_ENDED);
    expect((await sign(house)).json.address).toBe(next.address);
    await putBack(house, before, withoutAnyTrigger);
    const rolledBack = (await sign(house)).json;
    // For callers that depend on the address, such as the accounts for viem and Kit, this is an error: `address_changed`.
    expect(rolledBack).toMatchObject({ address: house.key.address, key_id: before[0]?.key_id });
    const [event] = await stack.sql`select event, address, key_id from private.every_key_event
      where client_id = ${house.clientId} order by id desc limit 1`;
    expect(event).toEqual({ event: 'key_released', address: house.key.address, key_id: before[0]?.key_id });
    expect(await violationsOf(stack.sql, [house.clientId])).toContainEqual(
      expect.stringContaining('a key that a rotation did not replace'),
    );
    // The next rotation replaces this key too.
    await rotate(house, newEvmKey());
    expect(await violationsOf(stack.sql, [house.clientId])).toEqual([]);
  });

  it('with every trigger off, after a revocation -> no token signs and the bot does not run; the invariants show it', async () => {
    const house = await newRunner();
    const before = await rowsOf('bot_wallets', house);
    const as = { token: house.token, env: stack.settings };
    expect((await call(`DELETE /clients/${house.clientId}/revoke-key`, as)).status).toBe(200);
    await expect(putBack(house, before, withoutTriggers)).rejects.toMatchObject(KEY_ENDED);
    await putBack(house, before, withoutAnyTrigger);
    expectProblem(await sign(house), 401, 'token_invalid');
    const issued = await call(`POST /bots/${house.botId}/tokens`, {
      ...as,
      body: { name: 'Another runner' },
    });
    const machineToken = issued.json.token;
    expectProblem(await sign({ ...house, machineToken }), 409, 'bot_not_running');
    expect(await violationsOf(stack.sql, [house.clientId])).toContainEqual(
      expect.stringContaining('a ciphertext without a trading key'),
    );
    await withoutTriggers(
      (sql) => sql`update public.bots set status = 'running', stop_reason = null where id = ${house.botId}`,
    );
    expect((await sign({ ...house, machineToken })).json).toMatchObject({ address: house.key.address });
    // What ends the key for good: retire the master key that sealed it.
    const env = { ...stack.settings, ENCRYPTION_KEY: btoa('another master key of 32 bytes!!') };
    const answer = await call(`POST /bots/${house.botId}/sign`, {
      token: machineToken,
      env,
      body: { type: 'evm.message', message: 'x' },
    });
    expectProblem(answer, 503, 'key_decryption_failed');
  });
});
