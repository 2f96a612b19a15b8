/** Every kind of call meets every way in which the road to the database fails: the real Worker, the real database. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { violationsOf } from '../database/invariants.ts';
import { request } from '../e2e/worker.ts';
import { MASTER_KEY, settings } from '../support/api.ts';
import { opened, stored } from '../support/bots.ts';
import { textsOf } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { recordText } from '../support/recorder.ts';
import { type Bundle, bundle, type Served, serve } from '../support/workerd.ts';
import { ENDLESS_CHUNK, endless, FAILING } from './faults.ts';
import { type Household, KINDS, type Kind, newHousehold, type State, stateOf } from './kinds.ts';
import { type DatabaseProxy, startProxy } from './proxy.ts';

let sql: postgres.Sql;
let proxy: DatabaseProxy;
let built: Bundle;
let worker: Served;

beforeAll(async () => {
  sql = postgres(inject('databaseUrl'), { max: 2, onnotice: () => {} });
  proxy = await startProxy(new URL(inject('supabaseUrl')));
  built = await bundle('test/faults/impatient-worker.ts');
  worker = await serve(built, { ...settings(), SUPABASE_URL: proxy.url });
});

afterAll(async () => {
  await worker?.stop();
  recordText(worker?.output() ?? '');
  built?.remove();
  await proxy?.close();
  await sql?.end();
});

const ask = (kind: Kind, household: Household) =>
  request(
    worker.url,
    kind.line(household),
    kind.asRunner ? household.machineToken : household.token,
    kind.body?.(household),
  );

/** A household that a fault meets at one kind of call. */
interface Case {
  readonly kind: Kind;
  readonly household: Household;
  readonly before: State;
}

async function casesOf(kinds: readonly Kind[]): Promise<Case[]> {
  return Promise.all(
    kinds.map(async (kind) => {
      const household = await newHousehold();
      return { kind, household, before: await stateOf(household) };
    }),
  );
}

/** Everything in place, and every stored envelope opens to a key that this client submitted. */
async function expectWhole({ household }: Case): Promise<void> {
  expect(await violationsOf(sql, [household.clientId])).toEqual([]);
  const { trading, wallets } = await stored(household);
  const submitted = [household.key, household.nextKey];
  for (const row of [...(trading ? [trading] : []), ...wallets]) {
    if (row.encrypted_key === null) continue;
    const key = submitted.find(({ address }) => address === row.address);
    expect(await opened(household, row)).toEqual(key?.secret);
  }
}

function expectNothingSecret(text: string, { key, nextKey, token, machineToken }: Household): void {
  for (const secret of [...textsOf(key), ...textsOf(nextKey), token, machineToken, MASTER_KEY, 'eyJ'])
    expect(text).not.toContain(secret);
}

const changed = ({ kind, household, before }: Case): State => ({
  ...before,
  ...kind.change(before, household),
});

describe.each(FAILING)('$name', ({ name, begin, reaches }) => {
  test('every call -> 503 database_unavailable, wholly done or not at all, and all is well afterwards', async () => {
    const cases = await casesOf(KINDS);
    await begin(proxy);
    const answers = await Promise.all(cases.map(({ kind, household }) => ask(kind, household)));
    const calls = [...proxy.calls].sort();
    await proxy.heal();

    expect(cases.map(({ kind }, i) => [kind.name, answers[i]?.status, answers[i]?.json.code])).toEqual(
      cases.map(({ kind }) => [kind.name, 503, 'database_unavailable']),
    );
    for (const [i, one] of cases.entries()) {
      const answer = answers[i];
      if (answer) expectProblem(answer, 503, 'database_unavailable');
      expectNothingSecret(JSON.stringify([...(answer?.headers ?? [])]) + answer?.text, one.household);
      expect([one.kind.name, await stateOf(one.household)]).toEqual([
        one.kind.name,
        reaches ? changed(one) : one.before,
      ]);
      await expectWhole(one);
    }
    // Once each; what may be repeated, twice.
    const once = KINDS.flatMap(({ calls: name, repeated }) => (repeated ? [name, name] : [name])).sort();
    expect(calls).toEqual(name.startsWith('connections') ? [] : once);

    // No restart, no waiting: the next call is answered.
    expect(await request(worker.url, 'GET /ready').then(({ status }) => status)).toBe(200);
    for (const one of cases) {
      const { kind, household, before } = one;
      const again = await ask(kind, household);
      expect([kind.name, again.status]).toEqual([kind.name, kind.answers[reaches ? 1 : 0]]);
      const then = reaches ? changed(one) : before;
      const change = reaches ? (kind.changeAgain ?? kind.change) : kind.change;
      expect([kind.name, await stateOf(household)]).toEqual([
        kind.name,
        { ...then, ...change(then, household) },
      ]);
      await expectWhole(one);
    }
  });
});

describe('a fault that passes', () => {
  test.each(FAILING.filter(({ name }) => !/^connections/.test(name)))(
    '$name, once -> a call that is repeated is answered',
    async ({ begin }) => {
      const kinds = KINDS.filter(({ repeated }) => repeated);
      for (const one of await casesOf(kinds)) {
        const firstOnly = {
          ...proxy,
          meet: (fault: Parameters<DatabaseProxy['meet']>[0]) => proxy.meet(fault, 1),
        };
        await begin(firstOnly);
        const answer = await ask(one.kind, one.household);
        expect([one.kind.name, answer.status, proxy.calls]).toEqual([
          one.kind.name,
          200,
          [one.kind.calls, one.kind.calls],
        ]);
        expect(await stateOf(one.household)).toEqual(changed(one));
      }
      await proxy.heal();
    },
  );

  test('a transaction that PostgreSQL undid is done again, whatever it does', async () => {
    for (const code of ['40001', '40P01']) {
      for (const one of await casesOf(KINDS)) {
        await proxy.meet(async ({ response }) => {
          response
            .writeHead(500, { 'content-type': 'application/json' })
            .end(JSON.stringify({ code, message: 'x' }));
        }, 1);
        const answer = await ask(one.kind, one.household);
        expect([one.kind.name, answer.status]).toEqual([one.kind.name, one.kind.answers[0]]);
        expect(proxy.calls).toEqual([one.kind.calls, one.kind.calls]);
        expect(await stateOf(one.household)).toEqual(changed(one));
      }
    }
    await proxy.heal();
  });
});

test('an answer without end is cut off by its size, before its time is over', async () => {
  const [one] = await casesOf(KINDS.filter(({ name }) => name === 'rotate'));
  if (!one) throw new Error('no case');
  let bytes = 0;
  await proxy.meet(endless((more) => (bytes += more)));
  expectProblem(await ask(one.kind, one.household), 503, 'database_unavailable');
  await proxy.heal();
  // 16 MiB are read; the rest stands in buffers on the way.
  expect(bytes).toBeGreaterThanOrEqual(16 * ENDLESS_CHUNK);
  expect(bytes).toBeLessThan(32 * ENDLESS_CHUNK);
});
