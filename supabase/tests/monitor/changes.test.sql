begin;
\ir ../people.psql
\ir monitor.psql
select plan(56);

create function tests.run(token text, arguments text default '') returns text language sql
return tests.refusal(format('select public.monitor_bots(%L%s)', token, arguments));
create function tests.log_id(ago interval) returns uuid language sql
return overlay(gen_random_uuid()::text placing left(private.first_id_at(now() - ago)::text, 13) from 1 for 13)::uuid;
grant execute on all functions in schema tests to public;
insert into public.machine_tokens (name, scope, token_hash, master_key_id, expires_at) values
  ('rewrap', 'rewrap', decode(tests.hash('rewrap'), 'hex'), 'new', now() + interval '1 day'),
  ('ended', 'monitor', decode(tests.hash('ended'), 'hex'), null, now()),
  ('bots', 'bots', decode(tests.hash('bots'), 'hex'), null, null);

select tests.act_as('boris');
select tests.setup_bot('boris', 'theirs', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'another');
select public.stop_bot(tests.bot_id('another'));

-- Who can run the monitor.
select tests.act_as('anon');
select is(tests.run('monitor'), 'allowed', 'the token of the monitor can run the monitor');
select is(tests.run(token), 'PT401 token_invalid', 'another token -> 401: ' || token)
  from unnest(array['rewrap', 'ended', 'bots', 'nobody''s']) as token;
select is(tests.refusal('select public.monitor_bots(''x'')'), 'PT401 token_invalid', 'a text that is not a token -> 401');
select is(tests.run('monitor', arguments), 'PT422 validation_failed', 'a batch has 1 to 5,000 bots: ' || arguments)
  from unnest(array[', 0', ', null', ', 5001', ', -1']) as arguments;
select is(tests.run('monitor', arguments), '42883', 'the token does not set the limits: ' || arguments)
  from unnest(array[', 120, 90', ', 120, 90, 20000', ', heartbeat_limit => 1']) as arguments;
select is(tests.refusal(statement), '42501', 'the holder of the token can neither read nor set the limits: ' || statement) from unnest(array[
  'update private.monitor_settings set heartbeat_limit = ''1 day'' where only_row', 'select * from private.monitor_settings']) as statement;
select is(tests.refusal(format('select public.list_runner_bots(%L)', 'monitor')), 'PT401 token_invalid',
  'the token of the monitor cannot call a function for runners');
select tests.act_as('anna');
select is(tests.run('monitor'), '42501', 'a session cannot run the monitor, even with the token');

-- Only changes are written.
select tests.act_as('operator');
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
select tests.monitor();
select is(tests.changes('hers'), array['starting'], 'the first state of a running bot is written');
select is(tests.changes('another'), '{}', 'nothing is written for a stopped bot without a written state');
select tests.monitor();
select tests.monitor();
select is(tests.changes('hers'), array['starting'], 'a state that stays is not written again');
select tests.started('hers', '1 hour'), tests.beat('hers', 'ok', '10 seconds');
select tests.monitor();
select tests.beat('hers', 'failing', '5 seconds', 'no gas');
select tests.monitor();
select tests.monitor();
select tests.beat('hers', 'ok', '1 second');
select tests.monitor();
select is(tests.changes('hers'), array['starting', 'healthy', 'failing', 'healthy'], 'each change is written');
select is(tests.changes('theirs'), array['starting'], 'nothing is written for another bot');
select results_eq(
  $$select state, since, detail, client_id from public.bot_health_logs where bot_id = tests.bot_id('hers') order by id$$,
  $$values
    ('starting', (select min(since) from public.bot_health_logs where bot_id = tests.bot_id('hers') and state = 'starting'),
      null::jsonb, tests.client_id('anna')),
    ('healthy', now(), null, tests.client_id('anna')),
    ('failing', now(), '{"message": "no gas"}', tests.client_id('anna')),
    ('healthy', now(), null, tests.client_id('anna'))$$,
  'a state whose cause is older than the previous state begins now');
update public.bot_health_logs set since = now() - interval '30 seconds' where bot_id = tests.bot_id('hers');
select tests.act_as('anna');
select is(tests.health('hers'), 'healthy for 30 s', 'the page shows the time that was written');
select public.stop_bot(tests.bot_id('hers'));
select is(tests.health('hers'), 'stopped for 0 s {"reason": "requested"}', 'the page shows a state that is not written yet');
select tests.act_as('operator');
select tests.monitor();
select tests.monitor();
select is((tests.changes('hers'))[5:], array['stopped'], 'the stop of a bot is written once');
select is((
    select array_agg(item ->> 'state') from jsonb_array_elements(
      public.get_bot_health(tests.bot_id('hers'), 3) -> 'items') as item),
  array['stopped', 'healthy', 'failing'], 'the page shows changes, newest first');

-- The result of a run.
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
create table tests.moment as select clock_timestamp() as at;
create table tests.said as select tests.monitor() as said;
select is(said -> 'changes', (
    select jsonb_object_agg(state, written) from (
      select state, count(*) as written from public.bot_health_logs, tests.moment
      where id > private.first_id_at(moment.at + interval '1 millisecond')
        and bot_health_logs.xmin = pg_current_xact_id()::xid
      group by state) as counted), 'the result has the number of changes for each state')
from tests.said;
select ok((said -> 'changes' ->> 'starting')::integer >= 1 and (said ->> 'bots_checked')::integer >= 3
    and said @> '{"busy": false, "complete": true}', 'the result has the number of checked bots') from tests.said;

-- A round in batches.
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
select tests.act_as('anna');
select public.start_bot(tests.bot_id(bot)) from unnest(array['hers', 'another']) as bot;
select tests.act_as('operator');
select is(tests.monitor(1) -> 'complete', 'false', 'a full batch is not the last one');
select is((select array_agg(bot_id) from public.bot_health_logs
    where client_id in (tests.client_id('anna'), tests.client_id('boris'))), array[tests.bot_id('theirs')],
  'a batch of one checks one bot');
select is((select checked_up_to from private.monitor_state), tests.bot_id('theirs'), 'the position of the round is stored');
select is(public.monitor_bots('monitor', batch => 5000) -> 'complete', 'true', 'the next batch is the last one');
select is(array[tests.changes('theirs'), tests.changes('hers'), tests.changes('another')],
  array[array['starting'], array['starting'], array['starting']], 'the next batch continues after the first one');
select is((select checked_up_to from private.monitor_state), null, 'the next round begins from the start');
select tests.act_as('anna');
select public.stop_bot(tests.bot_id(bot)) from unnest(array['hers', 'another']) as bot;
select tests.act_as('operator');

-- A pause between rounds, so that a caller with the token cannot cause writes without limit.
update private.monitor_settings set round_pause = '10 seconds' where only_row;
select is(public.monitor_bots('monitor') @> '{"bots_checked": 0, "busy": false, "complete": true}', true,
  'no round begins within ten seconds of the last one');
update private.monitor_state set round_ended_at = now() - interval '10 seconds' where only_row;
select is((public.monitor_bots('monitor') ->> 'bots_checked')::integer >= 3, true, 'a round begins after ten seconds');
update private.monitor_state set round_ended_at = now() - interval '10 seconds' where only_row;
select is(public.monitor_bots('monitor', 1) @> '{"bots_checked": 1, "complete": false}', true, 'a round begins with a batch of one bot');
select is((public.monitor_bots('monitor') ->> 'bots_checked')::integer >= 2, true, 'the next batch of a round has no pause');
update private.monitor_settings set round_pause = '0' where only_row;
-- The operator sets the limits.
select tests.act_as('anna');
select public.start_bot(tests.bot_id('hers'));
select tests.act_as('operator');
select tests.started('hers', '1 hour'), tests.beat('hers', 'ok', '100 seconds');
select is(split_part(tests.health('hers'), ' ', 1), 'healthy', 'a bot with a heartbeat of 100 seconds ago is healthy');
update private.monitor_settings set heartbeat_limit = '90 seconds' where only_row;
select is(split_part(tests.health('hers'), ' ', 1), 'late', 'the same bot is late under a limit of 90 seconds');
select is(tests.refusal(format('update private.monitor_settings set %s where only_row', setting)), '23514', 'a limit out of range -> 23514: ' || setting)
  from unnest(array['heartbeat_limit = ''0''', 'key_age_limit = ''1 hour''', 'round_pause = ''2 hours''']) as setting;
update private.monitor_settings set heartbeat_limit = default where only_row;
select tests.act_as('anna');
select public.stop_bot(tests.bot_id('hers'));
select tests.act_as('operator');

-- Old rows are deleted, except the newest of each bot.
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
insert into public.bot_health_logs (id, bot_id, client_id, state, since, created_at)
  select tests.log_id(ago), tests.bot_id(bot), case bot when 'theirs' then tests.client_id('boris') else tests.client_id('anna') end,
    state, now() - ago, now() - ago
  from (values
    ('hers', 'healthy', interval '92 days'), ('hers', 'late', interval '91 days'), ('hers', 'healthy', interval '89 days'),
    ('hers', 'stopped', interval '88 days'),
    ('another', 'healthy', interval '200 days'), ('another', 'stopped', interval '199 days'),
    ('theirs', 'starting', interval '91 days')) as written (bot, state, ago);
select is((tests.monitor() ->> 'pruned_health_logs')::integer >= 3, true, 'the result has the number of deleted health logs');
select is(tests.changes('hers'), array['healthy', 'stopped'], 'health logs older than 90 days are deleted');
select is(tests.changes('another'), array['stopped'], 'the newest health log of a bot stays, however old it is');
select is(tests.changes('theirs'), array['starting'], 'the only health log of a bot stays');

insert into public.value_reservations (bot_id, client_id, value, created_at) values
  (tests.bot_id('hers'), tests.client_id('anna'), 1, now() - interval '24 hours 59 minutes'),
  (tests.bot_id('hers'), tests.client_id('anna'), 2, now() - interval '25 hours 1 minute'),
  (tests.bot_id('theirs'), tests.client_id('boris'), 3, now() - interval '9 days');
select is((tests.monitor() ->> 'pruned_reservations')::integer >= 2, true, 'the result has the number of deleted reservations');
select is((select array_agg(value) from public.value_reservations
    where client_id in (tests.client_id('anna'), tests.client_id('boris'))), array[1::numeric],
  'reservations of the last 24 hours stay');

insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
  select 'account ' || gen_random_uuid(), sha256(name::bytea), sha256('body'), 'create_client', '{}', expires_at
  from (values ('old', now() - interval '1 second'), ('new', now() + interval '1 second')) as kept (name, expires_at);
select is((tests.monitor() ->> 'pruned_answers')::integer >= 1, true, 'the result has the number of deleted responses');
select is((select array_agg(key) from private.kept_answers where key in (sha256('old'), sha256('new'))),
  array[sha256('new')], 'stored responses that have not expired stay');
-- A run deletes a limited number of rows.
insert into public.value_reservations (bot_id, client_id, value, created_at)
  select tests.bot_id('hers'), tests.client_id('anna'), 4, now() - interval '2 days' from generate_series(1, 5500);
insert into public.bot_health_logs (id, bot_id, client_id, state, since)
  select tests.log_id('100 days'), tests.bot_id('hers'), tests.client_id('anna'), 'late', now() from generate_series(1, 5500);
select is(array_agg(said ->> part), array['5000', '5000'], 'a run deletes at most 5,000 rows of a table')
  from (select tests.monitor() as said offset 0) as run, unnest(array['pruned_reservations', 'pruned_health_logs']) as part;
select tests.monitor();
select is((select count(*) from public.value_reservations where bot_id = tests.bot_id('hers')), 1::bigint, 'the next run deletes the rest of the reservations');
select is(tests.changes('hers'), array['healthy', 'stopped'], 'the next run deletes the rest of the health logs');

select is(tests.refusal($$insert into public.bot_health_logs (bot_id, client_id, state, since)
    values (tests.bot_id('hers'), tests.client_id('anna'), 'fine', now())$$), '23514', 'an unknown state of health is rejected');

select * from finish();
rollback;
