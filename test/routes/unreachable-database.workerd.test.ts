/** A project that does not respond, or responds with garbage: every call returns a problem in time, and none throws. */
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import { newMachineToken } from '../../src/machine-token.ts';
import type { ProblemCode } from '../../src/problem.ts';
import { call, settings } from '../support/api.ts';
import { setUp } from '../support/bots.ts';
import type { Reply } from '../support/hosted-project.ts';
import { type HostedProject, newHostedProject } from '../support/hosted-sessions.ts';
import { operations, tokenFor } from '../support/operations.ts';
import { accessToken, inSeconds, newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';

const admin = await newAdmin();
const local = (url: string): Bindings => ({ ...settings(), SUPABASE_URL: url });

/** A project whose REST API always responds like this. */
async function projectThat(rest: Reply | 'hang') {
  const project = await newHostedProject();
  await project.set({ rest });
  return { project, env: { ...project.settings, SUPABASE_JWT_SECRET: inject('jwtSecret') } };
}
const answering = async (rest: Reply | 'hang'): Promise<Bindings> => (await projectThat(rest)).env;

/** Calls that are retried if the database does not respond: reads, also those before a write, and a stop. */
const isRepeated = (line: string) =>
  line.startsWith('GET ') || ['POST /bots/{id}/stop', 'POST /bots/{id}/wallets'].includes(line);

const ask = (line: string, env: Bindings, idempotencyKey?: string) =>
  call(lineTo(line), { token: tokenFor(line, admin.token), env, body: bodyOf(line), idempotencyKey });

const json = (status: number, value: unknown): Reply => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
});
const html = (status: number): Reply => ({
  status,
  type: 'text/html',
  body: '<!doctype html><h1>Welcome</h1>',
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe.each<[string, () => Promise<Bindings> | Bindings, ProblemCode]>([
  ['nobody listens', () => local('http://127.0.0.1:9'), 'database_unavailable'],
  ['a page, 200', () => answering(html(200)), 'database_unavailable'],
  ['a page, 404', () => answering(html(404)), 'database_unavailable'],
  ['a page, 500', () => answering(html(500)), 'database_unavailable'],
  ['a page, 502', () => answering(html(502)), 'database_unavailable'],
  ['nothing, 204', () => answering({ status: 204, type: 'text/plain', body: '' }), 'database_unavailable'],
  ['nothing, 404', () => answering({ status: 404, type: 'text/plain', body: '' }), 'database_unavailable'],
  ['null', () => answering(json(200, null)), 'database_unavailable'],
  ['a list', () => answering(json(200, [])), 'database_unavailable'],
  ['something else', () => answering(json(200, { id: 1, name: 'x', items: 'y' })), 'database_unavailable'],
  ['an error without a code', () => answering(json(500, { error: 'x' })), 'database_unavailable'],
  ['an error that is null', () => answering(json(500, null)), 'database_unavailable'],
  [
    'an error with a number as code',
    () => answering(json(503, { code: 503, hint: {} })),
    'database_unavailable',
  ],
  [
    'PostgREST without its database',
    () => answering(json(503, { code: 'PGRST002', message: 'x' })),
    'database_unavailable',
  ],
  [
    'PostgREST without a free connection',
    () => answering(json(504, { code: 'PGRST003', message: 'x' })),
    'database_unavailable',
  ],
  ['a real project without migrations', () => local(inject('unmigratedUrl')), 'database_not_migrated'],
  ['too many connections', () => answering(json(500, { code: '53300', message: 'x' })), 'database_busy'],
])('%s', (_, environment, code) => {
  it(`GET /ready -> 503 ${code}`, async () => {
    const env = await environment();
    const { status, json } = await call('GET /ready', { env });
    const missing = { status: 'failing', code, detail: expect.any(String) };
    expect([status, json.dependencies.schema]).toEqual([503, missing]);
    expect(json.dependencies.database).toEqual(code === 'database_not_migrated' ? { status: 'ok' } : missing);
    expect(json.dependencies.master_key).toEqual({ status: 'ok' });
    expect((await call('GET /health', { env })).status).toBe(200);
  });

  it.each(operations.filter(({ security }) => security.length > 0))(
    `$line -> 503 ${code}`,
    async ({ line }) => {
      expectProblem(await ask(line, await environment()), 503, code);
    },
  );
});

/** Time limits that end as soon as the project has the request, however long that takes. */
function endOnceAsked(project: HostedProject): () => AbortSignal {
  let limits = 0;
  return () => {
    limits += 1;
    const [nth, limit] = [limits, new AbortController()];
    const end = () => limit.abort();
    vi.waitUntil(async () => (await project.counts()).restCalls >= nth, { timeout: 4_000 }).then(end, end);
    return limit.signal;
  };
}

describe('a project that hangs', () => {
  it.each(operations.filter(({ security }) => security.length > 0))(
    '$line -> 503 within 10 seconds',
    async ({ line }) => {
      const { project, env } = await projectThat('hang');
      const limit = vi.spyOn(AbortSignal, 'timeout').mockImplementation(endOnceAsked(project));
      expectProblem(await ask(line, env), 503, 'database_unavailable');
      const [[first] = [], [second] = []] = limit.mock.calls;
      if (isRepeated(line)) {
        expect(first).toBe(5_000);
        expect(second).toBeGreaterThan(5_000);
        // The shortest possible pause.
        expect(second).toBeLessThanOrEqual(10_000 - 50);
      } else {
        expect([first, second]).toEqual([10_000, undefined]);
      }
      expect((await project.counts()).restCalls).toBe(isRepeated(line) ? 2 : 1);
    },
  );

  it('GET /ready -> 503 within 3 seconds', async () => {
    const env = await answering('hang');
    const original = AbortSignal.timeout.bind(AbortSignal);
    const limit = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => original(20));
    const { status, json } = await call('GET /ready', { env });
    expect([status, json.dependencies.database.code]).toEqual([503, 'database_unavailable']);
    expect(limit.mock.calls).toEqual([[3_000], [3_000], [3_000]]);
  });
});

describe('a second attempt', () => {
  const failing = (status: number, value: unknown, headers: Record<string, string> = {}) =>
    projectThat({ ...json(status, value), headers });
  const down = { code: 'PGRST002', message: 'x' };

  it.each<[string, string, number, unknown, Record<string, string>, number]>([
    ['of a read', 'GET /clients/me', 503, down, {}, 2],
    ['of a stop', 'POST /bots/{id}/stop', 503, down, {}, 2],
    ['of a start', 'POST /bots/{id}/start', 503, down, {}, 1],
    ['of a revocation', 'DELETE /clients/{id}/revoke-key', 503, down, {}, 1],
    ['of a signature', 'POST /bots/{id}/sign', 503, down, {}, 1],
    ['after a page', 'GET /clients/me', 502, undefined, {}, 2],
    ['without a free connection', 'GET /clients/me', 500, { code: '53300' }, {}, 2],
    ['after a lock or time limit', 'GET /clients/me', 500, { code: '57014' }, {}, 1],
    ['after a refusal', 'GET /clients/me', 404, { code: 'PT404', hint: 'account_not_linked' }, {}, 1],
    ['of a transaction that was undone', 'DELETE /clients/{id}/revoke-key', 500, { code: '40P01' }, {}, 2],
    ['of a signature that was undone', 'POST /bots/{id}/sign', 500, { code: '40001' }, {}, 2],
    ['of now', 'GET /clients/me', 503, down, { 'retry-after': '0' }, 2],
    ['of now, between spaces', 'GET /clients/me', 503, down, { 'retry-after': ' 0 ' }, 2],
    ['of never', 'GET /clients/me', 503, down, { 'retry-after': '9'.repeat(400) }, 1],
    ['of too late', 'GET /clients/me', 503, down, { 'retry-after': '9' }, 1],
    [
      'with a date as Retry-After',
      'GET /clients/me',
      503,
      down,
      { 'retry-after': 'Fri, 13 Nov 2026 10:00:00 GMT' },
      1,
    ],
  ])('%s: %s after %i', async (_, line, status, value, headers, calls) => {
    const { project, env } = await failing(status, value, headers);
    await ask(line, env);
    expect((await project.counts()).restCalls).toBe(calls);
  });

  it.each<[string, number]>([
    ['POST /clients', 2],
    ['POST /bots/{id}/start', 2],
    ['PUT /clients/{id}/rotate-key', 2],
    ['POST /bots/{id}/sign', 2],
    // A retry would return the first response without the token, and the caller would never get the token.
    ['POST /bots/{id}/tokens', 1],
  ])('under an Idempotency-Key: %s after %i', async (line, calls) => {
    const { project, env } = await failing(503, down);
    await ask(line, env, crypto.randomUUID());
    expect((await project.counts()).restCalls).toBe(calls);
  });

  it('waits for the time in Retry-After', async () => {
    const { project, env } = await failing(503, down, { 'retry-after': '1' });
    const asked = ask('GET /clients/me', env);
    await vi.waitFor(async () => expect((await project.counts()).restCalls).toBe(1));
    await project.set({ rest: 'pass' });
    expect((await asked).status).toBe(404);
    expect((await project.counts()).restCalls).toBe(2);
  });
});

describe('a page', () => {
  /** Bots with 60 wallets each: 100 of them have 1.5 MiB, 160 have more than 2 MiB. The database ends a page at 512 KiB. */
  async function pageOf(bots: number) {
    const { json: bot } = await setUp(await newClient(), { private_key: newEvmKey().privateKey });
    const { config, ...summary } = bot;
    const wallets = Array.from({ length: 60 }, () => bot.wallets[0]);
    const items = Array.from({ length: bots }, () => ({ ...summary, wallets }));
    const env = await answering(json(200, { items, next_cursor: null }));
    return { items, page: await call(`GET /clients/${bot.client_id}/bots`, { token: admin.token, env }) };
  }

  it('larger than any page of the database is read', async () => {
    const { items, page } = await pageOf(100);
    expect(page.text.length).toBeGreaterThan(1024 * 1024);
    expect([page.status, page.json.items]).toEqual([200, items]);
  });

  it('of more than 2 MiB is not read', async () => {
    expectProblem((await pageOf(160)).page, 503, 'database_unavailable');
  });
});

it.each([300, 307, 399])('a response with status %i is rejected, whatever its body', async (status) => {
  const env = await answering(json(status, { items: [], next_cursor: null }));
  const page = await call(`GET /clients/${crypto.randomUUID()}/bots`, { token: admin.token, env });
  expectProblem(page, 503, 'database_unavailable');
});

/** Every call that needs the database. */
const calls = operations.filter(({ security }) => security.length > 0);
const invalidApiKey = json(401, { message: 'Invalid API key', hint: 'Double check the API key.' });
const rejections: readonly [string, Reply, ProblemCode][] = [
  ['a clock that is behind', json(401, { code: 'PGRST303', message: 'x' }), 'database_rejects_token'],
  ['a token that cannot be decoded', json(401, { code: 'PGRST301', message: 'x' }), 'database_rejects_token'],
  ['no anonymous access', json(401, { code: 'PGRST302', message: 'x' }), 'database_rejects_token'],
  ['a wrong API key', invalidApiKey, 'publishable_key_rejected'],
  ['a wrong API key, as a page', html(401), 'publishable_key_rejected'],
];

describe.each(rejections)('a project that rejects valid credentials: %s', (_, reply, code) => {
  it.each(calls)(`$line -> 503 ${code} after two calls`, async ({ line }) => {
    const { project, env } = await projectThat(reply);
    expectProblem(await ask(line, env), 503, code);
    // Adding a wallet reads the bot first.
    expect((await project.counts()).restCalls).toBe(2);
  });

  it.each(calls)('$line, once -> retried, with the usual response', async ({ line }) => {
    const project = await newHostedProject();
    await project.set({ rest: [reply, 'pass'] });
    const answer = await ask(line, { ...project.settings, SUPABASE_JWT_SECRET: inject('jwtSecret') });
    const { restCalls } = await project.counts();
    // The ids and the machine tokens do not exist. The rejection is reported, which is a further call.
    const said = [200, 201, 401, 404, 422].includes(answer.status);
    expect([line, answer.status, said]).toEqual([line, answer.status, true]);
    expect([
      undefined,
      'account_not_linked',
      'resource_not_found',
      'token_invalid',
      'trading_key_missing',
    ]).toContain(answer.json.code);
    expect(restCalls).toBeGreaterThanOrEqual(2);
    expect(restCalls).toBeLessThanOrEqual(3);
  });

  it(`GET /ready -> 503 with ${code}`, async () => {
    const { status, json } = await call('GET /ready', { env: await answering(reply) });
    const missing = { status: 'failing', code, detail: expect.any(String) };
    expect([status, json.dependencies]).toMatchObject([
      503,
      { database: missing, schema: missing, step_up: missing, master_key: { status: 'ok' } },
    ]);
  });

  it('GET /ready, if only one call is rejected -> the database is ok', async () => {
    const { project, env } = await projectThat(reply);
    await project.set({ rest: [reply, reply, 'pass'] });
    expect((await call('GET /ready', { env })).json.dependencies.database).toEqual({ status: 'ok' });
  });
});

describe('a project that rejects a token for its expiry', () => {
  const expired = json(401, { code: 'PGRST303', message: 'JWT expired' });
  /** The edge accepts a token for some more seconds after its expiry, because clocks differ a little. */
  const expiringIn = (seconds: number) => accessToken({ sub: admin.userId, exp: inSeconds(seconds) });

  it.each(['GET /clients', 'DELETE /clients/{id}/revoke-key'])(
    '%s with a token that has also expired at the edge -> 401 token_expired after one call',
    async (line) => {
      const { project, env } = await projectThat(expired);
      expectProblem(await call(lineTo(line), { token: await expiringIn(-5), env }), 401, 'token_expired');
      expect((await project.counts()).restCalls).toBe(1);
    },
  );

  it('with a token that is still valid at the edge -> 503, and the caller is not told to sign in again', async () => {
    const answer = await call('GET /clients', { token: await expiringIn(60), env: await answering(expired) });
    expectProblem(answer, 503, 'database_rejects_token');
    expect(answer.headers.get('retry-after')).toBe('2');
  });

  it('whose secret differs from that of the edge -> 503: it is a fault of the settings, not of the caller', async () => {
    const secret = 'the-secret-that-the-edge-was-given-by-mistake';
    const token = await accessToken({ sub: admin.userId }, secret);
    const env = { ...settings(), SUPABASE_JWT_SECRET: secret };
    expectProblem(await call('GET /clients', { token, env }), 503, 'database_rejects_token');
  });
});

describe('errors that the database raises', () => {
  it.each<[string, Reply, number, ProblemCode]>([
    ['a missing right', json(403, { code: '42501', message: 'x' }), 403, 'permission_denied'],
    ['a disk that is full', json(405, { code: '25006', message: 'x' }), 503, 'database_read_only'],
    ['an UPDATE without WHERE', json(400, { code: '21000', message: 'x' }), 500, 'internal_error'],
    [
      'JSON that PostgREST cannot parse',
      json(400, { code: 'PGRST102', message: 'x' }),
      400,
      'data_not_storable',
    ],
    ['a number out of range', json(400, { code: '22003', message: 'x' }), 400, 'data_not_storable'],
  ])('%s -> the right problem, after one call', async (_, rest, status, code) => {
    const { project, env } = await projectThat(rest);
    expectProblem(await call('GET /clients', { token: admin.token, env }), status, code);
    expect((await project.counts()).restCalls).toBe(1);
  });
});

describe('the headers of a call', () => {
  const withHeaders = async (line: string, token?: string) => {
    const seen: Headers[] = [];
    const pass = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      seen.push(new Request(input, init).headers);
      return pass(input, init);
    });
    await call(line, { token });
    return seen.map((headers) => [headers.get('apikey'), headers.get('authorization')]);
  };

  it('with a session are the API key and the token', async () => {
    expect(await withHeaders('GET /clients', admin.token)).toEqual([
      [settings().SUPABASE_PUBLISHABLE_KEY, `Bearer ${admin.token}`],
    ]);
  });

  it('without a session are only the API key, because it is not a JWT', async () => {
    for (const [line, token] of [
      ['GET /runner/bots', newMachineToken()],
      ['GET /ready', undefined],
    ] as const) {
      const seen = await withHeaders(line, token);
      expect(seen.length).toBeGreaterThan(0);
      for (const headers of seen) expect(headers).toEqual([settings().SUPABASE_PUBLISHABLE_KEY, null]);
      vi.restoreAllMocks();
    }
  });
});
