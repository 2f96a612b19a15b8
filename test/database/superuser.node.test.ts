/** Rules that hold even against a superuser, for whom no trigger fires, and whether the checker of the races finds faults. */
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import { Sessions } from './sessions.ts';

const sessions = new Sessions();
const superuser = postgres(inject('superuserUrl'), { max: 2, onnotice: () => {} });
afterAll(() => Promise.all([sessions.end(), superuser.end({ timeout: 1 })]));

/** A client with a trading key and a running bot, and a wallet with an own key. */
async function household() {
  const { client, address, bots } = await sessions.newClientWithBots({ tokens: 0 });
  const [bot = ''] = bots;
  const own = sealedWallet(client.clientId);
  await sessions.newWallets(client, [{ bot_id: bot, ...own }]);
  return { client, bot, address, own };
}

class Undo extends Error {}

/** Runs statements with every trigger and foreign key off, then rolls back. Returns the errcode, or the result of `then`. */
async function withoutTriggers<T>(
  run: (sql: postgres.TransactionSql) => Promise<unknown>,
  then: (sql: postgres.TransactionSql) => Promise<T>,
): Promise<T | string> {
  let result: T | undefined;
  try {
    await superuser.begin(async (sql) => {
      await sql`alter table public.key_events disable trigger key_events_are_never_changed`;
      await sql`set local session_replication_role = replica`;
      await run(sql);
      result = await then(sql);
      throw new Undo();
    });
  } catch (error) {
    if (error instanceof postgres.PostgresError) return error.code;
    if (!(error instanceof Undo)) throw error;
  }
  return result as T;
}
const allowed = async () => 'allowed';

describe('the constraints alone, with the triggers off', () => {
  it('accept the correct envelope', async () => {
    const { client, own } = await household();
    const right = sealedWallet(client.clientId);
    const onKey = (sql: postgres.TransactionSql) =>
      sql`update public.trading_keys set ${sql({ ...right })} where client_id = ${client.clientId}`;
    const onWallet = (sql: postgres.TransactionSql) =>
      sql`update public.bot_wallets set ${sql({ ...right })} where key_id = ${own.key_id}`;
    expect(await withoutTriggers(onKey, allowed)).toBe('allowed');
    expect(await withoutTriggers(onWallet, allowed)).toBe('allowed');
  });

  const flaws: [string, (right: string, other: string) => string, string[]][] = [
    ['names another client', (_, other) => other, ['23514']],
    ['lacks its last character', (right) => right.slice(0, -1), ['23514']],
    ['lacks its last part', (right) => right.slice(0, right.lastIndexOf('.')), ['23514']],
    ['is a private key', () => '4c'.repeat(32), ['22021', '22P02', '23502', '23514']],
    [
      'has a header that is not JSON',
      (right) => `AAAA${right.slice(right.indexOf('.'))}`,
      ['22021', '22023', '22P02', '23502', '23514'],
    ],
  ];
  it.each(flaws)('reject an envelope that %s', async (_, bend, codes) => {
    const { client, own } = await household();
    const right = sealedWallet(client.clientId);
    const other = { ...sealedWallet(crypto.randomUUID(), right.address), key_id: right.key_id };
    const bent = { ...right, encrypted_key: bend(right.encrypted_key, other.encrypted_key) };
    const onKey = await withoutTriggers(
      (sql) => sql`update public.trading_keys set ${sql({ ...bent })} where client_id = ${client.clientId}`,
      allowed,
    );
    const onWallet = await withoutTriggers(
      (sql) => sql`update public.bot_wallets set ${sql({ ...bent })} where key_id = ${own.key_id}`,
      allowed,
    );
    expect(codes).toContain(onKey);
    expect(codes).toContain(onWallet);
  });

  it.each(['client_id', 'address', 'chain', 'key_id'])(
    'reject another %s beside an envelope',
    async (column) => {
      const { client } = await household();
      const value = {
        client_id: crypto.randomUUID(),
        address: 'x',
        chain: 'solana',
        key_id: crypto.randomUUID(),
      }[column];
      for (const table of ['trading_keys', 'bot_wallets']) {
        const change = (sql: postgres.TransactionSql) =>
          sql`update public.${sql.unsafe(table)} set ${sql.unsafe(column)} = ${value ?? ''} where client_id = ${client.clientId}`;
        expect(await withoutTriggers(change, allowed)).toBe('23514');
      }
    },
  );

  it('reject a key without its id, a second trading key, and a running bot without a start time', async () => {
    const { client, bot } = await household();
    const second = { client_id: client.clientId, version: 2, ...sealedWallet(client.clientId) };
    for (const [change, code] of [
      [(sql) => sql`update public.bot_wallets set key_id = null where bot_id = ${bot}`, '23514'],
      [(sql) => sql`update public.bot_wallets set encrypted_key = null where bot_id = ${bot}`, '23514'],
      [(sql) => sql`insert into public.trading_keys ${sql(second)}`, '23505'],
      [(sql) => sql`update public.bots set started_at = null where id = ${bot}`, '23514'],
      [(sql) => sql`update public.bots set stop_reason = 'requested' where id = ${bot}`, '23514'],
    ] satisfies [(sql: postgres.TransactionSql) => Promise<unknown>, string][]) {
      expect(await withoutTriggers(change, allowed)).toBe(code);
    }
  });
});

describe('a key that has ended', () => {
  it('is rejected in both tables, also with the triggers off', async () => {
    const { client, bot } = await household();
    const { sql } = sessions;
    const [row] = await sql<[Record<string, string>]>`
      select client_id, address, chain, key_id, encrypted_key, version from public.trading_keys
      where client_id = ${client.clientId}`;
    await sql`delete from public.trading_keys where client_id = ${client.clientId}`;
    const { version: _, ...kept } = row;
    const wallet = { ...kept, bot_id: bot, address: `${kept.address}` };
    const attempts: ((within: postgres.TransactionSql) => Promise<unknown>)[] = [
      (within) => within`insert into public.trading_keys ${within(row)}`,
      (within) => within`insert into public.bot_wallets ${within({ ...wallet, id: crypto.randomUUID() })}`,
      (within) => within`update public.bot_wallets set ${within({ ...kept })} where bot_id = ${bot}
        and address = ${row.address ?? ''}`,
    ];
    // A new bot, so that no wallet with this address exists yet.
    const [other = ''] = await sessions.newBots(client, 1);
    wallet.bot_id = other;
    for (const attempt of attempts) expect(await withoutTriggers(attempt, allowed)).toBe('PT409');
    await expect(sql`insert into public.trading_keys ${sql(kept)}`).rejects.toMatchObject({
      code: 'PT409',
      hint: 'key_id_ended',
    });
    // The same private key with a new key id is another key.
    await sql`insert into public.trading_keys ${sql({ client_id: client.clientId, ...sealedWallet(client.clientId, row.address) })}`;
  });
});

describe('rules that a superuser cannot bypass', () => {
  it.each([
    'update public.key_events set actor = $$admin$$',
    'delete from public.key_events where false',
    'truncate public.key_events cascade',
    'update public.audit_checkpoints set jws = $$x$$',
    'delete from public.audit_checkpoints where false',
    'truncate public.audit_checkpoints',
    'set local session_replication_role = replica; delete from public.key_events where false',
    'truncate public.trading_keys',
    'truncate public.clients cascade',
    'truncate private.key_ids',
    'delete from private.key_ids where ended_at is not null',
    'set local session_replication_role = replica; delete from private.key_ids where ended_at is not null',
    'set local session_replication_role = replica; update private.key_ids set ended_at = null where ended_at is not null',
  ])('can: %s', async (statement) => {
    // Truncation waits for every reader. Short attempts are repeated, so that the other tests are not blocked.
    const attempt = (): Promise<unknown> =>
      superuser
        .begin(async (sql) => {
          await sql`set local lock_timeout = '20ms'`;
          await sql.unsafe(statement);
        })
        .catch((error: postgres.PostgresError) =>
          error.code === '55P03' ? attempt() : [error.code, error.hint],
        );
    expect(await attempt()).toEqual(['PT405', 'append_only']);
  });
});

describe('the checker of the races', () => {
  it('finds nothing in a valid database, or in an empty one', async () => {
    const { client } = await household();
    expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
    await sessions.sql`delete from public.trading_keys where client_id = ${client.clientId}`;
    expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
  });

  type House = Awaited<ReturnType<typeof household>>;
  type Change = (sql: postgres.TransactionSql, house: House) => Promise<unknown>;
  const wallet = (house: House, address = house.address) => sealedWallet(house.client.clientId, address);
  const changes: [string, Change][] = [
    [
      'a ciphertext without a trading key',
      (sql, h) => sql`delete from public.trading_keys where client_id = ${h.client.clientId}`,
    ],
    [
      'an empty wallet beside a trading key',
      (sql, h) =>
        sql`update public.bot_wallets set key_id = null, encrypted_key = null where key_id = ${h.own.key_id}`,
    ],
    [
      'a torn copy of the trading key',
      (sql, h) =>
        sql`update public.bot_wallets set ${sql({ ...wallet(h) })} where bot_id = ${h.bot} and address = ${h.address}`,
    ],
    [
      'a key that a rotation did not replace',
      (sql, h) =>
        sql`update public.bot_wallets set ${sql({ ...wallet(h, '0x00') })} where key_id = ${h.own.key_id}`,
    ],
    [
      'a bot that runs without a key',
      (sql, h) => sql`delete from public.bot_wallets where bot_id = ${h.bot}`,
    ],
    [
      'numbers and events of keys disagree',
      (sql, h) => sql`update public.clients set key_version = 7 where id = ${h.client.clientId}`,
    ],
    [
      'numbers and events of keys disagree',
      (sql, h) => sql`delete from public.key_events where client_id = ${h.client.clientId}`,
    ],
    [
      'the trading key is not that of the last event',
      (sql, h) =>
        sql`update public.trading_keys set ${sql({ ...wallet(h) })} where client_id = ${h.client.clientId}`,
    ],
    [
      'keys added, revoked and held do not add up',
      (sql, h) =>
        sql`update public.key_events set event = 'key_rotated' where client_id = ${h.client.clientId} and event = 'key_added'`,
    ],
    [
      'an address of two clients',
      async (sql, h) => {
        const other = await sessions.newClient();
        const row = { client_id: other.clientId, bot_id: h.bot, ...sealedWallet(other.clientId, h.address) };
        await sql`delete from public.bot_wallets where bot_id = ${h.bot}`;
        await sql`insert into public.bot_wallets ${sql(row)}`;
      },
    ],
  ];
  it.each(changes)('finds %s', async (violation, change) => {
    const house = await household();
    const found = await withoutTriggers(
      (sql) => change(sql, house),
      (sql) => violationsOf(sql, [house.client.clientId]),
    );
    expect(found).toContainEqual(expect.stringContaining(violation));
  });
});
