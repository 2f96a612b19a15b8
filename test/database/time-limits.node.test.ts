/** The local stack cancels slow statements as PostgREST does: at the time limit of the role, or of the function. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createSupabaseApi } from '../../tools/stack/supabase-api.ts';
import { accessToken, newProject } from '../support/people.ts';
import type { Project } from '../support/projects.ts';

const ROLE = `hurried_${crypto.randomUUID().replaceAll('-', '')}`;
const PATIENCE = { timeout: 20_000 };
const CANCELLED = { status: 500, json: { code: '57014' } };

let project: Project;
let sql: postgres.Sql;
let token: string;

/** A role beside `authenticated`, whose own limit must not change because other tests depend on it. */
beforeAll(async () => {
  project = await newProject();
  sql = postgres(project.databaseUrl, { max: 2, onnotice: () => {} });
  token = await accessToken({ sub: crypto.randomUUID(), role: ROLE });
  await sql.unsafe(`
    create role ${ROLE};
    grant ${ROLE} to authenticator;
    grant usage on schema public to ${ROLE};
    alter role ${ROLE} set statement_timeout = '500ms';

    create function public.nap(seconds float) returns text language plpgsql set search_path = '' as $$
    begin
      perform pg_sleep(seconds);
      return 'rested';
    end $$;
    create function public.nap_long(seconds float) returns text language plpgsql
    set search_path = '' set statement_timeout = '20s' as $$
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
    create view public.naps as select public.nap(2) as nap;
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

async function call(path: string, body?: object, as = token, supabaseUrl = project.supabaseUrl) {
  const response = await fetch(`${supabaseUrl}/rest/v1/${path}`, {
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
  vi.waitFor(async () => expect((await call(path, { seconds: 0 })).status).not.toBe(404), PATIENCE);

describe('the limit of the role', () => {
  it('allows a fast function to finish', async () => {
    expect(await nap('nap', 0.01)).toEqual({ status: 200, json: 'rested' });
  });

  it('cancels a slow function -> 500 with the SQLSTATE', async () => {
    expect(await nap('nap', 2)).toMatchObject(CANCELLED);
  });

  it('cancels a slow read of a table or view', async () => {
    expect(await call('naps')).toMatchObject(CANCELLED);
  });

  it('ends with the transaction: the next call in the same session has its own limit', async () => {
    for (let turn = 0; turn < 4; turn += 1) {
      expect((await call('rpc/limit_now', {})).json).toBe('500ms');
      expect((await call('rpc/limit_now', {}, await accessToken({ role: 'anon' }))).json).toBe('3s');
    }
  });

  it('changes with the first call after `notify pgrst`', async () => {
    await sql.unsafe(`alter role ${ROLE} set statement_timeout = '20s'; notify pgrst, 'reload config'`);
    await vi.waitFor(
      async () => expect(await nap('nap', 0.9)).toEqual({ status: 200, json: 'rested' }),
      PATIENCE,
    );
    await sql.unsafe(`alter role ${ROLE} set statement_timeout = '500ms'; notify pgrst, 'reload config'`);
    await vi.waitFor(async () => expect(await nap('nap', 2)).toMatchObject(CANCELLED), PATIENCE);
  });
});

describe('the limit of the function', () => {
  it('allows it to run longer than the limit of its role', async () => {
    expect(await nap('nap_long', 0.9)).toEqual({ status: 200, json: 'rested' });
  });

  it('cancels it before the limit of its role', async () => {
    expect(await nap('nap_short', 0.3)).toMatchObject(CANCELLED);
  });

  it('changes without a notification by the operator', async () => {
    await sql`alter function public.nap_short(float) set statement_timeout = '20s'`;
    await vi.waitFor(async () => expect((await nap('nap_short', 0.3)).status).toBe(200), PATIENCE);
  });
});

it('closing the API ends a running call', async () => {
  const api = createSupabaseApi({
    databaseUrl: project.databaseUrl,
    jwtSecret: inject('jwtSecret'),
    publishableKey: inject('publishableKey'),
    poolSize: 2,
  });
  const supabaseUrl = `http://127.0.0.1:${await api.listen(0)}`;
  const cut = expect(call('rpc/nap_long', { seconds: 15 }, token, supabaseUrl)).rejects.toThrow();
  const running = () => sql`
    select from pg_stat_activity where datname = current_database() and query like '%nap_long%' and pid <> pg_backend_pid()`;
  await vi.waitFor(async () => expect(await running()).toHaveLength(1), PATIENCE);
  await api.close();
  await cut;
});
