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

-- Who may run it.
select tests.act_as('anon');
select is(tests.run('monitor'), 'allowed', 'the token of the monitor runs it');
select is(tests.run(token), 'PT401 token_invalid', 'no other does: ' || token)
  from unnest(array['rewrap', 'ended', 'bots', 'nobody''s']) as token;
select is(tests.refusal('select public.monitor_bots(''x'')'), 'PT401 token_invalid', 'nor does what is no hash');
select is(tests.run('monitor', arguments), 'PT422 validation_failed', 'a batch has 1 to 5,000 bots: ' || arguments)
  from unnest(array[', 0', ', null', ', 5001', ', -1']) as arguments;
select is(tests.run('monitor', arguments), '42883', 'the token does not set the limits: ' || arguments)
  from unnest(array[', 120, 90', ', 120, 90, 20000', ', heartbeat_limit => 1']) as arguments;
select is(tests.refusal(statement), '42501', 'the holder of the token can neither read nor set the limits: ' || statement) from unnest(array[
  'update private.monitor_settings set heartbeat_limit = ''1 day'' where only_row', 'select * from private.monitor_settings']) as statement;
select is(tests.refusal(format('select public.list_runner_bots(%L)', 'monitor')), 'PT401 token_invalid',
  'and the token of the monitor does nothing else');
select tests.act_as('anna');
select is(tests.run('monitor'), '42501', 'nor does a session run it, with the token');

-- Changes alone are written.
select tests.act_as('operator');
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
select tests.monitor();
select is(tests.changes('hers'), array['starting'], 'the first state of a bot that runs is written');
select is(tests.changes('another'), '{}', 'a bot that was never seen to run has nothing to tell');
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
select is(tests.changes('hers'), array['starting', 'healthy', 'failing', 'healthy'], 'each change is');
select is(tests.changes('theirs'), array['starting'], 'of that bot, and no other');
select results_eq(
  $$select state, since, detail, client_id from public.bot_health_logs where bot_id = tests.bot_id('hers') order by id$$,
  $$values
    ('starting', (select min(since) from public.bot_health_logs where bot_id = tests.bot_id('hers') and state = 'starting'),
      null::jsonb, tests.client_id('anna')),
    ('healthy', now(), null, tests.client_id('anna')),
    ('failing', now(), '{"message": "no gas"}', tests.client_id('anna')),
    ('healthy', now(), null, tests.client_id('anna'))$$,
  'what began before the state before it, began now');
update public.bot_health_logs set since = now() - interval '30 seconds' where bot_id = tests.bot_id('hers');
select tests.act_as('anna');
select is(tests.health('hers'), 'healthy for 30 s', 'the page says since when, as it was written');
select public.stop_bot(tests.bot_id('hers'));
select is(tests.health('hers'), 'stopped for 0 s {"reason": "requested"}', 'and shows a state that nobody wrote yet');
select tests.act_as('operator');
select tests.monitor();
select tests.monitor();
select is((tests.changes('hers'))[5:], array['stopped'], 'a bot that stops returns to stopped, once');
select is((
    select array_agg(item ->> 'state') from jsonb_array_elements(
      public.get_bot_health(tests.bot_id('hers'), 3) -> 'items') as item),
  array['stopped', 'healthy', 'failing'], 'the page shows changes, newest first');

-- What a run says of itself is what it did.
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
create table tests.moment as select clock_timestamp() as at;
create table tests.said as select tests.monitor() as said;
select is(said -> 'changes', (
    select jsonb_object_agg(state, written) from (
      select state, count(*) as written from public.bot_health_logs, tests.moment
      where id > private.first_id_at(moment.at + interval '1 millisecond')
        and bot_health_logs.xmin = pg_current_xact_id()::xid
      group by state) as counted), 'a run counts the changes by state')
from tests.said;
select ok((said -> 'changes' ->> 'starting')::integer >= 1 and (said ->> 'bots_checked')::integer >= 3
    and said @> '{"busy": false, "complete": true}', 'and the bots') from tests.said;

-- A round in batches.
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
select tests.act_as('anna');
select public.start_bot(tests.bot_id(bot)) from unnest(array['hers', 'another']) as bot;
select tests.act_as('operator');
select is(tests.monitor(1) -> 'complete', 'false', 'a batch that is full is not the last');
select is((select array_agg(bot_id) from public.bot_health_logs
    where client_id in (tests.client_id('anna'), tests.client_id('boris'))), array[tests.bot_id('theirs')],
  'a batch of one looks at one bot');
select is((select checked_up_to from private.monitor_state), tests.bot_id('theirs'), 'and that is how far the round is');
select is(public.monitor_bots('monitor', batch => 5000) -> 'complete', 'true', 'the next is the last');
select is(array[tests.changes('theirs'), tests.changes('hers'), tests.changes('another')],
  array[array['starting'], array['starting'], array['starting']], 'it goes on where the first one ended');
select is((select checked_up_to from private.monitor_state), null, 'and the one after begins anew');
select tests.act_as('anna');
select public.stop_bot(tests.bot_id(bot)) from unnest(array['hers', 'another']) as bot;
select tests.act_as('operator');

-- A pause between rounds, so that the holder of the token cannot write without end.
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

-- Old rows are pruned, and the newest of each bot never.
delete from public.bot_health_logs where client_id in (tests.client_id('anna'), tests.client_id('boris'));
insert into public.bot_health_logs (id, bot_id, client_id, state, since, created_at)
  select tests.log_id(ago), tests.bot_id(bot), case bot when 'theirs' then tests.client_id('boris') else tests.client_id('anna') end,
    state, now() - ago, now() - ago
  from (values
    ('hers', 'healthy', interval '92 days'), ('hers', 'late', interval '91 days'), ('hers', 'healthy', interval '89 days'),
    ('hers', 'stopped', interval '88 days'),
    ('another', 'healthy', interval '200 days'), ('another', 'stopped', interval '199 days'),
    ('theirs', 'starting', interval '91 days')) as written (bot, state, ago);
select is((tests.monitor() ->> 'pruned_health_logs')::integer >= 3, true, 'a run counts what it pruned');
select is(tests.changes('hers'), array['healthy', 'stopped'], 'rows of 90 days are gone');
select is(tests.changes('another'), array['stopped'], 'the newest of a bot stays, however old');
select is(tests.changes('theirs'), array['starting'], 'also where it is the only one');

insert into public.value_reservations (bot_id, client_id, value, created_at) values
  (tests.bot_id('hers'), tests.client_id('anna'), 1, now() - interval '24 hours 59 minutes'),
  (tests.bot_id('hers'), tests.client_id('anna'), 2, now() - interval '25 hours 1 minute'),
  (tests.bot_id('theirs'), tests.client_id('boris'), 3, now() - interval '9 days');
select is((tests.monitor() ->> 'pruned_reservations')::integer >= 2, true, 'so with reservations');
select is((select array_agg(value) from public.value_reservations
    where client_id in (tests.client_id('anna'), tests.client_id('boris'))), array[1::numeric],
  'reservations of the last 24 hours stay');

insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
  select 'account ' || gen_random_uuid(), sha256(name::bytea), sha256('body'), 'create_client', '{}', expires_at
  from (values ('old', now() - interval '1 second'), ('new', now() + interval '1 second')) as kept (name, expires_at);
select is((tests.monitor() ->> 'pruned_answers')::integer >= 1, true, 'and with answers that have expired');
select is((select array_agg(key) from private.kept_answers where key in (sha256('old'), sha256('new'))),
  array[sha256('new')], 'those that can be asked for again stay');
-- However much there is to prune, a run takes a bounded part of it.
insert into public.value_reservations (bot_id, client_id, value, created_at)
  select tests.bot_id('hers'), tests.client_id('anna'), 4, now() - interval '2 days' from generate_series(1, 5500);
insert into public.bot_health_logs (id, bot_id, client_id, state, since)
  select tests.log_id('100 days'), tests.bot_id('hers'), tests.client_id('anna'), 'late', now() from generate_series(1, 5500);
select is(array_agg(said ->> part), array['5000', '5000'], 'a run prunes no more than 5000')
  from (select tests.monitor() as said offset 0) as run, unnest(array['pruned_reservations', 'pruned_health_logs']) as part;
select tests.monitor();
select is((select count(*) from public.value_reservations where bot_id = tests.bot_id('hers')), 1::bigint, 'and the next the rest');
select is(tests.changes('hers'), array['healthy', 'stopped'], 'of both');

select is(tests.refusal($$insert into public.bot_health_logs (bot_id, client_id, state, since)
    values (tests.bot_id('hers'), tests.client_id('anna'), 'fine', now())$$), '23514', 'there is no other state');

select * from finish();
rollback;
