-- At most 60 events a minute for each client, beside those of keys and signatures: a chain cannot be filled, and nothing is hidden by trying.
begin;
\ir ../people.psql
select plan(37);

create function tests.recorded(person text) returns text language sql stable security definer
return (select concat_ws(' ', recorded, omitted) from private.event_counts where client_id = tests.client_id(person));
create function tests.waiting(person text, event text) returns bigint language sql stable security definer
return (select count(*) from private.every_key_event as events where client_id = tests.client_id(person) and events.event = waiting.event);
create function tests.forget() returns void language sql security definer as $$
  delete from private.event_counts where true; delete from private.queued_key_events where true $$;
create function tests.rows_read() returns numeric language sql volatile security definer as $$
  select sum(seq_tup_read + idx_tup_fetch) from pg_stat_xact_user_tables where relid = 'private.queued_key_events'::regclass $$;
create function tests.a_minute_later() returns void language sql security definer as $$
  update private.event_counts set minute = minute - interval '1 minute' where true $$;
create function tests.issue(name text) returns jsonb language sql
return public.issue_token(tests.bot_id('hers'), '{}', name, tests.hash(name), null);
create function tests.page(event text default null, size integer default 10) returns jsonb language sql
return public.list_key_events(tests.client_id('anna'), size, null, false, event);
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'his', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.act_as('operator');
insert into public.bots (client_id, bot_type, name) select tests.client_id('anna'), 'evm-grid', 'b' || n from generate_series(1, 99) as n;
select tests.forget();

-- Bots and policies have 40 of the 60.
select tests.act_as('anna');
insert into public.bot_policies (bot_id, client_id) select id, client_id from public.bots where name like 'b%';
select is(tests.recorded('anna'), '40 59', '99 policies: 40 events, 59 that are counted');
select public.set_policy(tests.bot_id('b1'), '{"max_value": "1"}');
update public.clients set name = 'another' where id = tests.client_id('anna');
select is(tests.recorded('anna'), '40 61', 'further ones are counted, and so is a changed name');
select is(tests.waiting('anna', 'policy_set'), 40::bigint, 'and not recorded');
-- The 20 that are left are for tokens.
select tests.issue('t' || n) from generate_series(1, 20) as n;
select is(tests.recorded('anna'), '60 0', '20 tokens are recorded');
select is(tests.waiting('anna', 'token_issued'), 20::bigint, 'each');
select tests.act_as('operator');
select is((select detail ->> 'omitted' from private.queued_key_events where client_id = tests.client_id('anna') and event = 'token_issued' order by number limit 1),
  '61', 'the first that is recorded after some were left out says how many');
select is((select count(*) from private.queued_key_events where client_id = tests.client_id('anna') and detail ? 'omitted'), 1::bigint, 'and it alone');
select tests.act_as('anna');
select tests.issue('t21');
select is(tests.recorded('anna'), '60 1', 'further tokens are counted');
-- What is never left out.
select tests.rotate('anna', 'A2');
select is(tests.waiting('anna', 'key_rotated'), 1::bigint, 'a rotation is recorded');
select tests.act_as('anon');
select is(tests.refusal(format('select public.check_out_key(''edge'', ''t1'', %L, %L)', tests.bot_id('hers'),
  jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest')))), 'allowed', 'a signature');
select is(tests.waiting('anna', 'signed'), 1::bigint, 'is recorded');
select is(tests.recorded('anna'), '60 2', 'while the first use of its token is counted');
-- Another client has a count of its own.
select tests.act_as('boris');
select public.stop_bot(tests.bot_id('his'));
select is(tests.recorded('boris'), '1 0', 'another client has a count of its own');
-- By whatever way: an admin's changes count in the client's chain, as the operator's do.
select tests.act_as('ada');
select public.set_policy(tests.bot_id('b1'), '{"max_value": "2"}');
select is(tests.recorded('anna'), '60 3', 'an admin''s changes count');
select tests.act_as('operator');
delete from public.bot_policies where bot_id = tests.bot_id('b1');
select is(tests.recorded('anna'), '60 4', 'the operator''s too');
-- A change that is rolled back takes its count along.
select is(tests.refusal($$do 'begin perform public.set_policy(tests.bot_id(''b2''), ''{"max_value": "9"}''); raise division_by_zero; end'$$), '22012', 'a change that is rolled back');
select is(tests.recorded('anna'), '60 4', 'is not counted');

-- Who reads the chain is told.
select tests.act_as('anna');
select is(tests.page() -> 'omitted', '4', 'a page of the chain says how many were left out since');
select is(tests.page() -> 'queued', '[]', 'and that nothing is queued');
select is(jsonb_array_length(tests.page('token_issued', 100) -> 'items'), 20, 'tokens are found behind the flood');
select tests.a_minute_later();
select tests.issue('t22');
select is(tests.recorded('anna'), '1 0', 'in the next minute events are recorded again');
select is(tests.page('token_issued') -> 'items' -> 0 -> 'detail' -> 'omitted', '4', 'and the first says what was left out');
select is(tests.page() -> 'omitted', '0', 'so that nothing is left out since');
-- A transaction that began in an earlier minute counts in the later one.
select tests.act_as('operator');
update private.event_counts set minute = minute + interval '1 minute', recorded = 60 where client_id = tests.client_id('anna');
select tests.act_as('anna');
select tests.issue('t23');
select is(tests.recorded('anna'), '60 1', 'a transaction that is slow does not begin a count anew');

-- Refusals are bounded by a count of their own, which is told with it.
select tests.act_as('operator');
select tests.forget();
select tests.act_as('anna');
select public.report_refusal('edge', 'conflict', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna')) from generate_series(1, 25);
select is(tests.page() -> 'omitted', '5', 'refusals that were left out are told');
select tests.issue('t24');
select is(tests.recorded('anna'), '1 0', 'and take no place of a token''s');

-- Behind more events than a page chains: the newest that are queued are shown.
select tests.act_as('operator');
select tests.forget();
insert into private.queued_key_events (client_id, event, bot_id, actor)
  select tests.client_id('anna'), 'bot_started', tests.bot_id('hers'), 'client' from generate_series(1, 4100);
select tests.act_as('anna');
select tests.issue('t25');
select is(tests.page('token_issued', 3) -> 'queued' -> 0 ->> 'event', 'token_issued', 'a token behind 4,100 events is seen at once');
create temporary table shown as select tests.page(null, 100) as page;
select ok(tests.rows_read() < 50000, 'and both pages have read each row of the queue a few times');
select is(jsonb_array_length(page -> 'queued'), 100, 'as many of the queue as of the chain') from shown;
select is((select array_agg(key order by key) from jsonb_object_keys(page -> 'queued' -> 0) as key),
  (select array_agg(key order by key) from jsonb_object_keys(page -> 'items' -> 0) as key
    where key not in ('seq', 'signatures', 'previous_hash', 'hash')), 'an event that waits is shown as later in the chain, without its place') from shown;
select tests.page();
select is(tests.page('token_issued', 3) -> 'queued', '[]', 'and nothing is queued once it is chained');
select is(tests.page('token_issued', 3) -> 'items' -> 0 -> 'detail' ->> 'token_id', (
  select token_id::text from public.machine_token_bots order by token_id desc limit 1), 'where it is found');

-- Whose queue it is.
select tests.act_as('boris');
select is(tests.refusal($$select private.queued_events_json(tests.client_id('anna'), null, 10)$$), 'PT404 not_found', 'another client sees no queue of this one''s');
select is(tests.refusal('select tests.page()'), 'PT404 not_found', 'nor its chain');
select tests.act_as('eve');
select is(tests.refusal(format('select private.queued_events_json(%L, null, 10)', chain)), 'PT404 not_found', 'an account without a client sees none')
from unnest(array[tests.client_id('anna'), private.deployment()]) as chain;
select tests.act_as('anon');
select is(tests.refusal($$select private.queued_events_json(tests.client_id('anna'), null, 10)$$), '42501', 'nor does who is not signed in');

select * from finish();
rollback;
