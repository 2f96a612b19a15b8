/** If the connection of a key change is cut, the change takes effect wholly or not at all, and the client can tell which. */
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type OwnApi, startOwnApi } from '../support/own-api.ts';
import { expectProblem } from '../support/problems.ts';
import { request } from '../support/worker.ts';
import { type Household, KINDS, stateOf } from './kinds.ts';
import type { Exchange } from './proxy.ts';
import { casesOf, changed, type Scene, startScene } from './scene.ts';

let scene: Scene;
let api: OwnApi;
let superuser: postgres.Sql;

beforeAll(async () => {
  // A connection of its own, because a driver whose session is ended may end its process too.
  api = await startOwnApi({
    databaseUrl: inject('databaseUrl'),
    jwtSecret: inject('jwtSecret'),
    publishableKey: inject('publishableKey'),
  });
  scene = await startScene(api.url);
  superuser = postgres(inject('superuserUrl'), { max: 4, onnotice: () => {} });
});

afterAll(async () => {
  await superuser?.end();
  await scene?.end();
  await api?.stop();
});

const KEY_CHANGES = KINDS.filter(({ name }) => ['set up', 'rotate', 'revoke'].includes(name));

/** Takes the lock of a client's keys as a signer does, and holds it until `release` is called. */
async function hold({ clientId }: Household) {
  const held = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const transaction = superuser.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock_shared(private.lock_of_keys(${clientId}))`;
    taken.resolve();
    await held.promise;
  });
  await taken.promise;
  return async () => {
    held.resolve();
    await transaction;
  };
}

/** The sessions that wait for the lock of this client's keys. */
const waiting = async ({ clientId }: Household) =>
  (
    await superuser<{ pid: number }[]>`
      select pid from pg_locks, private.lock_of_keys(${clientId}) as lock
      where locktype = 'advisory' and not granted
        and classid::bigint = (lock >> 32) & 4294967295 and objid::bigint = lock & 4294967295`
  ).map(({ pid }) => pid);

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(20);
}

/** Forwards a call, and disconnects the Worker as soon as the call waits for the lock. */
const cutOnceItWaits =
  (household: Household, through: Promise<unknown>[]) =>
  async ({ forward, request: incoming }: Exchange) => {
    through.push(forward().catch(() => undefined));
    await until(async () => (await waiting(household)).length > 0);
    incoming.socket.resetAndDestroy();
  };

describe.each(KEY_CHANGES)('$name', (kind) => {
  test('a key change that is cut off while it waits for a lock -> 503; it takes effect or not, and a retry gives the wanted state', async () => {
    const { proxy, worker, ask, expectWhole } = scene;
    const [one] = await casesOf([kind]);
    if (!one) throw new Error('no case');
    const { household, before } = one;
    const release = await hold(household);
    const through: Promise<unknown>[] = [];
    await proxy.meet(cutOnceItWaits(household, through), 1);
    expectProblem(await ask(kind, household), 503, 'database_unavailable');
    expect(await stateOf(household)).toEqual(before);
    await release();
    await Promise.all(through);
    await until(async () => (await waiting(household)).length === 0);
    await expectWhole(household);
    // The database API let the transaction continue, or ended it. Either is possible, and nothing in between.
    const done = changed(one);
    expect([before, done]).toContainEqual(await stateOf(household));

    // The API shows the client the actual state.
    const { address } = await stateOf(household);
    const shown = await request(
      worker.url,
      `GET /clients/${household.clientId}/trading-key`,
      household.token,
    );
    expect(shown.json.address ?? null).toBe(address);
    const again = await ask(kind, household);
    expect(kind.answers).toContain(again.status);
    const end = await stateOf(household);
    expect([end.address, end.running]).toEqual(
      kind.name === 'set up' ? [before.address, end.running] : [done.address, done.running],
    );
    await expectWhole(household);
  });

  test('a key change whose session is ended while it waits -> 503 without effect, and a retry executes it', async () => {
    const { proxy, ask, expectWhole } = scene;
    const [one] = await casesOf([kind]);
    if (!one) throw new Error('no case');
    const { household, before } = one;
    const release = await hold(household);
    await proxy.heal();
    const asked = ask(kind, household);
    await until(async () => (await waiting(household)).length > 0);
    for (const pid of await waiting(household)) await superuser`select pg_terminate_backend(${pid})`;
    expectProblem(await asked, 503, 'database_unavailable');
    await release();
    expect(await stateOf(household)).toEqual(before);
    await expectWhole(household);
    await until(
      async () => (await request(scene.worker.url, 'GET /ready')).json.dependencies.database.status === 'ok',
    );
    expect((await ask(kind, household)).status).toBe(kind.answers[0]);
    expect(await stateOf(household)).toEqual(changed(one));
    await expectWhole(household);
  });
});

describe.each(KEY_CHANGES.filter(({ name }) => name !== 'set up'))('$name', (kind) => {
  test('a key change that PostgreSQL cancels because of a deadlock -> succeeds in a second attempt', async () => {
    const { proxy, ask, expectWhole } = scene;
    const [one] = await casesOf([kind]);
    if (!one) throw new Error('no case');
    const { household } = one;
    await proxy.heal();
    const asked = Promise.withResolvers<Awaited<ReturnType<typeof ask>>>();
    await superuser.begin(async (sql) => {
      // PostgreSQL cancels the transaction that checks for deadlocks first: not this one.
      await sql`set local deadlock_timeout = '1min'`;
      await sql`select from public.clients where id = ${household.clientId} for update`;
      ask(kind, household).then(asked.resolve, asked.reject);
      await until(async () => {
        const rows = await superuser`
          select from pg_locks, private.lock_of_keys(${household.clientId}) as lock
          where locktype = 'advisory' and granted
            and classid::bigint = (lock >> 32) & 4294967295 and objid::bigint = lock & 4294967295`;
        return rows.length > 0;
      });
      await wait(100);
      await sql`select private.lock_keys(${household.clientId})`;
    });
    const answer = await asked.promise;
    expect(answer.status).toBe(kind.answers[0]);
    expect(proxy.calls).toEqual([kind.calls, kind.calls]);
    expect(await stateOf(household)).toEqual(changed(one));
    await expectWhole(household);
  });
});
