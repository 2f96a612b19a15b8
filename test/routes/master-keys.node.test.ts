/** What the API reports about master keys, in a project of its own, because it counts all envelopes. */
import { randomBytes, randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Keyring, parseKeyring } from '../../src/crypto/keyring.ts';
import { rewrapKeys } from '../../src/services/rewrap.ts';
import { rewrapStore } from '../../tools/operator/rewrap-store.ts';
import { call, settings } from '../support/api.ts';
import { accessToken, newProject } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import type { Project } from '../support/projects.ts';
import { newPlatform } from '../support/rewrap-traffic.ts';

const newMasterKey = () => randomBytes(32).toString('base64');
const OLD = newMasterKey();
const NEW = newMasterKey();

let project: Project;
let sql: Sql;
let older: Keyring;
let newer: Keyring;
let token: string;

beforeAll(async () => {
  project = await newProject();
  sql = postgres(project.databaseUrl, { max: 2, onnotice: () => {}, prepare: false });
  [older, newer] = await Promise.all([parseKeyring(OLD), parseKeyring(NEW)]);
  const admin = randomUUID();
  await sql`insert into auth.users (id, aud, role, email, email_confirmed_at)
    values (${admin}, 'authenticated', 'authenticated', 'admin@example.test', now())`;
  await sql`insert into private.admins (user_id) values (${admin})`;
  token = await accessToken({ sub: admin });
});
afterAll(() => sql.end({ timeout: 1 }));
afterEach(() => {
  vi.restoreAllMocks();
});

const withKeys = (...keys: string[]) => ({
  ...settings(),
  SUPABASE_URL: project.supabaseUrl,
  ENCRYPTION_KEY: keys.join(),
});
const status = async (...keys: string[]) => {
  const answer = await call('GET /keys/status', { token, env: withKeys(...keys) });
  expect(answer.status).toBe(200);
  return answer.json;
};
const readiness = async (...keys: string[]) => {
  const answer = await call('GET /ready', { env: withKeys(...keys) });
  return [answer.status, answer.json.dependencies.master_key];
};
const none = { trading_keys: 0, copies: 0, own_keys: 0, envelopes: 0 };
const dropped = (unopenable_envelopes: number | 'all') => [
  unopenable_envelopes === 'all' ? 503 : 200,
  { status: 'failing', code: 'master_keys_incomplete', detail: expect.any(String), unopenable_envelopes },
];
const ready = [200, { status: 'ok' }];

describe('a change of the master key', () => {
  it('is reported step by step: no envelope, all under the old key, some, all under the new key', async () => {
    expect(await status(OLD)).toEqual({
      master_keys: [{ id: older.primary.id, role: 'primary', ...none }],
      to_rewrap: 0,
      unopenable: 0,
    });
    expect(await readiness(OLD)).toEqual(ready);

    // Each client has a trading key and two copies; the first client also has an own key of a wallet.
    await newPlatform(project.databaseUrl, 4, older).then((platform) => platform.sql.end());
    const four = { trading_keys: 4, copies: 8, own_keys: 1, envelopes: 13 };
    expect(await status(NEW, OLD)).toEqual({
      master_keys: [
        { id: newer.primary.id, role: 'primary', ...none },
        { id: older.primary.id, role: 'open', ...four },
      ],
      to_rewrap: 13,
      unopenable: 0,
    });
    expect(await readiness(NEW, OLD)).toEqual(ready);

    // The old key was dropped too early.
    expect(await status(NEW)).toEqual({
      master_keys: [
        { id: newer.primary.id, role: 'primary', ...none },
        { id: older.primary.id, role: 'missing', ...four },
      ],
      to_rewrap: 0,
      unopenable: 13,
    });
    expect(await readiness(NEW)).toEqual(dropped('all'));

    const both = await parseKeyring(`${NEW},${OLD}`);
    const store = rewrapStore(sql, newer.primary.id);
    expect(await rewrapKeys(store, both, { batch: 2, limit: 2 })).toMatchObject({ moved: 2, left: 3 });
    const { to_rewrap } = await status(NEW, OLD);
    expect(to_rewrap).toBeGreaterThanOrEqual(7);
    expect(await readiness(NEW)).toEqual(dropped(to_rewrap));
    expect(await readiness(NEW, OLD)).toEqual(ready);

    await rewrapKeys(store, both, { batch: 2, limit: 100 });
    expect(await status(NEW, OLD)).toEqual({
      master_keys: [
        { id: newer.primary.id, role: 'primary', ...four },
        { id: older.primary.id, role: 'open', ...none },
      ],
      to_rewrap: 0,
      unopenable: 0,
    });
    expect(await readiness(NEW)).toEqual(ready);
    expect(await readiness(newMasterKey())).toEqual(dropped('all'));
  });

  it('without ENCRYPTION_KEY: GET /keys/status -> 503', async () => {
    expectProblem(await call('GET /keys/status', { token, env: withKeys() }), 503, 'master_key_missing');
  });
});

describe('GET /ready', () => {
  it('counts again after ten seconds and not before', async () => {
    const key = newMasterKey();
    await sql`delete from public.trading_keys`;
    expect(await readiness(key)).toEqual(ready);
    await newPlatform(project.databaseUrl, 1, older).then((platform) => platform.sql.end());
    const start = Date.now();
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => start + 5_000);
    expect(await readiness(key)).toEqual(ready);
    clock.mockImplementation(() => start + 11_000);
    expect(await readiness(key)).toEqual(dropped(4));
  });

  it('is 503 if envelopes of two clients do not open, and never because of the envelopes of one client', async () => {
    const key = newMasterKey();
    await sql`delete from public.trading_keys`;
    await newPlatform(project.databaseUrl, 1, older).then((platform) => platform.sql.end());
    // The only client: it may have stored, directly at the REST API, an envelope that no key opens.
    expect(await readiness(key)).toEqual(dropped(4));
    await newPlatform(project.databaseUrl, 1, newer).then((platform) => platform.sql.end());
    expect(await readiness(newMasterKey())).toEqual(dropped('all'));
    expect(await readiness(NEW)).toEqual(dropped(4));
  });
});
