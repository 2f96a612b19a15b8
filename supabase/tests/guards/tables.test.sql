begin;
\ir ../people.psql
\ir guards.psql
select plan(10);

select is_empty('select * from tests.tables_without_forced_row_security',
  'every table has row-level security, forced');
select is_empty('select * from tests.tables_without_comment', 'every table has a comment');
select is_empty('select * from tests.foreign_keys_without_index', 'every foreign key has an index');
select is_empty('select * from tests.readable_secrets', 'no API role can read an envelope or a token''s hash');
select bag_eq(
  'select c.relname::text from pg_class as c join tests.our_schemas as s on s.oid = c.relnamespace
    where c.relkind in (''r'', ''p'', ''v'', ''m'', ''f'', ''S'')',
  array['admins', 'imported_rows', 'clients', 'bot_types', 'bots', 'bot_health_logs', 'trading_keys', 'bot_wallets',
    'key_events', 'queued_key_events', 'queued_key_events_number_seq', 'every_key_event', 'tokens_in_force', 'shown_wallets', 'bot_health', 'refusal_counts',
    'audit_checkpoints', 'machine_tokens', 'machine_token_bots', 'kept_answers', 'bot_policies', 'value_reservations',
    'bot_heartbeats', 'monitor_settings', 'monitor_state', 'event_counts', 'key_ids', 'bot_signing_failures', 'rewrap_progress', 'settings'],
  'these are all tables, the only views, and the sequence of the queue');

-- The guards find bad tables.
create table public.unguarded (id int primary key, encrypted_key text);
create table private.unforced (id int references public.unguarded);
alter table private.unforced enable row level security;
grant select on public.unguarded to service_role;

select results_eq('select * from tests.tables_without_forced_row_security order by 1',
  array['private.unforced', 'unguarded'], 'a table without row-level security, or without force, is found');
select results_eq('select * from tests.tables_without_comment order by 1',
  array['private.unforced', 'unguarded'], 'a table without a comment is found');
select results_eq('select * from tests.foreign_keys_without_index',
  array['private.unforced: unforced_id_fkey'], 'a foreign key without an index is found');
select results_eq('select * from tests.readable_secrets',
  array['unguarded.encrypted_key by service_role'], 'a readable envelope is found');
create index on private.unforced (id);
select is_empty('select * from tests.foreign_keys_without_index', 'with an index it is found no more');

select * from finish();
rollback;
