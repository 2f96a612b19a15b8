/** A REST API with as many connections as a small hosted project has: one client's locks leave some of them to others. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { type Outcome, outcomeOf } from '../support/outcome.ts';
import { type OwnApi, startOwnApi } from '../support/own-api.ts';
import { accessToken, newProject } from '../support/people.ts';
import type { Client, TokenRow } from '../support/rows.ts';
import { Sessions } from './sessions.ts';

let sessions: Sessions;
let api: OwnApi;
let poolSize: number;

beforeAll(async () => {
  const { databaseUrl } = await newProject();
  sessions = new Sessions(databaseUrl);
  const [{ connections }] = await sessions.sql<[{ connections: number }]>`
    select current_setting('max_connections')::integer as connections`;
  await waitLongForLocks();
  // A small hosted project has 60 connections, and 10 of them in the pool.
  poolSize = Math.round(connections / 6);
  const [jwtSecret, publishableKey] = [inject('jwtSecret'), inject('publishableKey')];
  api = await startOwnApi({ databaseUrl, jwtSecret, publishableKey, poolSize });
});
afterAll(() => Promise.all([sessions.end(), api.stop()]));

/** The usual limits are seconds. The machine of a test may need longer to bring all calls to their locks. */
async function waitLongForLocks(): Promise<void> {
  await sessions.sql`do $$
    declare called regprocedure;
    begin
      for called in select oid from pg_proc
        where pronamespace = 'public'::regnamespace and proname in ('check_out_key', 'revoke_key') loop
        execute format('alter function %s set statement_timeout = ''60s''', called);
      end loop;
    end $$`;
}

async function rpc(name: string, args: object, userId?: string): Promise<Outcome> {
  const token = userId === undefined ? inject('publishableKey') : await accessToken({ sub: userId });
  const response = await fetch(`${api.url}/rest/v1/rpc/${name}`, {
    method: 'POST',
    headers: {
      apikey: inject('publishableKey'),
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(args),
  });
  const text = await response.text();
  const { code, hint } = response.ok ? {} : (JSON.parse(text) as { code?: string; hint?: string });
  return response.ok ? 'ok' : outcomeOf(code, hint);
}

/** More concurrent signers than there are connections. */
function manySign(bot: string, { token }: TokenRow) {
  const signing = { kind: 'evm.message', recipients: [], value: '0', digest: 'ab'.repeat(32) };
  const args = { edge_token: inject('edgeToken'), token, bot_id: bot, signing };
  return Array.from({ length: Math.round(poolSize * 1.4) }, () => callOf(rpc('check_out_key', args)));
}

interface Call {
  readonly outcome: Promise<Outcome>;
  readonly hasEnded: boolean;
}

function callOf(outcome: Promise<Outcome>): Call {
  let hasEnded = false;
  const ended = outcome.finally(() => {
    hasEnded = true;
  });
  return {
    outcome: ended,
    get hasEnded() {
      return hasEnded;
    },
  };
}

async function waitingForLocks(): Promise<number> {
  const [row] = await sessions.sql<[{ waiting: number }]>`
    select count(*)::integer as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return row.waiting;
}

describe('while the keys of a client are held and more signers wait than there are connections', () => {
  async function scene() {
    const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 1, tokens: 1 });
    const other = await sessions.newClient();
    const read = () => rpc('get_own_client', {}, other.userId);
    // Every connection is open.
    await Promise.all(Array.from({ length: poolSize }, read));
    /** Three reads while no call of the first client ends, so that none leaves its connection to them. */
    const reads = async (calls: readonly Call[]) => {
      const unanswered = () => calls.filter((call) => !call.hasEnded).length;
      await vi.waitUntil(async () => (await waitingForLocks()) === unanswered(), { timeout: 30_000 });
      const before = unanswered();
      const outcomes = [await read(), await read(), await read()];
      return { outcomes, ended: before - unanswered() };
    };
    return { client, bot: bots[0] ?? raise(), token: tokens[0] ?? raise(), reads };
  }
  const hold = (client: Client, meanwhile: () => Promise<void>) =>
    sessions.sql.begin(async (sql) => {
      await sql`select pg_advisory_xact_lock(private.lock_of_keys(${client.clientId}))`;
      await meanwhile();
    });
  const AT_ONCE = { outcomes: ['ok', 'ok', 'ok'], ended: 0 };
  const outcomesOf = (calls: readonly Call[]) => Promise.all(calls.map(({ outcome }) => outcome));

  it('another client reads at once; some signers wait and sign, and the requests of the others had no effect', async () => {
    const { client, bot, token, reads } = await scene();
    let signers: Call[] = [];
    await hold(client, async () => {
      signers = manySign(bot, token);
      expect(await reads(signers)).toEqual(AT_ONCE);
    });
    const outcomes = await outcomesOf(signers);
    expect(new Set(outcomes)).toEqual(new Set(['ok', 'PT503 database_busy']));
    const signed = await sessions.sql`
      select id from private.every_key_event where client_id = ${client.clientId} and event = 'key_released'`;
    expect(signed).toHaveLength(outcomes.filter((outcome) => outcome === 'ok').length);
  });

  it('another client reads at once, also while a revocation waits and signers wait behind it', async () => {
    const { client, bot, token, reads } = await scene();
    const calls: Call[] = [];
    let revoked: Call | undefined;
    await hold(client, async () => {
      calls.push(...manySign(bot, token));
      await vi.waitUntil(async () => (await waitingForLocks()) > 0, { timeout: 30_000 });
      revoked = callOf(rpc('revoke_key', { client_id: client.clientId }, client.userId));
      calls.push(revoked, ...manySign(bot, token));
      expect(await reads(calls)).toEqual(AT_ONCE);
    });
    expect(await revoked?.outcome).toBe('ok');
    const outcomes = await outcomesOf(calls);
    const known = ['ok', 'PT503 database_busy', 'PT401 token_invalid'];
    expect(outcomes.filter((outcome) => !known.includes(outcome))).toEqual([]);
  });
});

function raise(): never {
  throw new TypeError('a value is missing');
}
