/** A project that does not answer, or answers nonsense: every call gets a problem, in time, and none throws. */
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import type { ProblemCode } from '../../src/problem.ts';
import { call, settings } from '../support/api.ts';
import type { Reply } from '../support/hosted-project.ts';
import { newHostedProject } from '../support/hosted-sessions.ts';
import { operations, tokenFor } from '../support/operations.ts';
import { accessToken, newAdmin } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();
const local = (url: string): Bindings => ({ ...settings(), SUPABASE_URL: url });

/** A project whose REST API does this and nothing else. */
async function answering(rest: Reply | 'hang'): Promise<Bindings> {
  const project = await newHostedProject();
  await project.set({ rest });
  return { ...project.settings, SUPABASE_JWT_SECRET: inject('jwtSecret') };
}

const BODIES: Record<string, () => object> = {
  'POST /clients': () => ({ name: 'A client', email: `${crypto.randomUUID()}@example.test` }),
  'POST /bots/create': () => ({ client_id: crypto.randomUUID(), name: 'A bot', bot_type: 'evm-grid' }),
  'POST /bots/{id}/wallets': () => ({ private_key: newEvmKey().privateKey }),
  'POST /clients/{id}/setup-bot': () => ({ bot_type: 'evm-grid', private_key: newEvmKey().privateKey }),
  'PUT /clients/{id}/rotate-key': () => ({ private_key: newEvmKey().privateKey }),
  'POST /bots/{id}/tokens': () => ({ name: 'A runner' }),
  'PUT /bots/{id}/policy': () => ({ chain_ids: ['1'] }),
  'POST /bots/{id}/sign': () => ({ type: 'evm.message', message: 'x' }),
  'POST /bots/{id}/heartbeat': () => ({ status: 'ok' }),
};

function ask(line: string, env: Bindings) {
  const body = BODIES[line]?.();
  return call(line.replace('{id}', crypto.randomUUID()), {
    token: tokenFor(line, admin.token),
    env,
    ...(body && { body }),
  });
}

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
  ['an error of nobody', () => answering(json(500, { error: 'x' })), 'database_unavailable'],
  ['an error that is null', () => answering(json(500, null)), 'database_unavailable'],
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
  ['a real project that was not migrated', () => local(inject('unmigratedUrl')), 'database_not_migrated'],
  ['too many connections', () => answering(json(500, { code: '53300', message: 'x' })), 'database_busy'],
])('%s', (_, environment, code) => {
  it(`GET /ready -> 503 ${code}`, async () => {
    const env = await environment();
    const { status, json } = await call('GET /ready', { env });
    const missing = { status: 'missing', code };
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

describe('a project that hangs', () => {
  it.each(operations.filter(({ security }) => security.length > 0))(
    '$line -> 503, after 10 seconds at most',
    async ({ line }) => {
      const env = await answering('hang');
      const original = AbortSignal.timeout.bind(AbortSignal);
      const limit = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => original(20));
      expectProblem(await ask(line, env), 503, 'database_unavailable');
      expect(limit.mock.calls).toEqual([[10_000]]);
    },
  );

  it('GET /ready -> 503, after 3 seconds at most', async () => {
    const env = await answering('hang');
    const original = AbortSignal.timeout.bind(AbortSignal);
    const limit = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => original(20));
    const { status, json } = await call('GET /ready', { env });
    expect([status, json.dependencies.database.code]).toEqual([503, 'database_unavailable']);
    expect(limit.mock.calls).toEqual([[3_000], [3_000]]);
  });
});

describe('a token that the project refuses after all', () => {
  it.each<[string, Reply, number, ProblemCode]>([
    ['its signature', json(401, { code: 'PGRST301', message: 'x' }), 401, 'token_invalid'],
    ['its expiry', json(401, { code: 'PGRST303', message: 'x' }), 401, 'token_expired'],
    [
      'the API key beside it',
      json(401, { message: 'Invalid API key', hint: 'x' }),
      503,
      'database_not_configured',
    ],
    ['its right to a function', json(403, { code: '42501', message: 'x' }), 403, 'forbidden'],
  ])('%s -> the right problem', async (_, rest, status, code) => {
    expectProblem(
      await call('GET /clients', { token: admin.token, env: await answering(rest) }),
      status,
      code,
    );
  });

  it('whose secret is another than the project has -> 401', async () => {
    const secret = 'the-secret-that-the-edge-was-given-by-mistake';
    const token = await accessToken({ sub: admin.userId }, secret);
    const env = { ...settings(), SUPABASE_JWT_SECRET: secret };
    expectProblem(await call('GET /clients', { token, env }), 401, 'token_invalid');
  });
});
