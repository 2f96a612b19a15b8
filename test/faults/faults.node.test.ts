/** Every kind of call with every fault between the Worker and the database: the real Worker, the real database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { request } from '../support/worker.ts';
import { ENDLESS_CHUNK, endless, FAILING } from './faults.ts';
import { KINDS, stateOf } from './kinds.ts';
import type { DatabaseProxy } from './proxy.ts';
import { casesOf, changed, expectNothingSecret, type Scene, startScene } from './scene.ts';

/** Responses that no client should get. */
const FOR_ADMINS = new Set(['GET /keys/status', 'GET /events', 'GET /events/checkpoints']);

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});

afterAll(() => scene?.end());

describe.each(FAILING)('$name', ({ name, begin, reaches }) => {
  test('every call -> 503 database_unavailable; it takes effect wholly or not at all, and the next call succeeds', async () => {
    const { proxy, worker, ask, expectWhole } = scene;
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
      await expectWhole(one.household);
    }
    // Each call is sent once; a repeatable one twice.
    const once = KINDS.flatMap(({ calls: name, repeated }) => (repeated ? [name, name] : [name])).sort();
    expect(calls).toEqual(name.startsWith('connections') ? [] : once);

    // Without a restart or a pause: the next call succeeds.
    expect(
      await request(worker.url, 'GET /ready').then(({ json }) => json.dependencies.database.status),
    ).toBe('ok');
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
      await expectWhole(one.household);
    }
  });
});

describe('a temporary fault', () => {
  test.each(FAILING.filter(({ name }) => !/^connections/.test(name)))(
    '$name, once -> a repeatable call succeeds',
    async ({ begin }) => {
      const { proxy, ask } = scene;
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

  test.each([
    ['a transaction that PostgreSQL rolled back', 500, { code: '40001', message: 'x' }],
    ['a deadlock that PostgreSQL ended', 500, { code: '40P01', message: 'x' }],
    ['a token that PostgREST takes for one of the future', 401, { code: 'PGRST303', message: 'x' }],
    ['an API key that the gateway rejects', 401, { message: 'Invalid API key', hint: 'x' }],
  ])('%s, once -> every call is executed exactly once', async (_, status, body) => {
    const { proxy, ask } = scene;
    for (const one of await casesOf(KINDS)) {
      await proxy.meet(async ({ response }) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      }, 1);
      const answer = await ask(one.kind, one.household);
      expect([one.kind.name, answer.status]).toEqual([one.kind.name, one.kind.answers[0]]);
      expect(proxy.calls).toEqual([one.kind.calls, one.kind.calls]);
      expect(await stateOf(one.household)).toEqual(changed(one));
    }
    await proxy.heal();
  });
});

test.each([
  { as: 'nothing', headers: {} },
  { as: 'a few bytes', headers: { 'content-length': '64', 'transfer-encoding': 'chunked' } },
])(
  'an endless response that declares $as as its length is cut off at the size limit, before the time limit',
  async ({ headers }) => {
    const { proxy, ask } = scene;
    const [one] = await casesOf(KINDS.filter(({ name }) => name === 'rotate'));
    if (!one) throw new Error('no case');
    let bytes = 0;
    await proxy.meet(endless((more) => (bytes += more), headers));
    expectProblem(await ask(one.kind, one.household), 503, 'database_unavailable');
    await proxy.heal();
    // 2 MiB are read; the rest is in buffers between the processes.
    expect(bytes).toBeGreaterThanOrEqual(2 * ENDLESS_CHUNK);
    expect(bytes).toBeLessThan(16 * ENDLESS_CHUNK);
  },
);

test('a call that the Worker retries is read-only in the database, or a stop', async () => {
  const functions = await scene.sql<{ name: string }[]>`
    select proname as name from pg_proc
    where pronamespace = 'public'::regnamespace and provolatile = 'v'`;
  const changing = functions.map(({ name }) => name);
  const gets = operations.filter(({ line, security }) => line.startsWith('GET ') && security.length > 0);
  const [one] = await casesOf(KINDS.filter(({ name }) => name === 'read'));
  if (!one) throw new Error('no case');
  const { token, machineToken, clientId, botId } = one.household;
  const admin = await newAdmin();
  const asked = new Set<string>();
  for (const { line } of gets) {
    await scene.proxy.heal();
    const id = line.includes('/bots/{id}') ? botId : clientId;
    const answer = await request(
      scene.worker.url,
      line.replace('{id}', id),
      line.startsWith('GET /runner/') ? machineToken : FOR_ADMINS.has(line) ? admin.token : token,
    );
    expect([line, answer.status, scene.proxy.calls.length]).toEqual([line, 200, 1]);
    asked.add(scene.proxy.calls[0] ?? '');
  }
  // These record, once a minute, that the token is in use, and chain, once, the queued events.
  expect([...asked].filter((name) => changing.includes(name)).sort()).toEqual([
    'get_runner_bot',
    'list_deployment_events',
    'list_key_events',
    'list_runner_bots',
  ]);
});
