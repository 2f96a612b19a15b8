/** A project that requires a second factor: sessions straight at its REST API, and by way of an edge that forgot. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { logConsoleTo } from '../../supabase/local/console-log.ts';
import { removePostgres } from '../../supabase/local/postgres.ts';
import { type Stack, startStack } from '../../supabase/local/stack.ts';
import { call, MASTER_KEY } from '../support/api.ts';
import { accessToken, inSeconds } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { sealedWallet } from './actions.ts';

const directory = mkdtempSync(join(tmpdir(), 'trading-keys-step-up-'));
chmodSync(directory, 0o755);
let stack: Stack;
let sql: postgres.Sql;
const userId = crypto.randomUUID();
let clientId = '';

beforeAll(async () => {
  logConsoleTo(join(directory, 'supabase.log'));
  stack = await startStack({ directory, supabasePort: 0, durable: false });
  sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => {} });
  await sql`insert into auth.users (id, aud, role, email, email_confirmed_at)
    values (${userId}, 'authenticated', 'authenticated', 'anna@step-up.test', now())`;
  const [client] = await sql<[{ id: string }]>`
    insert into public.clients (name, email) values ('Anna', 'anna@step-up.test') returning id`;
  clientId = client.id;
});
afterAll(async () => {
  await sql.end({ timeout: 1 });
  await stack.stop();
  removePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
});

const token = (claims: object) => accessToken({ sub: userId, ...claims }, stack.jwtSecret);
const forgetful = () => ({
  SUPABASE_URL: stack.supabaseUrl,
  SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
  SUPABASE_JWT_SECRET: stack.jwtSecret,
  ENCRYPTION_KEY: MASTER_KEY,
});

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

it('POST, PATCH and rpc with one factor -> 403; with two -> done; DELETE with one -> done', async () => {
  await sql`update private.settings set require_aal2 = true`;
  const refused = [403, 'PT403', 'second_factor_required'];
  const row = { client_id: clientId, ...sealedWallet(clientId) };
  const { client_id: _, ...next } = { ...sealedWallet(clientId), client_id: '' };
  expect(await rest('POST trading_keys', { aal: 'aal1' }, row)).toEqual(refused);
  expect(await rest('POST trading_keys', {}, row)).toEqual(refused);
  expect((await rest('POST trading_keys', { aal: 'aal2' }, row))[0]).toBe(201);

  const path = `trading_keys?client_id=eq.${clientId}`;
  expect(await rest(`PATCH ${path}`, { aal: 'aal1' }, next)).toEqual(refused);
  expect(await sql`select key_id from public.trading_keys`).toEqual([{ key_id: row.key_id }]);
  const rotation = { client_id: clientId, ...next };
  expect(await rest('POST rpc/rotate_key', { aal: 'aal1' }, rotation)).toEqual(refused);
  expect((await rest('POST rpc/rotate_key', { aal: 'aal2' }, rotation))[0]).toBe(200);
  expect(await sql`select key_id from public.trading_keys`).toEqual([{ key_id: next.key_id }]);

  expect((await rest(`DELETE ${path}`, { aal: 'aal1' }))[0]).toBeLessThan(300);
  expect(await sql`select key_id from public.trading_keys`).toEqual([]);
});

it('through an edge without REQUIRE_AAL2 -> 403 by the database, and GET /ready says that they disagree', async () => {
  await sql`update private.settings set require_aal2 = true, max_sign_in_age_seconds = 600`;
  const env = forgetful();
  const setUp = async (claims: object) =>
    call(`POST /clients/${clientId}/setup-bot`, {
      token: await token(claims),
      env,
      body: { bot_type: 'evm-grid', private_key: newEvmKey().privateKey },
    });
  const now = [{ method: 'totp', timestamp: inSeconds(-5) }];
  const before = [{ method: 'totp', timestamp: inSeconds(-700) }];
  expectProblem(await setUp({ aal: 'aal1', amr: now }), 403, 'second_factor_required');
  expectProblem(await setUp({ aal: 'aal2', amr: before }), 401, 'sign_in_too_old');
  expect(await sql`select id from public.bots`).toEqual([]);
  expect((await setUp({ aal: 'aal2', amr: now })).status).toBe(201);

  const readiness = async (bindings: object) => {
    const { json } = await call('GET /ready', { env: { ...env, ...bindings } });
    return json.dependencies.step_up;
  };
  expect(await readiness({})).toEqual({ status: 'missing', code: 'step_up_disagrees' });
  expect(await readiness({ REQUIRE_AAL2: 'true' })).toMatchObject({ code: 'step_up_disagrees' });
  expect(await readiness({ REQUIRE_AAL2: 'true', MAX_SIGN_IN_AGE_SECONDS: '600' })).toEqual({ status: 'ok' });
});
