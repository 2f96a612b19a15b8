-- Every change is recorded as an event, whoever makes it. This file lists each table and verb: a trigger records the event or rejects
-- the change, or a reason says why the change is not an event.
begin;
\ir ../people.psql
\ir guards.psql
select plan(15);

create table tests.changes (on_table text, verb text, how text, primary key (on_table, verb));
insert into tests.changes
select on_table, verb, how from (values
  ('clients', 'insert update delete', 'event'),
  ('bots', 'insert update delete', 'event'),
  ('trading_keys', 'insert update delete', 'event'),
  ('bot_wallets', 'insert update delete', 'event'),
  ('machine_tokens', 'insert update delete', 'event'),
  ('machine_token_bots', 'insert delete', 'event'),
  ('machine_token_bots', 'update', 'rejected'),
  ('bot_policies', 'insert update delete', 'event'),
  ('bot_types', 'insert update delete', 'event'),
  ('private.admins', 'insert update delete', 'event'),
  ('private.settings', 'insert update delete', 'event'),
  ('private.monitor_settings', 'insert update delete', 'event'),
  ('key_events', 'update delete', 'rejected'),
  ('key_events', 'insert', 'it is the chain of events'),
  ('audit_checkpoints', 'update delete', 'rejected'),
  ('audit_checkpoints', 'insert', 'a signature over an event'),
  ('private.key_ids', 'delete', 'rejected'),
  ('private.key_ids', 'insert update', 'follows a change of a key, which is an event'),
  ('private.queued_key_events', 'insert update delete', 'it is the queue of events'),
  ('private.event_counts', 'insert update delete', 'counts events'),
  ('private.refusal_counts', 'insert update delete', 'counts events'),
  ('private.kept_answers', 'insert update delete', 'stores a response about a change, which is an event'),
  ('private.rewrap_progress', 'insert update delete', 'how far a job is; each key that it moves is an event'),
  ('private.imported_rows', 'insert update delete', 'which old row a new one came from; the new one is an event'),
  ('private.monitor_state', 'insert update delete', 'how far the monitor is'),
  ('value_reservations', 'insert update delete', 'made with a signature, which is an event'),
  ('bot_heartbeats', 'insert update delete', 'a report of a runner, not a change'),
  ('bot_health_logs', 'insert update delete', 'a finding of the monitor, not a change'),
  ('bot_signing_failures', 'insert update delete', 'counts what failed; a quarantine is an event')
) as listed (on_table, verbs, how) cross join regexp_split_to_table(verbs, ' ') as verb;

create view tests.unlisted_changes as
select c.oid::regclass::text collate "default" as on_table, verb
from pg_class as c join tests.our_schemas as s on s.oid = c.relnamespace
cross join unnest(array['insert', 'update', 'delete']) as verb
where c.relkind in ('r', 'p', 'f')
except select on_table, verb from tests.changes;

create view tests.changes_without_event as
select on_table, verb from tests.changes where how = 'event'
except
select on_table, verb from tests.triggers
where not before and tgenabled in ('O', 'A')
  and body ~ '\mprivate\.record_(event|events|key_event|token_event)\(';

create view tests.changes_let_through as
select on_table, verb from tests.changes where how = 'rejected'
except
select on_table, verb from tests.triggers
where tgenabled in ('O', 'A') and body ~ '\mraise sqlstate ''PT405''';

create view tests.changes_by_api_roles_without_event as
select on_table, verb from tests.written_by_api_roles
except select on_table, verb from tests.changes where how = 'event';

-- TRUNCATE fires no row trigger. It would be a change without an event.
create view tests.truncated_without_event as
select on_table from tests.changes where how in ('event', 'rejected')
except
select on_table from tests.triggers
where verb = 'truncate' and before and tgenabled in ('O', 'A') and body ~ '\mraise sqlstate ''PT405''';

select is_empty('select * from tests.unlisted_changes', 'every table and verb is listed');
select is_empty('select changes.on_table from tests.changes where to_regclass(on_table) is null', 'every listed table exists');
select is_empty('select * from tests.changes_without_event', 'every change that is listed as an event has a trigger that writes the event');
select is_empty('select * from tests.changes_let_through', 'every change that is listed as rejected has a trigger that rejects it');
select is_empty('select * from tests.changes_by_api_roles_without_event', 'everything that an API role can write is an event');
select is_empty('select * from tests.truncated_without_event', 'no table whose changes are events can be truncated');
select is_empty($$select * from tests.changes where how not in ('event', 'rejected') and length(how) < 10$$, 'every exception has a reason');

-- The guards find bad tables and triggers.
create table public.stray (id int primary key);
select results_eq('select on_table, verb from tests.unlisted_changes order by 2', $$values
  ('stray', 'delete'), ('stray', 'insert'), ('stray', 'update')$$, 'a new table is found');
insert into tests.changes values ('stray', 'insert', 'event'), ('stray', 'update', 'rejected'), ('stray', 'delete', 'no reason');
select is_empty('select * from tests.unlisted_changes', 'a table with an entry is not found');
select results_eq('select * from tests.changes_without_event', $$values ('stray', 'insert')$$, 'a missing event is found');
select results_eq('select * from tests.changes_let_through', $$values ('stray', 'update')$$, 'a missing rejection is found');
grant delete on public.stray to authenticated;
select results_eq('select * from tests.changes_by_api_roles_without_event', $$values ('stray', 'delete')$$,
  'a change that an API role can make and that has only a reason is found');
create function private.only_mentions() returns trigger language plpgsql set search_path = '' as $$
begin
  -- private.record_event('stray')
  return null;
end $$;
create trigger record_stray after insert on public.stray for each row execute function private.only_mentions();
alter table public.bots disable trigger record_removed;
drop trigger record_changed on public.bot_policies;
select results_eq('select * from tests.changes_without_event order by 1', $$values
  ('bot_policies', 'update'), ('bots', 'delete'), ('stray', 'insert')$$,
  'a trigger is found that writes no event, is disabled, or is missing');
drop trigger never_truncated on public.machine_tokens;
select results_eq('select * from tests.truncated_without_event order by 1', $$values ('machine_tokens'), ('stray')$$,
  'a table that can be truncated is found');
alter table private.key_ids disable trigger key_ids_are_kept;
select results_eq('select * from tests.changes_let_through order by 1', $$values
  ('private.key_ids', 'delete'), ('stray', 'update')$$, 'a disabled rejection is found');

select * from finish();
rollback;
