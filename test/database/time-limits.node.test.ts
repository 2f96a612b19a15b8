/** The local stack ends what takes too long as PostgREST does: at the limit of the role, or at that of the function. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { accessToken, newProject } from '../support/people.ts';
import type { Project } from '../support/projects.ts';

const ROLE = `hurried_${crypto.randomUUID().replaceAll('-', '')}`;
const CANCELLED = { status: 500, json: { code: '57014' } };

let project: Project;
let sql: postgres.Sql;
let token: string;

/** A role beside `authenticated`, whose limit other tests need as it is. */
beforeAll(async () => {
  project = await newProject();
  sql = postgres(project.databaseUrl, { max: 2, onnotice: () => {} });
  token = await accessToken({ sub: crypto.randomUUID(), role: ROLE });
  await sql.unsafe(`
    create role ${ROLE};
    grant ${ROLE} to authenticator;
    grant usage on schema public to ${ROLE};
    alter role ${ROLE} set statement_timeout = '200ms';

    create function public.nap(seconds float) returns text language plpgsql set search_path = '' as $$
    begin
      perform pg_sleep(seconds);
      return 'rested';
    end $$;
    create function public.nap_long(seconds float) returns text language plpgsql
    set search_path = '' set statement_timeout = '3s' as $$
    begin
      return public.nap(seconds);
    end $$;
    create function public.nap_short(seconds float) returns text language plpgsql
    set search_path = '' set statement_timeout = '50ms' as $$
    begin
      return public.nap(seconds);
    end $$;
    create function public.limit_now() returns text language plpgsql set search_path = '' as $$
    begin
      return current_setting('statement_timeout');
    end $$;
    create view public.naps as select public.nap(0.5) as nap;
    grant execute on function public.nap(float), public.nap_long(float), public.nap_short(float) to ${ROLE};
    grant execute on function public.limit_now() to ${ROLE}, anon;
    grant select on public.naps to ${ROLE};
    notify pgrst, 'reload config';`);
  await visible('rpc/nap_short');
});
afterAll(async () => {
  await sql.unsafe(`
    drop view public.naps;
    drop function public.nap(float), public.nap_long(float), public.nap_short(float), public.limit_now();
    revoke usage on schema public from ${ROLE};
    drop role ${ROLE};`);
  await sql.end();
});

async function call(path: string, body?: object, as = token) {
  const response = await fetch(`${project.supabaseUrl}/rest/v1/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      apikey: inject('publishableKey'),
      authorization: `Bearer ${as}`,
      'content-type': 'application/json',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}
const nap = (name: string, seconds: number) => call(`rpc/${name}`, { seconds });
const visible = (path: string) =>
  vi.waitFor(async () => expect((await call(path, { seconds: 0 })).status).not.toBe(404));

describe('the limit of the role', () => {
  it('lets a quick function end', async () => {
    expect(await nap('nap', 0.01)).toEqual({ status: 200, json: 'rested' });
  });

  it('cancels a slow function -> 500 with the SQLSTATE', async () => {
    expect(await nap('nap', 1)).toMatchObject(CANCELLED);
  });

  it('cancels a slow read of a table or view', async () => {
    expect(await call('naps')).toMatchObject(CANCELLED);
  });

  it('ends with the transaction: whoever calls next in the same session has an own limit', async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      expect((await call('rpc/limit_now', {})).json).toBe('200ms');
      expect((await call('rpc/limit_now', {}, await accessToken({ role: 'anon' }))).json).toBe('3s');
    }
  });

  it('holds after `notify pgrst` as it was changed', async () => {
    await sql.unsafe(`alter role ${ROLE} set statement_timeout = '2s'; notify pgrst, 'reload config'`);
    await vi.waitFor(async () => expect(await nap('nap', 0.4)).toEqual({ status: 200, json: 'rested' }), {
      timeout: 10_000,
    });
    await sql.unsafe(`alter role ${ROLE} set statement_timeout = '200ms'; notify pgrst, 'reload config'`);
    await vi.waitFor(async () => expect(await nap('nap', 0.4)).toMatchObject(CANCELLED), { timeout: 10_000 });
  });
});

describe('the limit of the function', () => {
  it('lets it run longer than its role may', async () => {
    expect(await nap('nap_long', 0.6)).toEqual({ status: 200, json: 'rested' });
  });

  it('cancels it before the limit of its role', async () => {
    expect(await nap('nap_short', 0.15)).toMatchObject(CANCELLED);
  });

  it('holds as it was changed, without a notification by the operator', async () => {
    await sql`alter function public.nap_short(float) set statement_timeout = '2s'`;
    await vi.waitFor(async () => expect((await nap('nap_short', 0.3)).status).toBe(200), { timeout: 10_000 });
  });
});
