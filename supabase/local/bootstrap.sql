-- What a hosted Supabase project has before the first migration: the API roles, and a `postgres` that is no
-- superuser. Runs once, as the superuser, in a new embedded cluster.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
create role postgres login createdb createrole replication bypassrls;
grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant all on database postgres to postgres;
-- As supautils does on hosted projects: a restore loads rows with it.
grant set on parameter session_replication_role to postgres;

create schema extensions authorization postgres;
create schema auth authorization postgres;
grant usage on schema extensions, auth to anon, authenticated, service_role;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;

-- As on hosted projects since October 2026: nothing in `public` is granted by default.
alter schema public owner to postgres;
revoke all on schema public from public;
grant usage on schema public to anon, authenticated, service_role;
alter database postgres set search_path to "$user", public, extensions;
