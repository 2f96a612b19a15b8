/** The gate of a client: a revocation waits for operations that began before it, and for none that begins later. */
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it, vi } from 'vitest';
import type { Client } from '../support/rows.ts';
import { Sessions } from './sessions.ts';

const sessions = new Sessions();
const sql = postgres(inject('databaseUrl'), { max: 16, onnotice: () => {}, prepare: false });
afterAll(() => Promise.all([sessions.end(), sql.end()]));

/** Runs an action in a transaction of a client's own session, then `before`, and commits. */
async function asOwner<T>(
  client: Pick<Client, 'userId'>,
  text: string,
  values: readonly string[],
  before?: () => Promise<T>,
): Promise<void> {
  await sql.begin(async (transaction) => {
    await actAs(transaction, client);
    await transaction.unsafe(text, [...values]);
    await before?.();
  });
}

async function actAs(
  transaction: postgres.TransactionSql,
  { userId }: Pick<Client, 'userId'>,
): Promise<void> {
  const claims = JSON.stringify({ sub: userId, role: 'authenticated' });
  await transaction`select set_config('role', 'authenticated', true),
    set_config('request.jwt.claim.sub', ${userId}, true), set_config('request.jwt.claims', ${claims}, true)`;
}

/** Statements of a client's session that hold each lock which a revocation needs, for as long as the statement sleeps. */
const SLOW: Record<string, string> = {
  'the turn': 'delete from public.trading_keys where client_id = $1 and pg_sleep(0.4) is null',
  'the keys': 'delete from public.machine_tokens where client_id = $1 and pg_sleep(0.4) is null',
  'the row of the client':
    'update public.clients set name = name where id = $1 and pg_sleep(0.4) is not null',
};

const isWaiting = async (): Promise<boolean> => {
  const rows = await sql`
    select from pg_stat_activity where wait_event_type = 'Lock' and query like '%revoke_key%' and pid <> pg_backend_pid()`;
  return rows.length > 0;
};

describe('a session that keeps sending slow statements on every lock that a revocation needs', () => {
  it('delays the revocation by the statements that began before it, and by none that begins later', async () => {
    const { client } = await sessions.newClientWithBots({ bots: 2, tokens: 2 });
    let on = true;
    let waiting = false;
    let revoked = false;
    /** Statements that began while the revocation waited and ended before it. */
    const passed: string[] = [];
    const finished = new Set<string>();
    const lanes = Object.entries(SLOW).flatMap(([name, text]) =>
      [0, 1].map(async (place) => {
        await wait(place * 150);
        while (on) {
          const late = waiting;
          const done = await asOwner(client, text, [client.clientId]).then(
            () => true,
            () => false,
          );
          if (done) finished.add(name);
          if (late && done && !revoked) passed.push(name);
          if (!done) await wait(20);
        }
      }),
    );
    try {
      await vi.waitUntil(() => finished.size === 3, { timeout: 20_000 });
      const revocation = asOwner(client, 'select public.revoke_key($1)', [client.clientId]).then(() => {
        revoked = true;
      });
      await vi.waitUntil(async () => revoked || (await isWaiting()), { timeout: 5_000, interval: 5 });
      waiting = true;
      await revocation;
    } finally {
      on = false;
      await Promise.all(lanes);
    }
    expect(passed).toEqual([]);
  });
});

describe('a session that keeps sending slow revocations, which fail at their time limit', () => {
  /** In ms: how long such a statement may run, a tenth of the real limit. PostgREST applies these settings. */
  async function timeLimits() {
    const [row] = await sql<[{ session: number; edge: number }]>`
      select
        (select extract(epoch from split_part(setting, '=', 2)::interval) * 100
          from pg_roles cross join unnest(rolconfig) as setting
          where rolname = 'authenticated' and setting like 'statement_timeout=%')::integer as session,
        (select extract(epoch from split_part(setting, '=', 2)::interval) * 100
          from pg_proc cross join unnest(proconfig) as setting
          where proname = 'revoke_key_at_edge' and setting like 'statement_timeout=%')::integer as edge`;
    return row;
  }

  it('does not delay the revocation by the edge', async () => {
    const { client } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const limits = await timeLimits();
    const setLimit = (ms: number) => `select set_config('statement_timeout', '${ms}ms', true)`;
    let on = true;
    let timeouts = 0;
    const lanes = Array.from({ length: 8 }, async (_, place) => {
      await wait(place * 60);
      while (on) {
        const slow = `select public.revoke_key('${client.clientId}'), pg_sleep(60)`;
        await sql
          .begin(async (transaction) => {
            await actAs(transaction, client);
            await transaction.unsafe(setLimit(limits.session));
            await transaction.unsafe(slow);
          })
          .catch(({ code }) => {
            if (code === '57014') timeouts += 1;
          });
      }
    });
    try {
      await vi.waitUntil(() => timeouts > 8, { timeout: 20_000 });
      await sql.begin(async (transaction) => {
        await actAs(transaction, client);
        await transaction.unsafe(setLimit(limits.edge));
        await transaction`select public.revoke_key_at_edge(${inject('edgeToken')}, ${client.clientId})`;
      });
    } finally {
      on = false;
      await Promise.all(lanes);
    }
    const rows = await sql`select from public.trading_keys where client_id = ${client.clientId}`;
    expect([limits.edge > limits.session, rows.length]).toEqual([true, 0]);
  });
});

describe("an admin's direct statement, which can change several clients and takes no gate before it begins", () => {
  const statements = {
    'a client': 'update public.clients set name = name where id = $1',
    bots: "update public.bots set status = 'stopped' where client_id = $1",
    policies: `insert into public.bot_policies (bot_id, client_id) select id, client_id from public.bots where client_id = $1
      on conflict (bot_id) do update set max_value = 1`,
    'a new token': `insert into public.machine_tokens (client_id, name, token_hash)
      values ($1, 'x', sha256(gen_random_uuid()::text::bytea))`,
    'an end of tokens': 'delete from public.machine_tokens where client_id = $1',
  };

  it.each(Object.entries(statements))('%s: fails at once while a revocation waits', async (_name, text) => {
    const { client } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const { client: other } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const admin = await sessions.newAdmin();
    const write = async ({ clientId }: Client) => {
      await sql`insert into public.machine_tokens (client_id, name, token_hash)
        values (${clientId}, 'a token', sha256(gen_random_uuid()::text::bytea))`;
      return asOwner(admin, text, [clientId]).then(
        () => 'ok',
        ({ hint }) => hint,
      );
    };
    expect(await write(client)).toBe('ok');
    let revocation: Promise<void> | undefined;
    await sql.begin(async (holder) => {
      await holder`select pg_advisory_xact_lock_shared(private.lock_of_gate(${client.clientId}))`;
      revocation = asOwner(client, 'select public.revoke_key($1)', [client.clientId]);
      await vi.waitUntil(isWaiting, { timeout: 20_000, interval: 5 });
      expect(await write(client)).toBe('database_busy');
      expect(await write(other)).toBe('ok');
    });
    await revocation;
    expect(await write(client)).toBe('ok');
  });
});

describe('with every place in the queue of a client taken, and its keys locked', () => {
  it('a start -> database_busy; a stop and an end of a token succeed', async () => {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const [bot = '', token = ''] = [bots[0], tokens[0]?.id];
    const call = (text: string, value: string) =>
      asOwner(client, text, [value]).then(
        () => 'ok',
        ({ hint }) => hint,
      );
    await sql.begin(async (holder) => {
      await holder`select pg_advisory_xact_lock(private.lock_of_keys(${client.clientId}))`;
      await holder`
        select pg_advisory_xact_lock(private.lock_of('place in the queue ' || place, ${client.clientId}))
        from generate_series(1, current_setting('max_connections')::integer / 8) as place`;
      expect(await call('select public.start_bot($1)', bot)).toBe('database_busy');
      expect(await call('select public.stop_bot($1)', bot)).toBe('ok');
      expect(await call('select public.revoke_token($1)', token)).toBe('ok');
    });
  });
});

describe('a stop whose caller keeps the transaction open', () => {
  it("does not delay another client's revocation", async () => {
    const [one, other] = [
      await sessions.newClientWithBots({ bots: 1, tokens: 1 }),
      await sessions.newClientWithBots({ bots: 1, tokens: 1 }),
    ];
    await asOwner(one.client, 'select public.stop_bot($1)', [one.bots[0] ?? ''], () =>
      asOwner(other.client, `select set_config('statement_timeout', '5s', true), public.revoke_key($1)`, [
        other.client.clientId,
      ]),
    );
    const [{ held }] = await sql<[{ held: number }]>`
      select count(*)::int as held from public.trading_keys where client_id = ${other.client.clientId}`;
    expect(held).toBe(0);
  });
});
