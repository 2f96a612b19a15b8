/** Key changes with one factor, two factors, or an old sign-in; under HS256 and under published keys. */
import { describe, expect, it } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import { call, settings } from '../support/api.ts';
import { newClientWithBot, stored } from '../support/bots.ts';
import { emptyProject } from '../support/empty-project.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { operations, runnerOperations, sessionOperations } from '../support/operations.ts';
import { accessToken, inSeconds, newAdmin } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { lineTo } from '../support/requests.ts';
import { newClientWithRunner } from '../support/runners.ts';

const KEY_CHANGES = [
  'POST /bots/create',
  'POST /bots/{id}/start',
  'POST /bots/{id}/tokens',
  'POST /bots/{id}/wallets',
  'POST /clients/{id}/setup-bot',
  'PUT /bots/{id}/policy',
  'PUT /clients/{id}/rotate-key',
];
/** In an emergency a session is enough. */
const ENDINGS = ['DELETE /clients/{id}/revoke-key', 'DELETE /tokens/{id}', 'POST /bots/{id}/stop'];
/** These operations do not bring a key into use. */
const OTHER_CHANGES = ['POST /clients'];

const scopeOf = (scope: string) =>
  operations
    .filter(({ security }) => security.some(({ session }) => session?.includes(scope)))
    .map(({ line }) => line)
    .sort();

it('every operation that changes something is a key change, an ending, or named here', () => {
  expect(scopeOf('key_change')).toEqual(KEY_CHANGES);
  expect(scopeOf('ending')).toEqual(ENDINGS);
  const changing = sessionOperations.map(({ line }) => line).filter((line) => !line.startsWith('GET '));
  expect(changing.sort()).toEqual([...KEY_CHANGES, ...ENDINGS, ...OTHER_CHANGES].sort());
});

const admin = await newAdmin();
const key = await newSigningKey('ES256');
const project = await newHostedProject([key]);
const algorithms = [
  ['HS256', settings() as Bindings, (claims: object) => accessToken({ sub: admin.userId, ...claims })],
  ['ES256', project.settings, (claims: object) => project.token(key, { sub: admin.userId, ...claims })],
] as const;

const CHALLENGE = 'Bearer realm="trading-keys", error="insufficient_user_authentication"';
const amr = (...times: number[]) => times.map((time) => ({ method: 'password', timestamp: inSeconds(time) }));

describe.each(algorithms)('REQUIRE_AAL2, sessions under %s', (_, base, token) => {
  const env = { ...base, REQUIRE_AAL2: 'true' };

  describe.each(KEY_CHANGES)('%s', (line) => {
    it.each<[string, object]>([
      ['one factor', { aal: 'aal1' }],
      ['no claim about factors', {}],
      ['a level in capital letters', { aal: 'AAL2' }],
      ['a list of levels', { aal: ['aal2'] }],
      ['a level that is true', { aal: true }],
      ['two factors in amr alone', { amr: [...amr(-5), { method: 'totp', timestamp: inSeconds(-5) }] }],
      ['another acr', { acr: 'aal2' }],
    ])('with %s -> 403, whatever the body', async (_, claims) => {
      const answer = await call(lineTo(line), { token: await token(claims), env, body: '{' });
      expectProblem(answer, 403, 'second_factor_required');
      expect(answer.headers.get('www-authenticate')).toBe(`${CHALLENGE}, acr_values="aal2"`);
    });

    it('with two factors -> passed on to the body and the database', async () => {
      const answer = await call(lineTo(line), { token: await token({ aal: 'aal2' }), env });
      expect([404, 415]).toContain(answer.status);
    });

    it('with one factor, if two are not required -> passed on', async () => {
      for (const REQUIRE_AAL2 of ['', ' ', 'false', 'FALSE']) {
        const off = { ...base, REQUIRE_AAL2 };
        expect([404, 415]).toContain(
          (await call(lineTo(line), { token: await token({ aal: 'aal1' }), env: off })).status,
        );
      }
    });
  });

  it.each(['TRUE', ' true '])('"%s" is true', async (text) => {
    const answer = await call(lineTo('POST /bots/{id}/start'), {
      token: await token({ aal: 'aal1' }),
      env: { ...base, REQUIRE_AAL2: text },
    });
    expectProblem(answer, 403, 'second_factor_required');
  });

  it.each(['1', '0', 'yes', 'aal2', 'off', 'treu', 'true,'])(
    '"%s" is neither true nor false: no key is changed, and the response does not request a second factor',
    async (text) => {
      for (const aal of ['aal1', 'aal2']) {
        const as = { token: await token({ aal }), env: { ...base, REQUIRE_AAL2: text } };
        const answer = await call(lineTo('POST /bots/{id}/start'), as);
        expectProblem(answer, 503, 'step_up_settings_malformed');
      }
    },
  );

  it('a rejected request changes nothing, and the same request with two factors succeeds', async () => {
    const owner = await newClientWithBot();
    const before = await stored(owner);
    const rotate = async (aal: string) =>
      call(`PUT /clients/${owner.clientId}/rotate-key`, {
        token: await token({ aal }),
        env,
        body: { private_key: newEvmKey().privateKey },
      });
    expectProblem(await rotate('aal1'), 403, 'second_factor_required');
    expect(await stored(owner)).toEqual(before);
    expect((await rotate('aal2')).status).toBe(200);
    expect((await stored(owner)).trading?.version).toBe(2);
  });

  it('with one factor: reading, stopping, and revoking tokens and keys still work', async () => {
    const owner = await newClientWithRunner();
    const as = { token: await token({ aal: 'aal1' }), env };
    expect((await call(`GET /clients/${owner.clientId}/trading-key`, as)).status).toBe(200);
    expect((await call(`POST /bots/${owner.botId}/stop`, as)).json.status).toBe('stopped');
    expect((await call(`DELETE /tokens/${owner.tokenId}`, as)).status).toBe(200);
    expect((await call(`DELETE /clients/${owner.clientId}/revoke-key`, as)).status).toBe(200);
  });

  it('runners need no second factor: a machine token is not a session', async () => {
    const { machineToken } = await newClientWithRunner();
    for (const { line } of runnerOperations) {
      const { status } = await call(lineTo(line), { token: machineToken, env });
      expect([200, 404, 415]).toContain(status);
    }
  });
});

describe.each(algorithms)('MAX_SIGN_IN_AGE_SECONDS, sessions under %s', (_, base, token) => {
  const env = { ...base, MAX_SIGN_IN_AGE_SECONDS: '600' };
  const ask = async (claims: object, bindings: Bindings = env) =>
    call(lineTo('POST /bots/{id}/start'), { token: await token(claims), env: bindings });

  it.each<[string, object]>([
    ['long ago, by amr', { amr: amr(-700) }],
    ['long ago, by each of amr', { amr: amr(-700, -5000) }],
    ['long ago, by auth_time, with a recent amr', { auth_time: inSeconds(-700), amr: amr(-5) }],
    ['at no time', {}],
    ['at no time that is a number', { auth_time: String(inSeconds(0)) }],
    ['with an empty amr', { amr: [] }],
    ['with methods without times (RFC 8176)', { amr: ['pwd', 'otp', null, 1] }],
    ['with an amr that is not a list', { amr: { timestamp: inSeconds(0) } }],
    [
      'long ago, by a session that just enrolled a second factor',
      { aal: 'aal2', amr: [{ method: 'totp', timestamp: inSeconds(-5) }, ...amr(-700)] },
    ],
    [
      'long ago, with an auth_time that a second factor has renewed',
      {
        aal: 'aal2',
        auth_time: inSeconds(-5),
        amr: [{ method: 'totp', timestamp: inSeconds(-5) }, ...amr(-700)],
      },
    ],
    [
      'by a second factor alone',
      { aal: 'aal2', amr: [{ method: 'mfa/webauthn', timestamp: inSeconds(-5) }] },
    ],
  ])('signed in %s -> 401', async (_, claims) => {
    const answer = await ask(claims);
    expectProblem(answer, 401, 'sign_in_too_old');
    expect(answer.headers.get('www-authenticate')).toBe(`${CHALLENGE}, max_age="600"`);
  });

  it.each<[string, object]>([
    ['lately, by amr', { amr: amr(-500) }],
    ['long ago and again lately', { amr: amr(-5000, -5, -700) }],
    ['lately, by auth_time', { auth_time: inSeconds(-5) }],
  ])('signed in %s -> on', async (_, claims) => {
    expectProblem(await ask(claims), 404, 'resource_not_found');
  });

  it('a new token of an old session counts as an old sign-in', async () => {
    expectProblem(await ask({ iat: inSeconds(0), amr: amr(-700) }), 401, 'sign_in_too_old');
  });

  it.each(['5m', '-1', '0', '1e3', '0x10', '1.5', '9999999999'])(
    '"%s" is not a number of seconds: no key is changed, and the response does not request a new sign-in',
    async (text) => {
      const bindings = { ...base, MAX_SIGN_IN_AGE_SECONDS: text };
      for (const age of [-5, -700])
        expectProblem(await ask({ auth_time: inSeconds(age) }, bindings), 503, 'step_up_settings_malformed');
    },
  );

  it('a malformed value: reading, stopping and revoking still work', async () => {
    const owner = await newClientWithBot();
    const malformed = { ...base, MAX_SIGN_IN_AGE_SECONDS: '10 minutes', REQUIRE_AAL2: 'perhaps' };
    const as = { token: await token({ amr: amr(-700) }), env: malformed };
    expect((await call(`GET /bots/${owner.botId}`, as)).status).toBe(200);
    expect((await call(`POST /bots/${owner.botId}/stop`, as)).status).toBe(200);
    expect((await call(`DELETE /clients/${owner.clientId}/revoke-key`, as)).status).toBe(200);
  });

  it('old sign-ins read, stop and revoke', async () => {
    const owner = await newClientWithBot();
    const as = { token: await token({ amr: amr(-700) }), env };
    expect((await call(`GET /bots/${owner.botId}`, as)).status).toBe(200);
    expect((await call(`POST /bots/${owner.botId}/stop`, as)).status).toBe(200);
    expect((await call(`DELETE /clients/${owner.clientId}/revoke-key`, as)).status).toBe(200);
  });

  it('together with REQUIRE_AAL2: the challenge names both', async () => {
    const both = { ...env, REQUIRE_AAL2: 'true' };
    const one = await ask({ aal: 'aal1', amr: amr(-5) }, both);
    const old = await ask({ aal: 'aal2', amr: amr(-700) }, both);
    expectProblem(one, 403, 'second_factor_required');
    expectProblem(old, 401, 'sign_in_too_old');
    for (const { headers } of [one, old])
      expect(headers.get('www-authenticate')).toBe(`${CHALLENGE}, acr_values="aal2", max_age="600"`);
    expectProblem(await ask({ aal: 'aal2', amr: amr(-5) }, both), 404, 'resource_not_found');
  });
});

describe('GET /ready, if the database requires no step-up', () => {
  it.each<[string, Bindings]>([
    ['REQUIRE_AAL2', { REQUIRE_AAL2: 'true' }],
    ['MAX_SIGN_IN_AGE_SECONDS', { MAX_SIGN_IN_AGE_SECONDS: '600' }],
  ])('and %s is set -> 503 step_up_settings_mismatch', async (_, bindings) => {
    const answer = await call('GET /ready', { env: { ...(await emptyProject()), ...bindings } });
    expect([answer.status, answer.json.dependencies.step_up]).toEqual([
      503,
      { status: 'failing', code: 'step_up_settings_mismatch', detail: expect.any(String) },
    ]);
  });

  it.each<[string, Bindings]>([
    ['REQUIRE_AAL2 is neither true nor false', { REQUIRE_AAL2: 'perhaps' }],
    ['MAX_SIGN_IN_AGE_SECONDS is not a number', { MAX_SIGN_IN_AGE_SECONDS: '10 minutes' }],
    ['MAX_SIGN_IN_AGE_SECONDS is 0, which the database does not accept', { MAX_SIGN_IN_AGE_SECONDS: '0' }],
  ])('and %s -> 503 step_up_settings_malformed', async (_, bindings) => {
    const answer = await call('GET /ready', { env: { ...(await emptyProject()), ...bindings } });
    expect([answer.status, answer.json.dependencies.step_up]).toEqual([
      503,
      { status: 'failing', code: 'step_up_settings_malformed', detail: expect.any(String) },
    ]);
  });

  it('and nothing is set -> 200', async () => {
    const answer = await call('GET /ready', { env: { ...(await emptyProject()), REQUIRE_AAL2: 'false' } });
    expect([answer.status, answer.json.dependencies.step_up]).toEqual([200, { status: 'ok' }]);
  });
});
