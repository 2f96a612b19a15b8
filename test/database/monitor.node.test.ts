/** The monitor blocks no caller and waits for no lock. Quarantine is a stop like any other. */
import { setTimeout as wait } from 'node:timers/promises';
import type postgres from 'postgres';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import type { ClientRows } from '../support/rows.ts';
import * as act from './actions.ts';
import { LOCK_TIMEOUT, newMonitorToken, reportFailure, runMonitor, takeMonitor } from './monitors.ts';
import { Sessions } from './sessions.ts';
import { Signers } from './signers.ts';

const sessions = new Sessions();
const { sql } = sessions;
const token = await newMonitorToken(sql);
const { userId: admin } = await sessions.newAdmin();
afterAll(() => sessions.end());

const changesOf = async (bots: readonly string[], within: postgres.ISql = sql) =>
  (
    await within<{ bot_id: string; states: string[] }[]>`
      select bot_id, array_agg(state order by id) as states from public.bot_health_logs
      where bot_id = any (${[...bots]}) group by bot_id`
  ).map(({ states }) => states);

/** Runs an action as its account in a transaction that fails instead of waiting for a lock, and commits it. */
async function carriedOut(action: act.Action): Promise<string> {
  return sql
    .begin(async (transaction) => {
      await transaction`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
      await as(transaction, action);
      return 'ok';
    })
    .catch((error) => error.code);
}

async function as(transaction: postgres.TransactionSql, { by, text, values }: act.Action): Promise<void> {
  const claims = JSON.stringify({ sub: by, role: 'authenticated' });
  await transaction`select set_config('role', 'authenticated', true),
    set_config('request.jwt.claim.sub', ${by}, true), set_config('request.jwt.claims', ${claims}, true)`;
  await transaction.unsafe(text, [...values] as postgres.ParameterOrJSON<never>[]);
  await transaction`select set_config('role', 'none', true)`;
}

describe('a run of the monitor', () => {
  it.each<[string, (household: ClientRows) => act.Action]>([
    ['a rotation', ({ client }) => act.rotateKey(client)],
    ['a revocation', ({ client }) => act.revokeKey(client)],
    ['a stop', ({ client, bots }) => act.stopBot(bots[0] ?? '', client.userId)],
    ['a set-up', ({ client }) => act.setupBot(client)],
  ])('ends while %s holds its locks', async (_, action) => {
    const household = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
    await sql.begin(async (holding) => {
      await as(holding, action(household));
      await sql.begin(async (other) => {
        await takeMonitor(other);
        expect(await runMonitor(other, token)).toMatchObject({ busy: false, complete: true });
      });
      // Uncommitted changes are not visible: the bots run.
      expect(await changesOf(household.bots)).toEqual([['starting'], ['starting']]);
    });
  });

  it('blocks no rotation, stop, start, signature, heartbeat or revocation while it is not committed', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
    const [bot = ''] = bots;
    const [signer] = tokens;
    if (!signer) throw new TypeError('there is a token');
    const signers = new Signers(1);
    await signers.sql`set lock_timeout = ${signers.sql.unsafe(`'${LOCK_TIMEOUT}'`)}`;
    await sql.begin(async (holding) => {
      await takeMonitor(holding);
      await runMonitor(holding, token);
      expect(await changesOf(bots, holding)).toEqual([['starting'], ['starting']]);
      const outcomes: string[] = [];
      for (const action of [
        act.rotateKey(client),
        act.rotateKey(client, admin),
        act.stopBot(bot, client.userId),
        act.startBot(bot, client.userId),
      ]) {
        outcomes.push(await carriedOut(action));
      }
      outcomes.push(await signers.checkOut(signer, bot));
      outcomes.push(await reportFailure(sql, signer, bot));
      outcomes.push(await carriedOut(act.revokeKey(client)));
      expect(outcomes).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'counted', 'ok']);
    });
    await signers.end();
  });

  it('returns at once and writes nothing while another run is not committed', async () => {
    const { bots } = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
    await sql.begin(async (first) => {
      await takeMonitor(first);
      await runMonitor(first, token);
      const second = await sql.begin((other) => runMonitor(other, token));
      expect(second).toMatchObject({ busy: true, complete: false, bots_checked: 0 });
    });
    expect(await changesOf(bots)).toEqual([['starting'], ['starting']]);
  });

  it('reads a few rows for each bot, however many there are', async () => {
    const few = await rowsReadFor(100);
    const many = await rowsReadFor(400);
    // If each bot were compared with each bot, there would be sixteen times as many.
    expect(many.rows / few.rows).toBeLessThan(6);
    // Whole tables are read a few times for all bots together, and never once for each.
    expect(many.scans).toBeLessThan(25);
  });

  /** What a run reads over this many bots of one client, of which a tenth change; from the database's own counters. */
  async function rowsReadFor(count: number): Promise<{ rows: number; scans: number }> {
    const { client, bots } = await sessions.newClientWithBots({ bots: count, tokens: 1 });
    const [previous] = await sql<{ id: string }[]>`
      select id from public.bots where client_id <> ${client.clientId} and id < ${bots.toSorted()[0] ?? ''}
      order by id desc limit 1`;
    const counters = async (within: postgres.ISql) => {
      const [row] = await within<[{ rows: number; scans: number }]>`
        select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows, sum(seq_scan)::int as scans
        from pg_stat_xact_user_tables where schemaname in ('public', 'private')`;
      return row;
    };
    const rolledBack = new Error('rolled back');
    let read = { rows: Number.NaN, scans: Number.NaN };
    await sql
      .begin(async (transaction) => {
        await transaction`insert into public.bot_health_logs (bot_id, client_id, state, since)
          select id, ${client.clientId}, 'healthy', now()
          from unnest(${bots}::uuid[]) with ordinality as bot (id, place) where place % 10 > 0`;
        await transaction`insert into public.bot_heartbeats (bot_id, client_id, status)
          select id, ${client.clientId}, 'ok' from unnest(${bots}::uuid[]) as id`;
        await transaction`update public.bots set started_at = now() where client_id = ${client.clientId}`;
        await takeMonitor(transaction, previous?.id);
        const before = await counters(transaction);
        expect((await runMonitor(transaction, token)).bots_checked).toBeGreaterThanOrEqual(count);
        const after = await counters(transaction);
        read = { rows: after.rows - before.rows, scans: after.scans - before.scans };
        expect(await changesOf(bots, transaction)).toEqual(bots.map(() => ['healthy']));
        throw rolledBack;
      })
      .catch((error) => {
        if (error !== rolledBack) throw error;
      });
    return read;
  }
});

describe('quarantine', () => {
  it('by many concurrent reports happens once, after exactly the number of failures in the policy', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 2 });
    const [bot = '', other = ''] = bots;
    await sql`insert into public.bot_policies (bot_id, client_id, quarantine_after)
      select id, ${client.clientId}, 10 from unnest(${bots}::uuid[]) as id`;
    const report = (i: number, of = bot) => reportFailure(sql, tokens[i % 2] ?? { id: '', token: '' }, of);
    expect(await Promise.all(Array.from({ length: 9 }, (_, i) => report(i)))).toEqual(
      Array(9).fill('counted'),
    );
    const rest = await Promise.all(Array.from({ length: 12 }, (_, i) => report(i)));
    expect(rest.filter((outcome) => outcome === 'quarantined')).toHaveLength(1);
    expect(await report(0, other)).toBe('counted');
    const rows = await sql`select id, status, stop_reason from public.bots
      where id = any (${bots}) order by status`;
    expect(rows.map(({ id, stop_reason }) => [id, stop_reason])).toEqual([
      [other, null],
      [bot, 'quarantined'],
    ]);
    expect(
      await sql`select event from private.every_key_event where event = 'bot_quarantined'
      and bot_id = any (${bots})`,
    ).toHaveLength(1);
    expect(await changesOf(bots)).toEqual([['quarantined']]);
  });

  it('by earlier failures does not stop a bot that its owner has started again in the meantime', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const [bot = ''] = bots;
    const [signer] = tokens;
    if (!signer) throw new TypeError('there is a token');
    await sql`insert into public.bot_policies (bot_id, client_id, quarantine_after)
      values (${bot}, ${client.clientId}, 2)`;
    expect(await reportFailure(sql, signer, bot)).toBe('counted');
    let second: Promise<string> = Promise.resolve('');
    let stopped: Promise<string> = Promise.resolve('');
    await sql.begin(async (holding) => {
      const [{ pid }] = await holding<[{ pid: number }]>`select pg_backend_pid() as pid`;
      await holding`select from public.bot_signing_failures where bot_id = ${bot} for update`;
      // It has read the earlier state of the bot, and cannot count the failure yet.
      second = reportFailure(sql, signer, bot);
      await vi.waitUntil(async () => {
        const [row] =
          await sql`select from pg_locks where not granted and ${pid} = any (pg_blocking_pids(pid))`;
        return row !== undefined;
      });
      // The stop waits for it at the gate, so that no earlier failure counts after the new start.
      stopped = carriedOut(act.stopBot(bot, client.userId));
      await vi.waitUntil(async () => {
        const waiting = await sql`select from pg_stat_activity
          where wait_event_type = 'Lock' and query like '%stop_bot%' and pid <> pg_backend_pid()`;
        return waiting.length > 0;
      });
    });
    expect(await second).toBe('quarantined');
    expect(await stopped).toBe('ok');
    expect(await carriedOut(act.startBot(bot, client.userId))).toBe('ok');
    const [row] = await sql`select status from public.bots where id = ${bot}`;
    expect(row?.status).toBe('running');
  });

  it('waits for signatures that have begun, and no signature follows it', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const [bot = ''] = bots;
    const [signer] = tokens;
    if (!signer) throw new TypeError('there is a token');
    await sql`insert into public.bot_policies (bot_id, client_id, quarantine_after)
      values (${bot}, ${client.clientId}, 1)`;
    const signers = new Signers(8);
    // At every moment most of them have checked out a key and have not committed yet.
    for (let i = 0; i < 8; i++) signers.start(signer, bot, 300);
    await expect.poll(() => signers.count('ok'), { timeout: 20_000 }).toBeGreaterThan(8);
    expect(await reportFailure(sql, signer, bot)).toBe('quarantined');
    const signed = async () =>
      (await sql`select id from private.every_key_event where bot_id = ${bot} and event = 'key_released'`)
        .length;
    const before = await signed();
    await wait(600);
    expect(await signed()).toBe(before);
    await signers.end();
    expect([...signers.outcomes.keys()].sort()).toEqual(['PT409 bot_not_running', 'ok']);
  });

  it('among rotations, stops, starts, signatures and revocations keeps the invariants of the client', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 15; round++) {
      const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
      const [bot = '', other = ''] = bots;
      const [signer] = tokens;
      if (!signer) throw new TypeError('there is a token');
      await sql`insert into public.bot_policies (bot_id, client_id, quarantine_after)
        select id, ${client.clientId}, 2 from unnest(${bots}::uuid[]) as id`;
      const signers = new Signers(4);
      for (let i = 0; i < 4; i++) signers.start(signer, bots[i % 2] ?? '', 1);
      const racers = [
        act.rotateKey(client),
        act.stopBot(bot, client.userId),
        act.startBot(bot, client.userId),
        round % 2 ? act.revokeKey(client) : act.rotateKey(client, admin),
      ];
      const outcomes = await Promise.all([
        sessions.race(racers),
        ...[bot, bot, other, other].map((each) => reportFailure(sql, signer, each)),
        reportFailure(sql, signer, other, 'key_decryption_failed'),
      ]);
      await signers.end();
      for (const outcome of [...outcomes.flat(), ...signers.outcomes.keys()]) seen.add(outcome);
      expect(await violationsOf(sql, [client.clientId])).toEqual([]);
      if (round % 2 === 0) await sessions.startBots(client);
      else expect(await reportFailure(sql, signer, bot)).toBe('PT401 token_invalid');
    }
    const expected = ['ok', 'counted', 'quarantined', 'PT409 bot_not_running', 'PT409 bot_key_missing'];
    // A revocation ends the key, and the token with it.
    expected.push('PT404 trading_key_missing', 'PT401 token_invalid');
    expect([...seen].filter((outcome) => !expected.includes(outcome))).toEqual([]);
    expect(seen).toContain('quarantined');
  });
});
