/** The local stack has the roles, owners, grants and limits of a hosted project. */
import { createClient } from '@supabase/supabase-js';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { asRole } from '../../tools/stack/hosted/bootstrap.ts';
import { accessToken, inSeconds, newProject } from '../support/people.ts';
import type { Project } from '../support/projects.ts';

let project: Project;
let sql: postgres.Sql;

beforeAll(async () => {
  project = await newProject();
  sql = postgres(project.databaseUrl, { max: 2, onnotice: () => {} });
});
afterAll(() => sql.end());

const namesOf = (rows: readonly { readonly name: string }[]) => rows.map(({ name }) => name);

describe('roles', () => {
  it.each([
    ['anon', ''],
    ['authenticated', ''],
    ['authenticator', 'login noinherit'],
    ['service_role', 'bypassrls'],
    ['supabase_auth_admin', 'login noinherit'],
    ['postgres', 'login createdb createrole replication bypassrls'],
  ])('%s is %s and not a superuser', async (role, attributes) => {
    const [row] = await sql`
      select rolsuper as superuser, concat_ws(' ',
        case when rolcanlogin then 'login' end, case when not rolinherit then 'noinherit' end,
        case when rolcreatedb then 'createdb' end, case when rolcreaterole then 'createrole' end,
        case when rolreplication then 'replication' end, case when rolbypassrls then 'bypassrls' end) as attributes
      from pg_roles where rolname = ${role}`;
    expect(row).toEqual({ superuser: false, attributes });
  });

  it('postgres changes settings of the API roles, but not of authenticator', async () => {
    const attempt = (role: string) =>
      sql
        .begin(async (transaction) => {
          await transaction.unsafe(`alter role ${role} set statement_timeout = '1s'`);
          throw new Error('undone');
        })
        .catch((error) => (error instanceof postgres.PostgresError ? error.code : error.message));
    expect(await attempt('anon')).toBe('undone');
    expect(await attempt('authenticated')).toBe('undone');
    expect(await attempt('authenticator')).toBe('42501');
    expect(await attempt('supabase_auth_admin')).toBe('42501');
  });

  it.each(['session_replication_role', 'log_lock_waits'])('postgres may set %s', async (parameter) => {
    const [row] = await sql`select has_parameter_privilege(${parameter}, 'set') as granted`;
    expect(row).toEqual({ granted: true });
  });
});

describe('the schema auth', () => {
  it('contains only objects of supabase_auth_admin, and its tables have row-level security', async () => {
    const tables = await sql`
      select distinct relowner::regrole::text as owner, relrowsecurity as secured from pg_class
      where relnamespace = 'auth'::regnamespace and relkind = 'r'`;
    expect([...tables]).toEqual([{ owner: 'supabase_auth_admin', secured: true }]);
    const rest = await sql<{ name: string }[]>`
      select oid::regprocedure::text as name from pg_proc
      where pronamespace = 'auth'::regnamespace and proowner <> 'supabase_auth_admin'::regrole
      union all
      select oid::regtype::text from pg_type
      where typnamespace = 'auth'::regnamespace and typowner <> 'supabase_auth_admin'::regrole`;
    expect(namesOf(rest)).toEqual([]);
  });

  it('has the tables of Supabase Auth for factors, methods and one-time tokens', async () => {
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'auth'::regnamespace and relkind = 'r'`;
    expect(namesOf(tables)).toEqual(
      expect.arrayContaining(['mfa_factors', 'mfa_challenges', 'mfa_amr_claims', 'one_time_tokens']),
    );
  });

  it('postgres reads, writes and references the tables and creates triggers on them', async () => {
    const [row] = await sql`
      select bool_and(has_table_privilege('auth.users', privilege)) as granted
      from unnest('{select, insert, update, delete, references, trigger}'::text[]) as privilege`;
    expect(row).toEqual({ granted: true });
  });

  it.each([
    ['creates nothing', 'create table auth.stray (id integer)'],
    ['changes no table', 'alter table auth.users add column stray integer'],
    [
      'replaces no function',
      'create or replace function auth.uid() returns uuid language sql return null::uuid',
    ],
    ['does not become its owner', 'set role supabase_auth_admin'],
  ])('postgres %s in it', async (_, statement) => {
    await expect(sql.unsafe(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it.each(['anon', 'authenticated', 'service_role'])('%s reads none of its tables', async (role) => {
    const readable = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'auth'::regnamespace and relkind = 'r' and has_table_privilege(${role}, oid, 'select')`;
    expect(namesOf(readable)).toEqual([]);
  });
});

describe('the functions of Supabase Auth', () => {
  const inTransaction = (claims: string | null) =>
    sql.begin(async (transaction) => {
      if (claims !== null) await transaction`select set_config('request.jwt.claims', ${claims}, true)`;
      const [row] = await transaction`
        select auth.jwt() as jwt, auth.uid() as uid, auth.role() as role, auth.email() as email`;
      return row;
    });

  it.each([
    ['without claims', null],
    ['with the empty text that an earlier transaction leaves', ''],
  ])('are null %s', async (_, claims) => {
    expect(await inTransaction(claims)).toEqual({ jwt: null, uid: null, role: null, email: null });
  });

  it('read the claims', async () => {
    const claims = { sub: crypto.randomUUID(), role: 'authenticated', email: 'a@example.test', aal: 'aal2' };
    expect(await inTransaction(JSON.stringify(claims))).toEqual({
      jwt: claims,
      uid: claims.sub,
      role: 'authenticated',
      email: 'a@example.test',
    });
  });
});

describe('the schema public', () => {
  it('belongs to the owner of the database, which is postgres', async () => {
    const [row] = await sql`
      select nspowner::regrole::text as owner, datdba::regrole::text as database_owner
      from pg_namespace, pg_database where nspname = 'public' and datname = current_database()`;
    expect(row).toEqual({ owner: 'pg_database_owner', database_owner: 'postgres' });
  });
});

it('no two functions of the schema public share a name, because the local stack finds their time limits by name', async () => {
  const overloaded = await sql<{ name: string }[]>`
    select proname as name from pg_proc where pronamespace = 'public'::regnamespace group by proname having count(*) > 1`;
  expect(namesOf(overloaded)).toEqual([]);
});

describe('sign-up and sign-in', () => {
  it('run as supabase_auth_admin and fire the triggers of the migrations', async () => {
    await sql`create table public.fired (as_role text not null)`;
    await sql`
      create function private.note() returns trigger language plpgsql security definer set search_path = '' as $$
      begin
        insert into public.fired values (session_user);
        return new;
      end $$`;
    await sql`create trigger note after insert on auth.users for each row execute function private.note()`;
    const email = `${crypto.randomUUID()}@example.test`;
    const password = 'a long enough password';
    const supabase = createClient(project.supabaseUrl, inject('publishableKey'), {
      auth: { persistSession: false, autoRefreshToken: false },
    });
    expect((await supabase.auth.signUp({ email, password })).error).toBeNull();
    await sql`update auth.users set email_confirmed_at = now() where email = ${email}`;
    const { data, error } = await supabase.auth.signInWithPassword({ email, password });
    expect(error).toBeNull();
    expect(data.session?.access_token).toBeTypeOf('string');
    expect([...(await sql`select distinct as_role from public.fired`)]).toEqual([
      { as_role: 'supabase_auth_admin' },
    ]);
    await sql`drop function private.note() cascade`;
    await sql`drop table public.fired`;
  });

  it('a wrong password does not connect as supabase_auth_admin', async () => {
    const url = new URL(asRole(project.databaseUrl, 'supabase_auth_admin'));
    url.password = 'wrong';
    const other = postgres(url.href, { max: 1 });
    await expect(other`select 1`).rejects.toMatchObject({ code: '28P01' });
    await other.end();
  });
});

describe('a call at the REST API', () => {
  let url: string;

  beforeAll(async () => {
    url = `${project.supabaseUrl}/rest/v1/rpc/surroundings`;
    await sql`
      create function public.surroundings() returns jsonb language plpgsql set search_path from current as $$
      begin
        return jsonb_build_object('session_user', session_user, 'current_user', current_user,
          'lock_timeout', current_setting('lock_timeout'), 'statement_timeout', current_setting('statement_timeout'),
          'search_path', current_setting('search_path'), 'claims', auth.jwt(),
          'sub', current_setting('request.jwt.claim.sub', true));
      end $$`;
    await sql`alter function public.surroundings() reset search_path`;
    await sql`
      create function public.write_in(volatility text) returns text language plpgsql as $$
      begin
        perform nextval('public.numbers');
        return volatility;
      end $$`;
    await sql`create sequence public.numbers`;
    await sql`
      create function public.fail_with(sqlstate text) returns void language plpgsql as $$
      begin
        raise exception 'failed' using errcode = fail_with.sqlstate, detail = 'a detail', hint = 'a hint';
      end $$`;
    await sql`grant execute on function public.fail_with(text) to anon`;
    await sql`
      create function public.write_though_stable() returns bigint language plpgsql stable as $$
      begin
        return nextval('public.numbers');
      end $$`;
    await sql`grant usage on sequence public.numbers to anon`;
    await sql`grant execute on function public.surroundings() to anon, authenticated`;
    await sql`grant execute on function public.write_in(text), public.write_though_stable() to anon`;
    await vi.waitFor(async () => expect((await call('write_though_stable')).status).not.toBe(404), {
      timeout: 20_000,
    });
  });
  afterAll(async () => {
    await sql`
      drop function public.surroundings(), public.write_in(text), public.write_though_stable(), public.fail_with(text)`;
    await sql`drop sequence public.numbers`;
  });

  async function call(name: string, body: object = {}, token?: string) {
    const response = await fetch(new URL(name, url), {
      method: 'POST',
      headers: {
        apikey: inject('publishableKey'),
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, json: await response.json() };
  }

  it('runs in a session of authenticator, as the role of the token, with the limits of that role and the claims of the token', async () => {
    const sub = crypto.randomUUID();
    const exp = inSeconds(60);
    const token = await accessToken({ sub, exp, iat: undefined });
    const [limits] = await sql`
      select substr(setting, length('statement_timeout=') + 1) as statement_timeout
      from pg_roles, unnest(rolconfig) as setting where rolname = 'authenticated' and setting like 'statement_timeout=%'`;
    expect((await call('surroundings', {}, token)).json).toEqual({
      session_user: 'authenticator',
      current_user: 'authenticated',
      lock_timeout: '8s',
      statement_timeout: limits?.statement_timeout,
      search_path: '"public", "extensions"',
      claims: { sub, role: 'authenticated', aud: 'authenticated', exp },
      sub: null,
    });
  });

  it('prepares its two statements, the settings and the function', async () => {
    await sql`
      create function public.prepared_texts() returns jsonb language plpgsql as $$
      begin
        return (select jsonb_agg(statement) from pg_prepared_statements);
      end $$`;
    await sql`grant execute on function public.prepared_texts() to anon`;
    await vi.waitFor(async () => expect((await call('prepared_texts')).status).toBe(200), {
      timeout: 20_000,
    });
    expect((await call('prepared_texts')).json).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^select set_config\(/),
        expect.stringMatching(/^select \* from public\.prepared_texts\(/),
      ]),
    );
    await sql`drop function public.prepared_texts()`;
  });

  it('without a token runs as anon, with a limit of 3 seconds and a role claim', async () => {
    expect((await call('surroundings')).json).toMatchObject({
      session_user: 'authenticator',
      current_user: 'anon',
      statement_timeout: '3s',
      claims: { role: 'anon' },
    });
  });

  it('with a token without a role runs as anon, and its claims name that role', async () => {
    const sub = crypto.randomUUID();
    const token = await accessToken({ sub, role: undefined });
    expect((await call('surroundings', {}, token)).json).toMatchObject({
      current_user: 'anon',
      claims: { sub, role: 'anon' },
    });
  });

  it.each([
    ['P0001', 400],
    ['23514', 400],
    ['22003', 400],
    ['21000', 500],
    ['40001', 500],
    ['40P01', 500],
    ['55P03', 500],
    ['57014', 500],
    ['XX000', 500],
    ['28000', 403],
    ['53300', 503],
    ['57P01', 503],
  ])('that fails with %s -> %i with the SQLSTATE, the detail and the hint', async (sqlstate, status) => {
    expect(await call('fail_with', { sqlstate })).toEqual({
      status,
      json: { code: sqlstate, message: 'failed', details: 'a detail', hint: 'a hint' },
    });
  });

  it('of a stable function writes nothing, also by POST', async () => {
    expect((await call('write_in', { volatility: 'volatile' })).json).toBe('volatile');
    expect(await call('write_though_stable')).toMatchObject({ status: 405, json: { code: '25006' } });
  });
});
