import { afterAll, describe, expect, it, vi } from 'vitest';
import { violationsOf } from '../support/invariants.ts';
import type { Outcome } from '../support/outcome.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import * as act from './actions.ts';
import { request, Sessions } from './sessions.ts';

const ROUNDS = 25;
const sessions = new Sessions();
afterAll(() => sessions.end());

// All results that a race may have beside `ok`; each race lists its own.
const NO_KEY = 'PT404 trading_key_missing';
const KEY_REQUIRED = 'PT409 private_key_required';
const BOT_WITHOUT_KEY = 'PT409 bot_key_missing';
const ANOTHER_ADDRESS = 'PT422 address_mismatch';
/** An envelope written directly into a table. A race that lists this result must also have it. */
const EDGE_REQUIRED = 'PT403 envelope_write_denied';

const { userId: admin } = await sessions.newAdmin();

/** A client with a key and four bots: one runs with a copy, one has an own key too, one is stopped, one has no wallet. */
async function household() {
  const { client, address, bots } = await sessions.newClientWithBots({ bots: 3, running: false, tokens: 0 });
  const [copying, owning, stopped, bare] = [...bots, ...(await sessions.newBots(client, 1))];
  if (!copying || !owning || !stopped || !bare) throw new Error('There are four bots.');
  await sessions.newWallets(client, [{ bot_id: owning, ...sealedWallet(client.clientId) }]);
  await sessions.sql`update public.bots set status = 'running' where id in (${copying}, ${owning})`;
  return { client, admin, address, copying, owning, stopped, bare };
}
type Household = Awaited<ReturnType<typeof household>>;
const own = (h: Household) => sealedWallet(h.client.clientId);

interface Race {
  readonly name: string;
  readonly racers: (h: Household) => act.Action[];
  readonly refusals: readonly Outcome[];
}

const RACES: readonly Race[] = [
  {
    name: 'two rotations and a rotation by an admin',
    racers: (h) => [act.rotateKey(h.client), act.rotateKey(h.client), act.rotateKey(h.client, h.admin)],
    refusals: [],
  },
  {
    name: 'rotate and add wallets, copies and own',
    racers: (h) => [
      act.rotateKey(h.client),
      act.addWallet(h.bare, h.admin),
      act.addWallet(h.stopped, h.admin, own(h)),
      act.addWallet(h.owning, h.admin, own(h)),
    ],
    refusals: [],
  },
  {
    name: 'rotate, create and set up bots',
    racers: (h) => [
      act.rotateKey(h.client),
      act.createBot(h.client, h.admin),
      act.createBot(h.client, h.admin, [own(h), own(h)]),
      act.setupBot(h.client),
      act.setupBot(h.client, own(h)),
    ],
    refusals: [],
  },
  {
    name: 'revoke and rotate',
    racers: (h) => [act.revokeKey(h.client), act.rotateKey(h.client), act.rotateKey(h.client, h.admin)],
    refusals: [NO_KEY],
  },
  {
    name: 'revoke and revoke',
    racers: (h) => [act.revokeKey(h.client), act.revokeKey(h.client, h.admin), act.deleteKey(h.client)],
    refusals: [NO_KEY],
  },
  {
    name: 'revoke and add wallets, copies and own',
    racers: (h) => [
      act.revokeKey(h.client),
      act.addWallet(h.bare, h.admin),
      act.addWallet(h.stopped, h.admin, own(h)),
      act.addWallet(h.owning, h.admin, own(h)),
    ],
    refusals: [KEY_REQUIRED],
  },
  {
    name: 'revoke, start and stop bots',
    racers: (h) => [
      act.revokeKey(h.client),
      act.startBot(h.stopped, h.client.userId),
      act.startBot(h.stopped, h.admin),
      act.stopBot(h.copying, h.client.userId),
      act.stopBot(h.copying, h.admin),
    ],
    refusals: [BOT_WITHOUT_KEY],
  },
  {
    name: 'revoke and set up bots',
    racers: (h) => [act.revokeKey(h.client), act.setupBot(h.client), act.setupBot(h.client, own(h))],
    refusals: [KEY_REQUIRED],
  },
  {
    name: "the client's own update, rotate and start",
    racers: (h) => [
      act.updateKey(h.client),
      act.rotateKey(h.client),
      act.rotateKey(h.client, h.admin),
      act.startBot(h.stopped, h.client.userId),
    ],
    refusals: [EDGE_REQUIRED],
  },
  {
    name: "the client's own delete, rotate, add and start",
    racers: (h) => [
      act.deleteKey(h.client),
      act.rotateKey(h.client),
      act.addWallet(h.bare, h.admin, own(h)),
      act.startBot(h.stopped, h.admin),
    ],
    refusals: [NO_KEY, BOT_WITHOUT_KEY],
  },
  {
    name: "the client's own start and stop, revoke and rotate",
    racers: (h) => [
      act.setStatus(h.stopped, 'running', h.client.userId),
      act.stopBot(h.copying, h.admin),
      act.setStatus(h.copying, 'running', h.client.userId),
      act.setStatus(h.owning, 'stopped', h.client.userId),
      act.revokeKey(h.client, h.admin),
      act.rotateKey(h.client),
    ],
    refusals: [NO_KEY, BOT_WITHOUT_KEY],
  },
  {
    name: "the client's own wallets, revoke and rotate",
    racers: (h) => [
      act.insertWallet(h.client, h.bare, { address: h.address }),
      act.insertWallet(h.client, h.stopped, own(h)),
      act.revokeKey(h.client),
      act.rotateKey(h.client, h.admin),
    ],
    refusals: [NO_KEY, KEY_REQUIRED, ANOTHER_ADDRESS, EDGE_REQUIRED],
  },
  {
    name: "an admin's wallets directly in the table, revoke and rotate",
    racers: (h) => [
      act.insertWallet(h.client, h.bare, { address: h.address }, h.admin),
      act.insertWallet(h.client, h.stopped, own(h), h.admin),
      act.revokeKey(h.client),
      act.rotateKey(h.client),
    ],
    refusals: [NO_KEY, KEY_REQUIRED, ANOTHER_ADDRESS, EDGE_REQUIRED],
  },
  {
    name: "an admin's update and delete directly in the table and rotate",
    racers: (h) => [
      act.updateKey(h.client, h.admin),
      act.deleteKey(h.client, h.admin),
      act.rotateKey(h.client),
    ],
    refusals: [NO_KEY, EDGE_REQUIRED],
  },
];

// An admin's statement locks the bot that it names before a trigger can lock the client. This is against the lock order, so
// the statement may have to be retried. The invariants must hold all the same.
const OUT_OF_ORDER: readonly Race[] = [
  {
    name: "an admin's start directly in the table and revoke",
    racers: (h) => [act.setStatus(h.stopped, 'running', h.admin), act.revokeKey(h.client)],
    refusals: [BOT_WITHOUT_KEY, '40P01'],
  },
];

/** Runs rounds of a race and returns how often each result occurred. The invariants must hold after every round. */
async function rounds(race: Race, count: number, run: (actions: act.Action[]) => Promise<Outcome[]>) {
  const seen = new Map<Outcome, number>();
  for (let round = 0; round < count; round += 1) {
    const h = await household();
    const racers = race.racers(h);
    // Each racer is sent first in some rounds.
    const outcomes = await run([
      ...racers.slice(round % racers.length),
      ...racers.slice(0, round % racers.length),
    ]);
    for (const outcome of outcomes) seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    expect(await violationsOf(sessions.sql, [h.client.clientId])).toEqual([]);
  }
  return seen;
}

const expectOnly = (seen: Map<Outcome, number>, refusals: readonly Outcome[]) => {
  if (!refusals.includes('40P01')) expect(seen.get('40P01') ?? 0, 'deadlocks').toBe(0);
  expect([...seen.keys()].filter((outcome) => outcome !== 'ok' && !refusals.includes(outcome))).toEqual([]);
  for (const outcome of ['ok', ...refusals.filter((refusal) => refusal === EDGE_REQUIRED)]) {
    expect(seen.get(outcome), outcome).toBeGreaterThan(0);
  }
};

describe.each(RACES)('$name', (race) => {
  it('in sessions', async () => {
    expectOnly(await rounds(race, ROUNDS, (actions) => sessions.race(actions)), race.refusals);
  });

  it('through the REST API', async () => {
    const send = (actions: act.Action[]) => Promise.all(actions.map((action) => request(action)));
    expectOnly(await rounds(race, 4, send), race.refusals);
  });
});

describe.each(OUT_OF_ORDER)('$name', (race) => {
  it('keeps the invariants of the client', async () => {
    expectOnly(await rounds(race, 6, (actions) => sessions.race(actions)), race.refusals);
  });
});

describe('a key that its client deletes with SQL while signatures are given', () => {
  const rotates = (h: Household) => sessions.race([act.rotateKey(h.client)]).then(([outcome]) => outcome);
  const deletes = (h: Household) =>
    sessions.sql`delete from public.trading_keys where client_id = ${h.client.clientId}`.then(() => 'ok');

  it.each([
    ['after a rotation', [rotates, deletes], ['ok', 'ok']],
    ['before a rotation', [deletes, rotates], ['ok', NO_KEY]],
  ] as const)('%s: both wait, and neither fails because of the other', async (_, racers, outcomes) => {
    const h = await household();
    const waiting = async () => {
      const rows = await sessions.sql`
        select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()
          and (query like '%rotate_key%' or query like 'delete from public.trading_keys%')`;
      return rows.length;
    };
    const raced: Promise<unknown>[] = [];
    await sessions.sql.begin(async (sql) => {
      await sql`select pg_advisory_xact_lock_shared(private.lock_of_keys(${h.client.clientId}))`;
      for (const racer of racers) {
        raced.push(racer(h));
        await vi.waitUntil(async () => (await waiting()) === raced.length);
      }
    });
    expect(await Promise.all(raced)).toEqual(outcomes);
    expect(
      await sessions.sql`select from public.trading_keys where client_id = ${h.client.clientId}`,
    ).toEqual([]);
    expect(await violationsOf(sessions.sql, [h.client.clientId])).toEqual([]);
  });
});

it('changes of the keys of a client wait in one queue, in the order in which they came', async () => {
  const { client } = await household();
  let outcomes: Promise<Outcome[]> = Promise.resolve([]);
  const waiting = await sessions.sql.begin(async (sql) => {
    const [{ pid }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
    await sql`select private.lock_trading_key(${client.clientId})`;
    await sql`update public.trading_keys set ${sql({ ...sealedWallet(client.clientId) })}
      where client_id = ${client.clientId}`;
    outcomes = sessions.race([act.rotateKey(client), act.deleteKey(client), act.rotateKey(client, admin)]);
    return vi.waitUntil(
      async () => {
        const locks = await sessions.sql<{ kind: string }[]>`
          with recursive behind (pid) as (
            values (${pid}::integer)
            union select waiting.pid from behind
              join pg_locks as waiting on not waiting.granted and behind.pid = any (pg_blocking_pids(waiting.pid)))
          select locktype as kind from pg_locks join behind using (pid) where not granted`;
        return locks.length === 3 && locks;
      },
      { timeout: 10_000 },
    );
  });
  // They must not wait for a row: the last waiter may get its new version first.
  expect([...waiting]).toEqual(Array(3).fill({ kind: 'advisory' }));
  const [rotated, deleted, rotatedByAdmin] = await outcomes;
  expect(deleted).toBe('ok');
  expect(['ok', NO_KEY]).toContain(rotated);
  expect(['ok', NO_KEY]).toContain(rotatedByAdmin);
  expect(await sessions.sql`select from public.trading_keys where client_id = ${client.clientId}`).toEqual(
    [],
  );
  expect(await violationsOf(sessions.sql, [client.clientId])).toEqual([]);
});

it.each([
  ['rotates', act.rotateKey],
  ['revokes', act.revokeKey],
])('an action that %s a key does not wait for a key that is not committed yet', async (_, action) => {
  const client = await sessions.newClient();
  await sessions.sql.begin(async (sql) => {
    const first = { client_id: client.clientId, ...sealedWallet(client.clientId) };
    await sql`insert into public.trading_keys ${sql(first)}`;
    expect(await sessions.race([action(client)])).toEqual([NO_KEY]);
  });
});

it('twelve concurrent bots directly in the table, with room for two -> two', async () => {
  for (let round = 0; round < 5; round++) {
    const client = await sessions.newClient();
    await sessions.newBots(client, 998);
    const outcomes = await sessions.race(Array.from({ length: 12 }, () => act.insertBot(client)));
    expect(outcomes.toSorted()).toEqual([...Array(10).fill('PT409 bot_limit_reached'), 'ok', 'ok']);
  }
});
