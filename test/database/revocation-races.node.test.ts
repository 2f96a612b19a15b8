/** A revocation, while a session of the client and its runners do everything they can to delay it. */
import { setTimeout as wait } from 'node:timers/promises';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import { BUSY, type Outcome } from '../support/outcome.ts';
import { newProject } from '../support/people.ts';
import type { Project } from '../support/projects.ts';
import type { Client, ClientRows } from '../support/rows.ts';
import * as act from './actions.ts';
import { reportFailure } from './monitors.ts';
import { Sessions } from './sessions.ts';
import { Signers } from './signers.ts';

/** The time within which a revocation must commit. */
const LIMIT_MS = 1_000;
const DEADLOCK = '40P01';

// A database of its own, so that its deadlock counter covers only these races.
let project: Project;
let sessions: Sessions;
let admin: string;
beforeAll(async () => {
  project = await newProject();
  sessions = new Sessions(project.databaseUrl);
  admin = (await sessions.newAdmin()).userId;
});
afterAll(async () => {
  const [row] = await sessions.sql<[{ deadlocks: string }]>`
    select deadlocks from pg_stat_database where datname = current_database()`;
  await sessions.end();
  expect(row.deadlocks).toBe('0');
});

type House = ClientRows;
const pick = <Item>(items: readonly Item[]): Item =>
  items[Math.floor(Math.random() * items.length)] ?? raise();

/** Connections that each repeat an action until the end. */
class Flood {
  readonly outcomes = new Map<Outcome, number>();
  readonly #sessions: Sessions;
  readonly #running: Promise<void>[];
  readonly #lanes = new Set<number>();
  #stopped = false;

  constructor(connections: number, once: (sessions: Sessions, lane: number) => Promise<Outcome>) {
    this.#sessions = new Sessions(project.databaseUrl, connections);
    const run = async (lane: number) => {
      while (!this.#stopped) {
        const outcome = await once(this.#sessions, lane);
        this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
        this.#lanes.add(lane);
      }
    };
    this.#running = Array.from({ length: connections }, (_, lane) => run(lane));
  }

  /** Waits until every connection has completed an action, and many have repeated it. */
  async isOn(): Promise<void> {
    const calls = () => [...this.outcomes.values()].reduce((sum, count) => sum + count, 0);
    while (this.#lanes.size < this.#running.length || calls() < 3 * this.#running.length) await wait(5);
  }

  async end(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    await this.#sessions.end();
  }
}

/** Returns the duration in milliseconds, and asserts that the first attempt succeeded. */
async function timed(revocation: act.Action): Promise<number> {
  const began = performance.now();
  expect(await sessions.attempt(revocation)).toBe('ok');
  return performance.now() - began;
}

const keyOf = ({ client }: House) =>
  sessions.sql`select from public.trading_keys where client_id = ${client.clientId}`;

describe.each<[string, (house: House) => act.Action]>([
  ['by an admin', ({ client }) => act.revokeKey(client, admin)],
  ['by the client', ({ client }) => act.revokeKey(client)],
])('a revocation %s', (_, revocation) => {
  it.each<[string, (house: House) => act.Action]>([
    ['starts', ({ client, bots }) => act.startBot(pick(bots), client.userId)],
    [
      'starts directly at the table',
      ({ client, bots }) => act.setStatus(pick(bots), 'running', client.userId),
    ],
    ['set-ups', ({ client }) => act.setupBot(client)],
    ['rotations', ({ client }) => act.rotateKey(client)],
    [
      'starts, stops, policies, tokens, rotations and set-ups',
      ({ client, bots, tokens }) =>
        pick([
          () => act.startBot(pick(bots), client.userId),
          () => act.stopBot(pick(bots), client.userId),
          () => act.setStatus(pick(bots), 'running', client.userId),
          () => act.setPolicy(pick(bots), client.userId, { max_value: `${Math.ceil(Math.random() * 1e9)}` }),
          () => act.issueToken(pick(bots), client.userId),
          () => act.revokeToken(pick(tokens).id, client.userId),
          () => act.rotateKey(client),
          () => act.setupBot(client),
        ])(),
    ],
  ])('is not delayed by 16 connections of %s', async (_, flooding) => {
    const house = await sessions.newClientWithBots({ bots: 3, tokens: 2 });
    const flood = new Flood(16, (own) => own.attempt(flooding(house)));
    await flood.isOn();
    const took = await timed(revocation(house));
    await flood.end();
    expect(took).toBeLessThan(LIMIT_MS);
    expect(await keyOf(house)).toEqual([]);
    expect([...flood.outcomes.keys()]).not.toContain(DEADLOCK);
    expect(await violationsOf(sessions.sql, [house.client.clientId])).toEqual([]);
  });

  it('is not delayed by statements that overlap without a gap', async () => {
    const house = await sessions.newClientWithBots({ bots: 2, tokens: 1 });
    const slowMs = 400;
    // Like PATCH bots?name=match.… with a slow pattern: the statement holds its locks while it looks for rows.
    const slow = (bot: string): act.Action => {
      const action = act.setStatus(bot, 'stopped', house.client.userId);
      return { ...action, text: `${action.text} and pg_sleep(${slowMs / 1000}) is not null` };
    };
    let isFirst = true;
    const flood = new Flood(2, async (own, lane) => {
      if (lane === 1 && isFirst) await wait(slowMs / 2);
      if (lane === 1) isFirst = false;
      return own.attempt(slow(house.bots[lane] ?? raise()));
    });
    await flood.isOn();
    const took = await timed(revocation(house));
    await flood.end();
    expect(took).toBeLessThan(LIMIT_MS);
    expect([...flood.outcomes.keys()]).toEqual(['ok']);
  });
});

describe('concurrent revocation, issue and revocation of tokens, quarantine, signatures, starts and stops', () => {
  it('end without a deadlock; then no earlier token exists, and nothing signs', async () => {
    const seen = new Set<Outcome>();
    for (let round = 0; round < 6; round++) {
      const { client, bots, tokens } = await sessions.newClientWithBots({ bots: 3, tokens: 3 });
      await sessions.sql`insert into public.bot_policies (bot_id, client_id, quarantine_after)
        select id, ${client.clientId}, 3 from unnest(${bots}::uuid[]) as id`;
      const signers = new Signers(6, project.databaseUrl);
      for (let i = 0; i < 6; i++) signers.start(tokens[i % 3] ?? raise(), bots[i % 3] ?? raise());
      const flood = new Flood(10, (own, lane) => {
        const bot = pick(bots);
        if (lane < 2) return reportFailure(own.sql, pick(tokens), bot);
        if (lane < 4) return own.attempt(act.issueToken(bot, lane === 2 ? client.userId : admin));
        if (lane === 4) return own.attempt(act.revokeToken(tokens[2]?.id ?? raise(), client.userId));
        if (lane === 5) return own.attempt(act.setPolicy(bot, client.userId, { quarantine_after: 2 }));
        return own.attempt((lane % 2 ? act.stopBot : act.startBot)(bot, lane < 8 ? client.userId : admin));
      });
      await flood.isOn();
      let after = '';
      const began = performance.now();
      const revoked = await sessions.attempt(
        act.revokeKey(client, round % 2 ? admin : client.userId),
        async (sql) => {
          after = await snapshot(sql);
        },
      );
      const took = performance.now() - began;
      await wait(50);
      await flood.end();
      await signers.end();
      expect([revoked, took < LIMIT_MS]).toEqual(['ok', true]);

      // Any token that exists was issued after the revocation. It signs nothing either, because no bot runs.
      expect(await tokensBefore(client, after)).toEqual([]);
      const late = new Signers(1, project.databaseUrl);
      const fresh = await sessions.newToken(client);
      for (const bot of bots) {
        for (const token of tokens) expect(await late.checkOut(token, bot)).toBe('PT401 token_invalid');
        expect(await late.checkOut(fresh, bot)).toBe('PT409 bot_not_running');
      }
      await late.end();
      expect(await signedAfter(client, after)).toEqual([]);
      expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
      for (const outcome of [...flood.outcomes.keys(), ...signers.outcomes.keys()]) seen.add(outcome);
    }
    const due = ['PT401 token_invalid', 'PT404 resource_not_found', 'PT409 bot_key_missing', 'counted', 'ok'];
    expect([...seen]).toEqual(expect.arrayContaining(due));
    const known = [...due, 'PT409 bot_not_running', 'PT409 token_limit_reached', 'quarantined', BUSY];
    expect([...seen].filter((outcome) => !known.includes(outcome))).toEqual([]);
  });

  /** The transactions that had ended when the revocation committed. */
  const snapshot = async (sql: postgres.TransactionSql) => {
    await sql`select set_config('role', 'none', true)`;
    const [row] = await sql<[{ snapshot: string }]>`select pg_current_snapshot()::text as snapshot`;
    return row.snapshot;
  };
  const tokensBefore = ({ clientId }: Client, after: string) => sessions.sql`
    select id from public.machine_tokens where client_id = ${clientId}
      and pg_visible_in_snapshot(xmin::text::xid8, ${after}::pg_snapshot)`;
  const signedAfter = ({ clientId }: Client, after: string) => sessions.sql`
    select id from private.queued_key_events where client_id = ${clientId} and event = 'key_released'
      and not pg_visible_in_snapshot(xmin::text::xid8, ${after}::pg_snapshot)`;
});

function raise(): never {
  throw new TypeError('a value is missing');
}
