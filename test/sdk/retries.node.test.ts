import { afterEach, describe, expect, test } from 'vitest';
import { createClient, type TradingKeysClient } from '../../src/sdk/client.ts';
import { ApiProblem } from '../../src/sdk/errors.ts';
import { delayBeforeRetry, parseRetryAfter } from '../../src/sdk/retry.ts';
import { type Answer, hangUp, json, problem, type StandIn, silence, startStandIn } from './stand-in.ts';

const ID = '01a20567-9c9d-712c-b393-fbd8562d7591';
const done = json({ status: 'ok', items: [] });

let server: StandIn | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** The result of a call, and the number of requests. */
async function outcome(
  call: (api: TradingKeysClient) => Promise<unknown>,
  ...answers: [Answer, ...Answer[]]
) {
  server = await startStandIn(...answers);
  const timeoutMs = answers.includes(silence) ? 500 : 30_000;
  const api = createClient({ url: server.url, token: 'tk_test', timeoutMs });
  const code = await call(api).then(
    () => 'done',
    (error) => error.code,
  );
  return [code, server.asked.length];
}

/** Calls that have the same effect when repeated. */
const reading: Record<string, (api: TradingKeysClient) => Promise<unknown>> = {
  'GET /runner/bots': (api) => api.runner.bots(),
  'DELETE /clients/{id}/revoke-key': (api) => api.clients.revokeKey(ID),
  'DELETE /tokens/{id}': (api) => api.tokens.revoke(ID),
  'POST /bots/{id}/heartbeat': (api) => api.bots.heartbeat(ID, { status: 'ok' }),
  'POST /bots/{id}/stop': (api) => api.bots.stop(ID),
};
/** Calls that the API executes once for each Idempotency-Key. */
const changing: Record<string, (api: TradingKeysClient) => Promise<unknown>> = {
  'POST /bots/{id}/sign': (api) => api.bots.sign(ID, { type: 'evm.message', message: 'hello' }),
  'POST /bots/{id}/tokens': (api) => api.bots.issueToken(ID, { name: 'a' }),
  'POST /bots/{id}/start': (api) => api.bots.start(ID),
  'POST /clients': (api) => api.clients.create({ name: 'a', email: 'a@example.test' }),
  'PUT /clients/{id}/rotate-key': (api) => api.clients.rotateKey(ID, { private_key: '00' }),
};
const passing: Record<string, Answer> = {
  'a connection that ends': hangUp,
  'no response in time': silence,
  '429': problem('rate_limited', 429),
  '502 of a proxy': json({}, 502),
  '503 with Retry-After: 0': problem('database_busy', 503, { 'retry-after': '0' }),
  '503 of a proxy': json({}, 503),
  '504 of a proxy': json({}, 504),
};
const retryNow = { 'retry-after': '0' };

/** The keys of all attempts of all calls. */
const keys = () => server?.asked.map(({ headers }) => headers['idempotency-key']) ?? [];

describe.each(Object.entries({ ...reading, ...changing }))('%s', (_line, call) => {
  test.each(Object.entries(passing))('is sent again after %s', async (_name, failure) => {
    expect(await outcome(call, failure, done)).toEqual(['done', 2]);
  });

  test.each([
    ['403', problem('policy_value_exceeded', 403), 'policy_value_exceeded'],
    ['404', problem('resource_not_found', 404), 'resource_not_found'],
    ['500', problem('internal_error', 500), 'internal_error'],
    [
      '503 of the API without Retry-After, which only the operator can end',
      problem('master_key_missing', 503),
      'master_key_missing',
    ],
  ])('is not sent again after %s', async (_status, failure, code) => {
    expect(await outcome(call, failure, done)).toEqual([code, 1]);
  });
});

describe.each(Object.entries(changing))('%s', (_line, call) => {
  test('has one new Idempotency-Key for all attempts of a call', async () => {
    const again = async (api: TradingKeysClient) => [await call(api), await call(api)];
    expect(await outcome(again, hangUp, problem('database_busy', 503, retryNow), done)).toEqual(['done', 4]);
    const [first, ...others] = keys();
    expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(others.slice(0, 2)).toEqual([first, first]);
    expect(others[2]).toMatch(/^[0-9a-f-]{36}$/);
    expect(others[2]).not.toBe(first);
  });
});

describe.each(Object.entries(reading))('%s', (_line, call) => {
  test('has no Idempotency-Key', async () => {
    await outcome(call, hangUp, done);
    expect(keys()).toEqual([undefined, undefined]);
  });
});

describe("a caller's own Idempotency-Key", () => {
  const own = { idempotencyKey: 'trade-42' };

  test.each<[string, (api: TradingKeysClient) => Promise<unknown>]>([
    ['a signature', (api) => api.bots.sign(ID, { type: 'evm.message', message: 'hello' }, own)],
    ['a start', (api) => api.bots.start(ID, own)],
    ['a rotation', (api) => api.clients.rotateKey(ID, { private_key: '00' }, own)],
    ['a heartbeat', (api) => api.bots.heartbeat(ID, { status: 'ok' }, own)],
  ])('is sent for %s, with every attempt', async (_, call) => {
    expect(await outcome(call, hangUp, done)).toEqual(['done', 2]);
    expect(keys()).toEqual(['trade-42', 'trade-42']);
  });

  test('is not sent if the API ignores it, and does not make such a call repeatable', async () => {
    await outcome((api) => api.ready(own), hangUp);
    expect(keys()).toEqual([undefined]);
  });

  test.each(['', 'a b', 'é', 'x'.repeat(256), 'a\r\nb'])(
    'that is malformed is rejected before any request',
    async (key) => {
      server = await startStandIn(done);
      const api = createClient({ url: server.url });
      await expect(api.bots.start(ID, { idempotencyKey: key })).rejects.toThrow(TypeError);
      expect(server.asked).toEqual([]);
    },
  );
});

describe('the pause before a retry', () => {
  test('sends three requests in all, then throws the last problem', async () => {
    const busy = problem('database_busy', 503, retryNow);
    expect(await outcome((api) => api.runner.bots(), busy)).toEqual(['database_busy', 3]);
  });

  test('is as long as Retry-After', async () => {
    const start = performance.now();
    await outcome((api) => api.runner.bots(), problem('database_busy', 503, { 'retry-after': '1' }), done);
    expect(performance.now() - start).toBeGreaterThanOrEqual(995);
  });

  test('is not minutes long: the problem is thrown instead', async () => {
    const later = problem('rate_limited', 429, { 'retry-after': '120' });
    expect(await outcome((api) => api.runner.bots(), later, done)).toEqual(['rate_limited', 1]);
  });

  test('is random between zero and a bound that doubles up to a limit', () => {
    const busy = new ApiProblem('', {
      code: 'x',
      status: 503,
      requestId: '',
      errors: [],
      retryAfterMs: 0,
    });
    const longest = [0, 1, 2, 3, 9, 99].map((retry) => delayBeforeRetry(busy, retry, () => 1));
    expect(longest).toEqual([200, 400, 800, 1600, 5000, 5000]);
    expect(delayBeforeRetry(busy, 5, () => 0)).toBe(0);
    expect(delayBeforeRetry(busy, 0, () => 0.5)).toBe(100);
  });

  test('can be given in Retry-After as seconds or a date', () => {
    const now = Date.UTC(2026, 10, 22, 12);
    const of = (header: string | null) => parseRetryAfter(header, now);
    expect(of('7')).toBe(7000);
    expect(of('Sun, 22 Nov 2026 12:00:30 GMT')).toBe(30_000);
    expect(of('Sun, 22 Nov 2026 11:00:00 GMT')).toBe(0);
    expect([of(null), of('soon')]).toEqual([undefined, undefined]);
  });

  test('ends at once if the caller aborts', async () => {
    server = await startStandIn(problem('database_busy', 503, { 'retry-after': '20' }));
    const api = createClient({ url: server.url });
    const giveUp = new AbortController();
    const call = api.runner.bots({}, { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(new Error('enough')), 100);
    await expect(call).rejects.toThrow('enough');
    expect(server.asked).toHaveLength(1);
  });

  test('a caller who aborts during a request gets its own abort reason', async () => {
    const caller = new AbortController();
    const reason = new Error('enough');
    server = await startStandIn(() => caller.abort(reason));
    const api = createClient({ url: server.url });
    await expect(api.runner.bots({}, { signal: caller.signal })).rejects.toBe(reason);
    expect(server.asked).toHaveLength(1);
  });
});
