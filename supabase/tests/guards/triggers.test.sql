-- Triggers that apply to every writer.
begin;
\ir ../people.psql
\ir guards.psql
select plan(9);

select results_eq(
  $$select distinct on_table, name from tests.triggers where tgenabled = 'A' order by 1, 2$$,
  $$values
    ('audit_checkpoints', 'audit_checkpoints_are_never_changed'),
    ('bot_wallets', 'end_key_ids_of_changed'), ('bot_wallets', 'end_key_ids_of_deleted'),
    ('bot_wallets', 'hold_key_ids_of_changed'), ('bot_wallets', 'hold_key_ids_of_new'),
    ('bots', 'before_config_write'),
    ('key_events', 'key_events_are_never_changed'),
    ('private.key_ids', 'key_ids_are_kept'), ('private.key_ids', 'key_ids_are_never_truncated'),
    ('trading_keys', 'end_key_ids_of_changed'), ('trading_keys', 'end_key_ids_of_deleted'),
    ('trading_keys', 'hold_key_ids_of_changed'), ('trading_keys', 'hold_key_ids_of_new')$$,
  'these triggers also run with session_replication_role = replica');
select is_empty($$select on_table, name from tests.triggers where tgenabled in ('D', 'R')$$, 'no trigger is disabled');
select is_empty('select * from tests.uncounted_writes', 'every table that an API role can write limits the rows of a statement');
select is_empty('select * from tests.triggers_out_of_order', 'a trigger that must run before the others begins with a_, and no other trigger does');
select bag_eq('select distinct on_table, verb from tests.written_by_api_roles', $$values
    ('clients', 'insert'), ('clients', 'update'), ('bots', 'insert'), ('bots', 'update'),
    ('trading_keys', 'insert'), ('trading_keys', 'update'), ('trading_keys', 'delete'), ('bot_wallets', 'insert'),
    ('machine_tokens', 'insert'), ('machine_tokens', 'delete'), ('machine_token_bots', 'insert'),
    ('bot_policies', 'insert'), ('bot_policies', 'update')$$,
  'API roles can write only these tables');

-- The guards find bad triggers.
create table public.uncounted (id int primary key);
grant update on public.uncounted to authenticated;
alter table public.bots disable trigger a_count_row;
drop trigger a_begin_counting_rows on public.bot_policies;
select results_eq('select on_table, verb from tests.uncounted_writes order by 1, 2', $$values
    ('bot_policies', 'insert'), ('bot_policies', 'update'), ('bots', 'insert'), ('bots', 'update'), ('uncounted', 'update')$$,
  'a table whose limit is missing or disabled is found');
select results_eq($$select distinct on_table, name from tests.triggers where tgenabled = 'D'$$,
  $$values ('bots', 'a_count_row')$$, 'a disabled trigger is found');
create trigger lock_own_client before insert on public.machine_tokens
  for each statement execute function private.lock_own_client();
create trigger a_record_set after insert on public.bot_policies for each row execute function private.after_policies_write();
create trigger "Early" before update on public.clients for each statement execute function private.refuse_change();
alter trigger a_admit_edge on public.trading_keys rename to a_require_edge;
select results_eq('select * from tests.triggers_out_of_order order by 1, 2', $$values
    ('bot_policies', 'a_record_set'), ('clients', 'a_begin_counting_rows'), ('clients', 'a_share_own_client'),
    ('machine_tokens', 'lock_own_client'), ('trading_keys', 'a_require_edge')$$,
  'a trigger that must be the first and is not, and one with a_ that need not be, are found');
alter table public.trading_keys enable trigger hold_key_ids_of_new;
select is((select count(distinct (on_table, name)) from tests.triggers where tgenabled = 'A'), 12::bigint,
  'a trigger that is not ENABLE ALWAYS is found');

select * from finish();
rollback;
