/** Degraded, never down: the missing setting is named, and whatever does not need it still works. */
import { describe, expect, it } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import { newMachineToken } from '../../src/machine-token.ts';
import type { ProblemCode } from '../../src/problem.ts';
import { call, settings } from '../support/api.ts';
import { newHostedProject } from '../support/hosted-sessions.ts';
import { protectedOperations, runnerOperations, sessionOperations, tokenFor } from '../support/operations.ts';
import { accessToken, newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';
import { emptyProject, expectMissing, without } from './readiness.ts';

const admin = await newAdmin();

it('with every setting: GET /ready -> 200', async () => {
  const env = { ...settings(), SUPABASE_URL: emptyProject };
  expect(await call('GET /ready', { env })).toMatchObject({ status: 200, json: { status: 'ready' } });
});

describe('the monitor', () => {
  const monitor = async (more: Bindings) =>
    (await call('GET /ready', { env: { ...settings(), SUPABASE_URL: emptyProject, ...more } })).json
      .dependencies.monitor;
  const token = newMachineToken();
  const missing = (code: ProblemCode) => ({ status: 'failing', code, detail: expect.any(String) });

  it.each<[string, Bindings, ProblemCode]>([
    ['no MONITOR_TOKEN', {}, 'monitor_token_missing'],
    ['a MONITOR_TOKEN of white space', { MONITOR_TOKEN: ' ' }, 'monitor_token_missing'],
    ['a truncated MONITOR_TOKEN', { MONITOR_TOKEN: token.slice(0, -1) }, 'monitor_token_malformed'],
  ])('with %s -> named by /ready, which is ready all the same', async (_, more, code) => {
    expect(await monitor(more)).toEqual(missing(code));
    expect(
      (await call('GET /ready', { env: { ...settings(), SUPABASE_URL: emptyProject, ...more } })).status,
    ).toBe(200);
  });

  it('with a token -> ok', async () => {
    expect(await monitor({ MONITOR_TOKEN: ` ${token}\n` })).toEqual({ status: 'ok' });
  });
});

describe('without any setting', () => {
  it('/health is ok and /ready names everything', async () => {
    await expectMissing(
      {},
      {
        database: 'database_not_configured',
        schema: 'database_not_configured',
        master_key: 'master_key_missing',
        edge_token: 'database_not_configured',
        token_verification: 'auth_not_configured',
        audit_key: 'audit_key_missing',
      },
    );
  });

  it.each(runnerOperations)('$line with a machine token -> 503, without one -> 401', async ({ line }) => {
    const path = lineTo(line);
    expectProblem(await call(path, { token: tokenFor(line, ''), env: {} }), 503, 'database_not_configured');
    expectProblem(await call(path, { env: {} }), 401, 'authentication_required');
  });

  it.each(sessionOperations)('$line with a token -> 503, without one -> 401', async ({ line }) => {
    const path = lineTo(line);
    expectProblem(await call(path, { token: admin.token, env: {} }), 503, 'auth_not_configured');
    expectProblem(await call(path, { env: {} }), 401, 'authentication_required');
  });

  it('GET /openapi.json -> 200', async () => {
    expect((await call('GET /openapi.json', { env: {} })).status).toBe(200);
  });

  it('GET /docs -> 302 to the description: the page is a file, which is missing too', async () => {
    const { status, headers } = await call('GET /docs', { env: {} });
    expect([status, headers.get('location')]).toEqual([302, 'openapi.json']);
  });
});

describe.each([
  ['without SUPABASE_URL', without('SUPABASE_URL')],
  ['without SUPABASE_PUBLISHABLE_KEY', without('SUPABASE_PUBLISHABLE_KEY')],
  ['with SUPABASE_URL of white space', { ...settings(), SUPABASE_URL: '  ' }],
  ['with a malformed SUPABASE_URL', { ...settings(), SUPABASE_URL: 'abc.supabase.co' }],
  [
    'with SUPABASE_URL of another scheme',
    { ...settings(), SUPABASE_URL: 'postgres://localhost:5432/postgres' },
  ],
  ['with SUPABASE_URL that names a user', { ...settings(), SUPABASE_URL: 'https://me:x@abc.supabase.co' }],
  ['with SUPABASE_URL that has a query', { ...settings(), SUPABASE_URL: 'https://abc.supabase.co?x=1' }],
  [
    'with a SUPABASE_PUBLISHABLE_KEY that no header can hold',
    { ...settings(), SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_…' },
  ],
  [
    'with two lines as SUPABASE_PUBLISHABLE_KEY',
    { ...settings(), SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_x\nsb_publishable_y' },
  ],
])('%s', (_, env) => {
  it('/ready reports that the database is not configured', async () => {
    await expectMissing(env, { database: 'database_not_configured', schema: 'database_not_configured' });
  });

  it('GET /clients -> 503 database_not_configured', async () => {
    expectProblem(await call('GET /clients', { token: admin.token, env }), 503, 'database_not_configured');
  });
});

describe('with a SUPABASE_PUBLISHABLE_KEY of another project', () => {
  const env = { ...settings(), SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_x' };

  it('/ready reports that the key is rejected', async () => {
    const code = 'publishable_key_rejected';
    await expectMissing(env, { database: code, schema: code });
  });

  it.each(protectedOperations)('$line -> 503 publishable_key_rejected', async ({ line }) => {
    const token = tokenFor(line, admin.token);
    const answer = await call(lineTo(line), { token, env, body: bodyOf(line) });
    expectProblem(answer, 503, 'publishable_key_rejected');
  });
});

describe('with a setting of the wrong type', () => {
  const names: (keyof Bindings)[] = [
    'SUPABASE_URL',
    'SUPABASE_PUBLISHABLE_KEY',
    'SUPABASE_JWT_SECRET',
    'ENCRYPTION_KEY',
    'EDGE_TOKEN',
    'MONITOR_TOKEN',
    'REWRAP_TOKEN',
    'AUDIT_SIGNING_KEY',
    'AUDIT_PUBLIC_KEYS',
    'REQUIRE_AAL2',
    'MAX_SIGN_IN_AGE_SECONDS',
    'ALLOWED_ORIGINS',
    'SECURITY_CONTACT',
    'RATE_LIMIT_POLICY',
    'ENVIRONMENT',
  ];
  /** Types that `[vars]` of wrangler.toml can hold, intended or not. */
  const values: unknown[] = [
    null,
    true,
    false,
    0,
    -1,
    3600,
    {},
    { get: 1 },
    [],
    ['x'],
    '\0',
    '…',
    '[',
    ' , ',
  ];
  const limiter = { limit: 'x' } as never;
  /** A project that responds at once to any request: these tests are about the settings. */
  const project = newHostedProject().then(async (project) => {
    const body = JSON.stringify({ code: 'PGRST202' });
    await project.set({ rest: { status: 404, type: 'application/json', body } });
    return project;
  });

  it.each(names)(
    '%s: the Worker responds, /ready names what is missing, and no error is unexpected',
    async (name) => {
      for (const value of values) {
        const env = {
          ...settings(),
          ...(await project).settings,
          READ_LIMIT: limiter,
          CHANGE_LIMIT: limiter,
          [name]: value as never,
        };
        expect([value, (await call('GET /health', { env })).status]).toEqual([value, 200]);
        const ready = await call('GET /ready', { env });
        expect([200, 503]).toContain(ready.status);
        expect(JSON.stringify(ready.json)).not.toContain('internal_error');
        for (const line of ['GET /clients', `DELETE /clients/${crypto.randomUUID()}/revoke-key`]) {
          const answer = await call(line, { token: admin.token, env });
          expect([value, line, answer.json.code]).not.toEqual([value, line, 'internal_error']);
        }
      }
    },
  );

  it('SUPABASE_JWT_SECRET that is an object verifies no token: its text is not a secret', async () => {
    const env = { ...settings(), SUPABASE_URL: emptyProject, SUPABASE_JWT_SECRET: {} as never };
    for (const secret of ['[object Object]', '{}', '\0']) {
      const token = await accessToken({ sub: admin.userId }, secret);
      expectProblem(await call('GET /clients', { token, env }), 401, 'token_invalid');
    }
  });

  it.each([
    ['REQUIRE_AAL2', true, 403, 'second_factor_required'],
    ['MAX_SIGN_IN_AGE_SECONDS', 3600, 401, 'sign_in_too_old'],
    ['REQUIRE_AAL2', {}, 503, 'step_up_settings_malformed'],
    ['MAX_SIGN_IN_AGE_SECONDS', [], 503, 'step_up_settings_malformed'],
  ] as const)('%s = %j in [vars] -> %i %s', async (name, value, status, code) => {
    const env = { ...settings(), [name]: value as never };
    const answer = await call(`POST /bots/${crypto.randomUUID()}/start`, { token: admin.token, env });
    expectProblem(answer, status, code);
  });
});

describe('without SUPABASE_JWT_SECRET, if no keys are published either', () => {
  const env = without('SUPABASE_JWT_SECRET');
  it('/ready reports that no token can be verified', async () => {
    await expectMissing({ ...env, SUPABASE_URL: emptyProject }, { token_verification: 'auth_unavailable' });
  });

  it('GET /clients with an HS256 token -> 401', async () => {
    expectProblem(await call('GET /clients', { token: admin.token, env }), 401, 'token_invalid');
  });
});
