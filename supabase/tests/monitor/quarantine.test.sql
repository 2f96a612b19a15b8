begin;
\ir ../people.psql
\ir monitor.psql
select plan(42);

create function tests.report(token text, bot text, code text) returns text language plpgsql as $$
declare
  answer jsonb;
begin
  perform pg_sleep(0.002);
  answer := public.report_signing_failure('edge', token, tests.bot_id(bot), code);
  return concat_ws(' ', answer ->> 'failures', case when (answer -> 'quarantined')::boolean then 'quarantined' end);
end $$;
create function tests.refused(token text, bot text, code text) returns text language sql
return tests.refusal(format('select public.report_signing_failure(''edge'', %L, %L, %L)', token, tests.bot_id(bot), code));
create function tests.failures(bot text) returns jsonb language sql
return public.get_bot_health(tests.bot_id(bot), 10) -> 'signing_failures';
-- now() does not change within a transaction. So the tests move rows into the past.
create function tests.earlier(bot text, ago interval) returns void language sql security definer
begin atomic
  update public.bot_signing_failures set recent = (select array_agg(at - ago) from unnest(recent) as at)
    where bot_id = tests.bot_id(bot);
  update public.bots set started_at = started_at - ago where id = tests.bot_id(bot);
end;
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'theirs', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'another');
select public.issue_token(tests.bot_id('hers'), '{}', 'runner', tests.hash('anna'), null);
select public.issue_token(tests.bot_id('another'), '{}', 'runner', tests.hash('another'), null);
select is(tests.refused('anna', 'hers', 'policy_value_exceeded'), '42501', 'a session cannot report a failure, not even for its own bot');
select is(tests.failures('hers'), '{"last_hour": 0, "last_code": null, "last_at": null}', 'a bot without failures');

-- Without quarantine in the policy, failures are only counted.
select tests.act_as('anon');
select is(tests.report('anna', 'hers', 'policy_value_exceeded'), '1', 'a failure is counted');
select is(tests.report('anna', 'hers', 'key_decryption_failed'), '2', 'a key that does not open is counted');
select is(tests.refused('anna', 'theirs', 'policy_value_exceeded'), 'PT404 resource_not_found', 'a report for a bot of another client -> 404');
select is(tests.refused('anna', 'another', 'policy_value_exceeded'), 'PT404 resource_not_found', 'a report for a bot that the token does not sign for -> 404');
select is(tests.refused('nobody''s', 'hers', 'policy_value_exceeded'), 'PT401 token_invalid', 'a report with an unknown token -> 401');
select is(tests.refused('monitor', 'hers', 'policy_value_exceeded'), 'PT401 token_invalid', 'a report with the token of the monitor -> 401');
select is(tests.refused('anna', 'hers', code), 'PT422 validation_failed', 'a code that is not counted -> 422: ' || coalesce(code, 'none'))
  from unnest(array['internal_error', 'database_unavailable', 'bot_not_running', 'x', '', null]) as code;
select tests.act_as('anna');
select is(tests.failures('hers') - 'last_at', '{"last_hour": 2, "last_code": "key_decryption_failed"}', 'the page of the bot shows its failures');
select is(tests.failures('another') - 'last_at', '{"last_hour": 0, "last_code": null}', 'the page of another bot shows no failures');
select is((tests.bots('anna'))[2], 'hers: running', 'without quarantine in the policy, the bot is not stopped');
select tests.act_as('boris');
select is(tests.rows_of('select from public.bot_signing_failures'), 0::bigint, 'another client cannot see the failures');

-- Quarantine after three failures in an hour.
select tests.act_as('anna');
select public.set_policy(tests.bot_id('hers'), '{"quarantine_after": 3}');
select is((tests.bots('anna'))[2], 'hers: running', 'setting quarantine_after does not stop the bot');
select tests.earlier('hers', '59 minutes');
select tests.act_as('anon');
select is(tests.report('another', 'another', 'policy_value_exceeded'), '1', 'another bot fails');
select tests.act_as('operator');
select tests.earlier('hers', '2 minutes');
select tests.act_as('anon');
select is(tests.report('anna', 'hers', 'policy_value_exceeded'), '1', 'failures older than an hour do not count');
select is(tests.report('anna', 'hers', 'policy_kind_denied'), '2', 'the second failure does not stop the bot');
select is(tests.report('anna', 'hers', 'policy_value_exceeded'), '3 quarantined', 'the third failure stops the bot');
select tests.act_as('anna');
select is(tests.bots('anna'), array['another: running', 'hers: stopped quarantined'], 'only this bot is stopped');
select is(tests.health('hers'), 'quarantined for 0 s {"code": "policy_value_exceeded", "reason": "quarantined", "failures": 3}',
  'the page of the bot shows the reason');
select is(tests.changes('hers'), array['quarantined'], 'the quarantine is written as a change of health');
select public.list_key_events(tests.client_id('anna'), 1); -- moves queued events into the chain
select results_eq(
  $$select event, actor, address, detail - 'token_id' from public.key_events where event = 'bot_quarantined'$$,
  $$values ('bot_quarantined', 'runner', 'A', '{"reason": "policy_value_exceeded", "failures": 3}'::jsonb)$$,
  'the quarantine is an event with its reason');
select is(tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L)', 'anna', tests.bot_id('hers'), '{}')),
  '42501', 'a session cannot call check_out_key');
select tests.act_as('anon');
select is(tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L)', 'anna', tests.bot_id('hers'),
    jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest')))),
  'PT409 bot_not_running', 'a bot in quarantine does not sign');
select is(tests.report('anna', 'hers', 'policy_value_exceeded'), '4', 'a failure of a stopped bot is counted and does not stop it again');
select tests.act_as('operator');
select tests.monitor();
select is(tests.changes('hers'), array['quarantined'], 'the monitor does not write the quarantine again');
select is((select count(*) from private.every_key_event where event = 'bot_quarantined' and bot_id = tests.bot_id('hers')), 1::bigint,
  'one quarantine is one event');
insert into public.bot_health_logs (bot_id, client_id, state, since)
  select bots.id, bots.client_id, 'healthy', now() - interval '1 hour' from public.bots where bots.id = tests.bot_id('hers');
select tests.act_as('anna');
select is(tests.health('hers'), 'quarantined for 0 s {"code": "policy_value_exceeded", "reason": "quarantined", "failures": 3}',
  'an earlier state that a monitor writes later, because it read before the quarantine, hides no reason');
select tests.act_as('operator');
delete from public.bot_health_logs as logs where logs.bot_id = tests.bot_id('hers') and logs.state = 'healthy';

-- A start by the owner resets the counter. (The failures are moved into the past, because now() is the same for all statements.)
select tests.earlier('hers', '1 minute');
select tests.act_as('anna');
select is(public.start_bot(tests.bot_id('hers')) ->> 'status', 'running', 'the owner can start the bot again');
select is(tests.failures('hers') -> 'last_hour', '0', 'after the start, the count is 0');
select tests.act_as('anon');
select is(tests.report('anna', 'hers', 'policy_value_exceeded'), '1', 'after the start, failures are counted from 0 again');
select is(tests.report('anna', 'hers', 'key_decryption_failed'), '2 quarantined', 'one key that does not open is enough for quarantine');

-- At most 100 failures are stored.
select tests.act_as('operator');
update public.bot_signing_failures set recent = array_fill(now(), array[100]) where bot_id = tests.bot_id('another');
select tests.act_as('anon');
select is(tests.report('another', 'another', 'policy_value_exceeded'), '100', 'at most 100 failures are stored');
select tests.act_as('anna');
select is(tests.refusal(format('select public.set_policy(%L, %L)', tests.bot_id('hers'), jsonb_build_object('quarantine_after', n))),
  case when n between 1 and 100 then 'allowed' else '23514' end, 'quarantine after ' || n)
  from unnest(array[0, 1, 100, 101]) as n;

select * from finish();
rollback;
