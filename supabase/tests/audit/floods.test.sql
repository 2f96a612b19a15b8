-- At most 60 events a minute are recorded for each client, not counting keys and signatures. Nobody can fill a chain or hide events.
begin;
\ir ../people.psql
select plan(42);

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

-- Events of bots and policies can use 40 of the 60.
select tests.act_as('anna');
insert into public.bot_policies (bot_id, client_id) select id, client_id from public.bots where name like 'b%';
select is(tests.recorded('anna'), '40 59', '99 policies are 40 events, and 59 are only counted');
select public.set_policy(tests.bot_id('b1'), '{"max_value": "1"}');
update public.clients set name = 'another' where id = tests.client_id('anna');
select is(tests.recorded('anna'), '40 61', 'further policies and a changed name are only counted');
select is(tests.waiting('anna', 'policy_set'), 40::bigint, '40 events of policies are recorded');
-- New tokens do not count, and are never left out.
select tests.issue('t' || n) from generate_series(1, 20) as n;
select is(tests.recorded('anna'), '40 0', 'new tokens do not count');
select is(tests.waiting('anna', 'token_issued'), 20::bigint, 'each of the 20 tokens is an event');
-- The remaining 20 are reserved for uses and ends of tokens.
insert into public.machine_tokens (client_id, name, token_hash)
  select tests.client_id('anna'), 'loose ' || n, sha256(convert_to('loose ' || n, 'UTF8')) from generate_series(1, 21) as n;
set constraints all immediate;
set constraints all deferred;
delete from public.machine_tokens where name like 'loose %';
select is(tests.recorded('anna'), '60 1', '20 ends of tokens fit into the reserved events');
select tests.act_as('operator');
select is((select detail ->> 'omitted' from private.queued_key_events where client_id = tests.client_id('anna') and event = 'token_issued' order by number limit 1),
  '61', 'the first recorded event has the number of events that were omitted before it');
select is((select count(*) from private.queued_key_events where client_id = tests.client_id('anna') and detail ? 'omitted'), 1::bigint, 'only the first recorded event has the number of omitted events');
select tests.act_as('anna');
insert into public.machine_tokens (client_id, name, token_hash)
  select tests.client_id('anna'), 'more ' || n, sha256(convert_to('more ' || n, 'UTF8')) from generate_series(1, 19) as n;
set constraints all immediate;
set constraints all deferred;
select is(tests.refusal($$select tests.issue('t21')$$), 'PT429 rate_limited', 'a 61st token in a minute -> 429, so that no token is issued behind a flood');
select tests.act_as('ada');
select is(tests.refusal($$select tests.issue('t21')$$), 'PT429 rate_limited', 'a 61st token by an admin -> 429');
select tests.act_as('anna');
select public.set_policy(tests.bot_id('b1'), '{"max_value": "3"}');
select is(tests.recorded('anna'), '60 1', 'a 61st event is only counted');
-- Events of keys and signatures are never omitted.
select tests.rotate('anna', 'A2');
select is(tests.waiting('anna', 'key_rotated'), 1::bigint, 'a rotation is recorded above the limit');
select tests.act_as('anon');
select is(tests.refusal(format('select public.check_out_key(''edge'', ''t1'', %L, %L)', tests.bot_id('hers'),
  jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest')))), 'allowed', 'a runner signs above the limit');
select is(tests.waiting('anna', 'key_released'), 1::bigint, 'a signature is recorded above the limit');
select is(tests.recorded('anna'), '60 2', 'the first use of the token is only counted');
-- Each client has its own count.
select tests.act_as('boris');
select public.stop_bot(tests.bot_id('his'));
select is(tests.recorded('boris'), '1 0', 'another client has its own count');
-- Changes by admins and by the operator count too.
select tests.act_as('ada');
select public.set_policy(tests.bot_id('b1'), '{"max_value": "2"}');
select is(tests.recorded('anna'), '60 3', 'changes by an admin count');
select tests.act_as('operator');
delete from public.bot_policies where bot_id = tests.bot_id('b1');
select is(tests.recorded('anna'), '60 4', 'changes by the operator count');
-- Events that no session of a client can cause are never omitted, so that no flood hides them.
update public.clients set user_id = null where id = tests.client_id('anna');
select is(tests.waiting('anna', 'account_unlinked'), 1::bigint, 'an account that is unlinked during a flood is recorded');
update public.clients set user_id = tests.account_id('anna') where id = tests.client_id('anna');
select is(tests.recorded('anna'), '60 0', 'such an event has the number of omitted events, and does not count');
update private.event_counts set omitted = 4 where client_id = tests.client_id('anna');
-- A rollback restores the count.
select is(tests.refusal($$do 'begin perform public.set_policy(tests.bot_id(''b2''), ''{"max_value": "9"}''); raise division_by_zero; end'$$), '22012', 'a change is rolled back');
select is(tests.recorded('anna'), '60 4', 'a change that is rolled back does not count');

-- A page of the chain shows what is missing from it.
select tests.act_as('anna');
select is(tests.page() -> 'omitted', '4', 'a page of the chain has the number of omitted events');
select is(tests.page() -> 'queued', '[]', 'a page shows no queued events if the queue is empty');
select is(jsonb_array_length(tests.page('token_issued', 100) -> 'items'), 60, 'all recorded tokens are listed after the flood');
select tests.a_minute_later();
select tests.issue('t22');
select is(tests.recorded('anna'), '0 0', 'tokens can be issued again in the next minute');
select is(tests.page('token_issued') -> 'items' -> 0 -> 'detail' -> 'omitted', '4', 'the first event of the next minute has the number of omitted events');
select is(tests.page() -> 'omitted', '0', 'a page has no omitted events after a recorded one');
-- A transaction that began in an earlier minute counts in the current minute.
select tests.act_as('operator');
update private.event_counts set minute = minute + interval '1 minute', recorded = 60 where client_id = tests.client_id('anna');
select tests.act_as('anna');
select public.set_policy(tests.bot_id('b1'), '{"max_value": "4"}');
select is(tests.recorded('anna'), '60 1', 'a transaction that began in an earlier minute does not reset the count');

-- Rejected requests have their own limit.
select tests.act_as('operator');
select tests.forget();
select tests.act_as('anna');
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna')) from generate_series(1, 25);
select is(tests.page() -> 'omitted', '5', 'the number of omitted events of a page includes rejected requests');
select tests.issue('t24');
select is(tests.recorded('anna'), '0 0', 'rejected requests do not count against other events');

-- If more events are queued than one page chains, the page shows the newest of them.
select tests.act_as('operator');
select tests.forget();
insert into private.queued_key_events (client_id, event, bot_id, actor)
  select tests.client_id('anna'), 'bot_started', tests.bot_id('hers'), 'client' from generate_series(1, 4100);
select tests.act_as('anna');
select tests.issue('t25');
select is(tests.page('token_issued', 3) -> 'queued' -> 0 ->> 'event', 'token_issued', 'a token behind 4,100 queued events is on the first page');
create temporary table shown as select tests.page(null, 100) as page;
select ok(tests.rows_read() < 50000, 'chaining reads each row of the queue a few times, and not once for each event');
select is(jsonb_array_length(page -> 'queued'), 100, 'a page shows as many queued events as chained ones') from shown;
select is((select array_agg(key order by key) from jsonb_object_keys(page -> 'queued' -> 0) as key),
  (select array_agg(key order by key) from jsonb_object_keys(page -> 'items' -> 0) as key
    where key not in ('seq', 'signatures', 'previous_hash', 'hash')), 'a queued event has the members of a chained event, except its place and hashes') from shown;
select tests.page();
select is(tests.page('token_issued', 3) -> 'queued', '[]', 'a chained event is no longer queued');
select is(tests.page('token_issued', 3) -> 'items' -> 0 -> 'detail' ->> 'token_id', (
  select token_id::text from public.machine_token_bots order by token_id desc limit 1), 'the token''s event is in the chain');

-- Only the client and admins read the queue.
select tests.act_as('boris');
select is(tests.refusal($$select private.queued_events_json(tests.client_id('anna'), null, 10)$$), 'PT404 resource_not_found', 'the queue of another client -> 404');
select is(tests.refusal('select tests.page()'), 'PT404 resource_not_found', 'the chain of another client -> 404');
select tests.act_as('eve');
select is(tests.refusal(format('select private.queued_events_json(%L, null, 10)', chain)), 'PT404 resource_not_found', 'an account without a client reads no queue')
from unnest(array[tests.client_id('anna'), private.deployment()]) as chain;
select tests.act_as('anon');
select is(tests.refusal($$select private.queued_events_json(tests.client_id('anna'), null, 10)$$), '42501', 'a caller without a session reads no queue');

select * from finish();
rollback;
