-- The roles of a hosted Supabase project. The superuser `supabase_admin` runs this once in a new cluster.
-- docs/local-stack.md lists what is left out.
create role anon;
create role authenticated;
create role service_role bypassrls;
create role authenticator login noinherit;
create role supabase_auth_admin login noinherit;
create role postgres login createdb createrole replication bypassrls;

grant anon, authenticated, service_role to authenticator;
-- With the admin option, a migration can run `alter role authenticated set ...`.
grant anon, authenticated, service_role to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
-- On hosted projects supautils grants these: a restore needs the first.
grant set on parameter session_replication_role, log_lock_waits, log_min_messages, track_io_timing to postgres;

-- PostgREST applies the settings of `anon` and `authenticated` to each transaction that it runs as that role.
-- `service_role` has none and keeps those of the session.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_auth_admin set idle_in_transaction_session_timeout = '60s';

alter role supabase_auth_admin set search_path = auth;
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
