/** A project that requires a second factor: sessions directly at its REST API, and through an edge without the setting. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FIRST_FACTORS, signedInAt } from '../../src/auth/signed-in-at.ts';
import { call } from '../support/api.ts';
import { type ClientPerson, inSeconds } from '../support/people.ts';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';

let stack: PeopledStack;
let anna: ClientPerson;

beforeAll(async () => {
  stack = await startPeopledStack();
  anna = await stack.newClient('Anna');
});
afterAll(() => stack.end());

const token = (claims: object) => stack.token({ sub: anna.userId, ...claims });

async function rest(line: string, claims: object, body?: object) {
  const [method = '', path = ''] = line.split(' ');
  const response = await fetch(`${stack.supabaseUrl}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: stack.publishableKey,
      authorization: `Bearer ${await token(claims)}`,
      'content-type': 'application/json',
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const { code = '', hint = '' } = response.ok || text === '' ? {} : JSON.parse(text);
  return [response.status, code, hint];
}

it('a set-up and a rotation with one factor -> 403; with two -> accepted; DELETE with one -> accepted', async () => {
  await stack.sql`update private.settings set require_aal2 = true`;
  const refused = [403, 'PT403', 'second_factor_required'];
  const wallet = sealedWallet(anna.clientId);
  const setUp = { edge_token: stack.edgeToken, bot_type: 'evm-grid', name: 'A bot', config: {}, wallet };
  const bot = { client_id: anna.clientId, ...setUp };
  expect(await rest('POST rpc/setup_bot', { aal: 'aal1' }, bot)).toEqual(refused);
  expect(await rest('POST rpc/setup_bot', {}, bot)).toEqual(refused);
  expect((await rest('POST rpc/setup_bot', { aal: 'aal2' }, bot))[0]).toBe(200);

  const next = sealedWallet(anna.clientId);
  const rotation = { edge_token: stack.edgeToken, client_id: anna.clientId, ...next };
  expect(await rest('POST rpc/rotate_key', { aal: 'aal1' }, rotation)).toEqual(refused);
  expect(await stack.sql`select key_id from public.trading_keys`).toEqual([{ key_id: wallet.key_id }]);
  expect((await rest('POST rpc/rotate_key', { aal: 'aal2' }, rotation))[0]).toBe(200);
  expect(await stack.sql`select key_id from public.trading_keys`).toEqual([{ key_id: next.key_id }]);

  // Directly at the table with two factors, but still without the edge token.
  const path = `trading_keys?client_id=eq.${anna.clientId}`;
  const key = { ...sealedWallet(anna.clientId) };
  const notTheEdge = [403, 'PT403', 'envelope_write_denied'];
  expect(await rest(`PATCH ${path}`, { aal: 'aal2' }, key)).toEqual(notTheEdge);
  expect(await rest('POST trading_keys', { aal: 'aal2' }, { client_id: anna.clientId, ...key })).toEqual(
    notTheEdge,
  );
  expect(await stack.sql`select key_id from public.trading_keys`).toEqual([{ key_id: next.key_id }]);

  expect((await rest(`DELETE ${path}`, { aal: 'aal1' }))[0]).toBeLessThan(300);
  expect(await stack.sql`select key_id from public.trading_keys`).toEqual([]);
});

it('through an edge without REQUIRE_AAL2 -> 403 by the database, and GET /ready reports that they disagree', async () => {
  await stack.sql`update private.settings set require_aal2 = true, max_sign_in_age_seconds = 600`;
  const { settings: env } = stack;
  const setUp = async (claims: object) =>
    call(`POST /clients/${anna.clientId}/setup-bot`, {
      token: await token(claims),
      env,
      body: { bot_type: 'evm-grid', private_key: newEvmKey().privateKey },
    });
  const now = [{ method: 'password', timestamp: inSeconds(-5) }];
  const before = [{ method: 'password', timestamp: inSeconds(-700) }];
  expectProblem(await setUp({ aal: 'aal1', amr: now }), 403, 'second_factor_required');
  expectProblem(await setUp({ aal: 'aal2', amr: before }), 401, 'sign_in_too_old');
  expect(await stack.sql`select id from public.bots`).toHaveLength(1);
  expect((await setUp({ aal: 'aal2', amr: now })).status).toBe(201);

  const readiness = async (bindings: object) => {
    const { json } = await call('GET /ready', { env: { ...env, ...bindings } });
    return json.dependencies.step_up;
  };
  expect(await readiness({})).toEqual({
    status: 'failing',
    code: 'step_up_settings_mismatch',
    detail: expect.any(String),
  });
  expect(await readiness({ REQUIRE_AAL2: 'true' })).toMatchObject({ code: 'step_up_settings_mismatch' });
  expect(await readiness({ REQUIRE_AAL2: 'true', MAX_SIGN_IN_AGE_SECONDS: '600' })).toEqual({ status: 'ok' });
});

/** The claims that Supabase Auth issues to a session that enrols and verifies a second factor: the newest method first. */
const afterEnrolment = (method: string) => ({
  aal: 'aal2',
  amr: [
    { method, timestamp: inSeconds(-5) },
    { method: 'password', timestamp: inSeconds(-7000) },
  ],
});

it.each(['totp', 'mfa/phone', 'mfa/webauthn'])(
  'an old session that enrols %s -> sign_in_too_old, at the REST API and at the edge',
  async (method) => {
    await stack.sql`update private.settings set require_aal2 = true, max_sign_in_age_seconds = 600`;
    const owner = await stack.newClient('Boris');
    const claims = { sub: owner.userId, ...afterEnrolment(method) };
    const bot = {
      edge_token: stack.edgeToken,
      client_id: owner.clientId,
      ...{ bot_type: 'evm-grid', name: 'A bot', config: {}, wallet: sealedWallet(owner.clientId) },
    };
    expect(await rest('POST rpc/setup_bot', claims, bot)).toEqual([401, 'PT401', 'sign_in_too_old']);
    const byItself = { client_id: owner.clientId, bot_type: 'evm-grid', name: 'A bot' };
    expect(await rest('POST bots', claims, byItself)).toEqual([401, 'PT401', 'sign_in_too_old']);
    const env = { ...stack.settings, REQUIRE_AAL2: 'true', MAX_SIGN_IN_AGE_SECONDS: '600' };
    const request = async (bindings: object) =>
      call(`POST /clients/${owner.clientId}/setup-bot`, {
        token: await token(claims),
        env: bindings,
        body: { bot_type: 'evm-grid', private_key: newEvmKey().privateKey },
      });
    expectProblem(await request(env), 401, 'sign_in_too_old');
    // An edge that requires nothing leaves the decision to the database.
    expectProblem(await request(stack.settings), 401, 'sign_in_too_old');
    const fresh = { ...claims, amr: [...claims.amr, { method: 'password', timestamp: inSeconds(-5) }] };
    expect((await rest('POST rpc/setup_bot', fresh, bot))[0]).toBe(200);
  },
);

it('the edge and the database compute the same time of sign-in', async () => {
  const methods = [
    ...FIRST_FACTORS,
    ...[
      'totp',
      'mfa/phone',
      'mfa/webauthn',
      'phone',
      'webauthn',
      'token_refresh',
      'email_change',
      'anonymous',
    ],
    ...['oauth_provider/authorization_code', 'PASSWORD', '', 1, null, ['password'], { method: 'password' }],
  ];
  const times = [undefined, null, 5, 9, 7.5, '9', true];
  const lists = methods.flatMap((method) => [
    ...times.map((timestamp) => [{ method, timestamp }]),
    [
      { method, timestamp: 9 },
      { method: 'password', timestamp: 5 },
    ],
  ]);
  const all = [undefined, null, [], {}, 'password', 7, ['password'], [null], [[5]], ...lists].flatMap((amr) =>
    times.map((auth_time) => ({ amr, auth_time })),
  );
  const texts = all.map((claims) => JSON.stringify(claims));
  const found = await stack.sql<{ at: number | null }[]>`
    select private.signed_in_at(claims::jsonb)::float8 as at
    from unnest(${texts}::text[]) with ordinality as given (claims, place) order by place`;
  expect(found.map(({ at }) => at ?? undefined)).toEqual(texts.map((text) => signedInAt(JSON.parse(text))));
});
