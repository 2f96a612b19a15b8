begin;
\ir ../people.psql
select plan(139);

-- Every function of the API that names a client or a bot. %L is the place of the id.
create table tests.calls (name text primary key, of text, for_admins boolean, call text);
insert into tests.calls values
  ('get_client', 'client', false, 'select public.get_client(%L)'),
  ('list_bot_options', 'client', false, 'select public.list_bot_options(%L)'),
  ('create_bot', 'client', true, 'select public.create_bot(''edge'', %L, ''evm-grid'', ''x'', ''{}'', ''[]'')'),
  ('setup_bot', 'client', false, 'select public.setup_bot(''edge'', %L, ''evm-grid'', ''x'', ''{}'', ''{}'')'),
  ('rotate_key', 'client', false,
    'select public.rotate_key(''edge'', %L, ''N'', ''evm'', tests.key_id(''N''), tests.envelope(''boris'', ''N''))'),
  ('revoke_key', 'client', false, 'select public.revoke_key(%L)'),
  ('revoke_key_at_edge', 'client', false, 'select public.revoke_key_at_edge(''edge'', %L)'),
  ('list_key_events', 'client', false, 'select public.list_key_events(%L, 10)'),
  ('list_checkpoints', 'client', false, 'select public.list_checkpoints(%L, 10)'),
  ('get_trading_key', 'client', false, 'select public.get_trading_key(%L)'),
  ('list_bots', 'client', false, 'select public.list_bots(%L, 10)'),
  ('add_wallet', 'bot', true, 'select public.add_wallet(''edge'', %L, tests.wallet(''boris'', ''N''))'),
  ('get_bot', 'bot', false, 'select public.get_bot(%L)'),
  ('start_bot', 'bot', false, 'select public.start_bot(%L)'),
  ('stop_bot', 'bot', false, 'select public.stop_bot(%L)'),
  ('get_bot_health', 'bot', false, 'select public.get_bot_health(%L, 10)'),
  ('issue_token', 'bot', false, 'select public.issue_token(%L, ''{}'', ''x'', repeat(''ab'', 32), null)'),
  ('list_tokens', 'bot', false, 'select public.list_tokens(%L, 10)'),
  ('get_policy', 'bot', false, 'select public.get_policy(%L)'),
  ('set_policy', 'bot', false, 'select public.set_policy(%L, ''{}'')');
grant select on tests.calls to public;

select bag_eq(
  $$select distinct p.proname::text from pg_proc as p where p.pronamespace = 'public'::regnamespace$$,
  $$select name from tests.calls
    union all values ('create_client'), ('list_clients'), ('get_own_client'), ('schema_version'), ('revoke_token'),
      ('check_out_key'), ('list_runner_bots'), ('get_runner_bot'), ('record_heartbeat'), ('monitor_bots'), ('report_signing_failure'),
      ('count_envelopes'), ('count_unopenable_envelopes'), ('list_envelopes_to_rewrap'), ('rewrap_keys'),
      ('count_keys_to_rewrap'), ('step_up_agrees'),
      -- audit/refusals.test.sql, audit/cron.test.sql
      ('report_refusal'), ('report_runner_refusal'), ('chain_queued_events'), ('list_unsigned_heads'),
      ('store_checkpoints'), ('list_deployment_checkpoints'),
      -- audit/deployment.test.sql, edge/token.test.sql
      ('list_deployment_events'), ('edge_token_valid')$$,
  'every function of the API is called here, or below by name');

-- The complete error. It must be the same for a row of another client and for a row that does not exist.
create function tests.undone(statement text) returns text language plpgsql as $$
begin
  execute statement;
  raise sqlstate 'PT200' using hint = 'done';
exception when others then
  declare
    hint text;
    message text;
    detail text;
  begin
    get stacked diagnostics hint = pg_exception_hint, message = message_text, detail = pg_exception_detail;
    return case when sqlstate = 'PT200' then 'allowed' else trim(concat_ws(' ', sqlstate, hint, message,
    detail)) end;
  end;
end $$;
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));

select is(tests.undone(format(call,
  coalesce(case of when 'bot' then tests.bot_id('b') end, tests.client_id('boris')))),
  case when for_admins then 'PT403 admin_required Only an admin can do this.' else 'allowed' end,
  'a client itself: ' || name)
from tests.calls;

select tests.act_as('ada');
select is(tests.undone(format(call,
  coalesce(case of when 'bot' then tests.bot_id('b') end, tests.client_id('boris')))),
  'allowed', 'an admin: ' || name)
from tests.calls;

-- The error for a row of another client is exactly the error for a row that does not exist.
select tests.act_as('anna');
select is(tests.undone(format(call,
  coalesce(case of when 'bot' then tests.bot_id('b') end, tests.client_id('boris')))),
  'PT404 resource_not_found The resource does not exist, or you have no access to it.', 'a row of another client: ' || name)
from tests.calls;
select is(tests.undone(format(call, md5('absent')::uuid)),
  'PT404 resource_not_found The resource does not exist, or you have no access to it.', 'a row that does not exist: ' || name)
from tests.calls;
select tests.act_as('ada');
select is(tests.undone(format(call, md5('absent')::uuid)),
  'PT404 resource_not_found The resource does not exist, or you have no access to it.', 'a row that does not exist, for an admin: ' || name)
from tests.calls;
select tests.act_as('anon');
select is(tests.refusal(format(call, md5('absent')::uuid)), '42501', 'without a session: ' || name)
from tests.calls;

-- A caller that calls the REST API directly cannot get larger pages.
select tests.act_as('boris');
select is(tests.refusal(replace(call, '10)', size || ')')), 'PT422 validation_failed', call || ' of ' || size)
from unnest(array['0', '101', 'null']) as size, (
  select format(call, case of when 'client' then tests.client_id('boris') else tests.bot_id('b') end) as call
  from tests.calls where call like '%, 10)'
  union all values ('select public.list_clients(10)')) as lists;

select * from finish();
rollback;
