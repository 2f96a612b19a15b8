-- Who can write, read and chain events.
begin;
\ir ../people.psql
select plan(38);

create function tests.waiting() returns bigint language sql security definer
return (select count(*) from private.queued_key_events where client_id = tests.client_id('anna'));
create function tests.page(size integer, after bigint default null, oldest_first boolean default false, event text default null)
returns text language sql
return (
  select concat_ws(' ', string_agg(item ->> 'seq', ',' order by place), '|', page ->> 'next_cursor')
  from (select public.list_key_events(tests.client_id('anna'), size, after, oldest_first, event) as page) as asked
  left join lateral jsonb_array_elements(page -> 'items') with ordinality as items (item, place) on true
  group by page);
grant execute on all functions in schema tests to public;
select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));

select is(tests.refusal(statement), '42501', 'a client cannot: ' || statement)
from unnest(array[
  'select * from private.queued_key_events',
  'select * from private.every_key_event',
  'delete from private.queued_key_events',
  $$insert into private.queued_key_events (client_id, event, actor) values (tests.client_id('anna'), 'refused', 'client')$$,
  $$select private.chain_key_events(tests.client_id('anna'), 1, true)$$,
  'update public.audit_checkpoints set jws = ''x''',
  'delete from public.audit_checkpoints',
  $$insert into public.audit_checkpoints (client_id, seq, hash, jws) values (tests.client_id('anna'), 1, sha256('x'), 'x')$$
]) as statement;

-- Reading a chain moves queued events into it. A caller without access to the chain moves nothing.
select tests.act_as('boris');
select private.chain_own_key_events(tests.client_id('anna'));
select is(tests.waiting(), 1::bigint, 'a caller without access to the chain moves no events');
select tests.act_as('anna');
select private.chain_own_key_events(tests.client_id('anna'));
select is(tests.waiting(), 0::bigint, 'a caller with access moves the queued events');
select is((select count(*) from public.key_events), 5::bigint, 'a client sees only its own events');
select public.stop_bot(tests.bot_id('a'));
select tests.act_as('ada');
select private.chain_own_key_events(tests.client_id('anna'));
select is(tests.waiting(), 0::bigint, 'an admin moves the queued events of any client');

-- Pages: the first and the last, in both orders, and with one kind of event only.
select is(array[tests.page(2), tests.page(2, 4), tests.page(2, 2), tests.page(6)],
  array['6,5 | 5', '3,2 | 2', '1 |', '6,5,4,3,2,1 |'], 'pages with the newest events first end with the last page');
select is(array[tests.page(2, null, true), tests.page(2, 2, true), tests.page(2, 4, true), tests.page(2, 5, true), tests.page(6, null, true)],
  array['1,2 | 2', '3,4 | 4', '5,6 |', '6 |', '1,2,3,4,5,6 |'], 'pages with the oldest events first');
select is(array[tests.page(9, null, false, 'key_added'), tests.page(9, null, true, 'key_added')], array['3 |', '3 |'],
  'pages with one kind of event only');
select is(array[tests.page(1, null, false, 'bot_stopped'), tests.page(1, 6, false, 'bot_stopped')], array['6 |', '|'],
  'pages with one kind of event, after a cursor');
select tests.act_as('anna');
select is(tests.page(1), '6 | 6', 'the client sees the same page');

select tests.act_as('operator');
select is(tests.refusal(statement), 'PT405 append_only', 'the owner of the table cannot: ' || statement)
from unnest(array[
  'update public.audit_checkpoints set jws = ''x''',
  'delete from public.audit_checkpoints',
  'delete from public.audit_checkpoints where false',
  'truncate public.audit_checkpoints'
]) as statement;
select results_eq(
  $$select tgname::text collate "default", tgenabled::text collate "default", tgtype::integer from pg_trigger
    where tgname like '%are\_never\_changed' order by 1$$,
  $$values ('audit_checkpoints_are_never_changed', 'A', 2 + 8 + 16 + 32), ('key_events_are_never_changed', 'A', 2 + 8 + 16 + 32)$$,
  'the triggers run before each delete, update and truncate, also with session_replication_role = replica');

-- A fork, a second first row, and a row without a previous hash.
create function tests.insert_at(place bigint, previous bytea) returns text language sql as $$
  select tests.refusal(format(
    'insert into public.key_events select client_id, %L, gen_random_uuid(), event, bot_id, address, chain, key_id,
       key_version, actor_id, actor, request_id, detail, created_at, signatures, %L, hash
     from public.key_events where client_id = tests.client_id(''anna'') and seq = 1', place, previous))
$$;
select is(tests.insert_at(2, sha256('x')), '23505', 'a chain does not fork');
select is(tests.insert_at(1, null), '23505', 'a chain has only one first row');
select is(tests.insert_at(0, null), '23514', 'a chain cannot begin with 0');
select is(tests.insert_at(9, null), '23514', 'a later row needs a previous hash');
select is(tests.insert_at(9, sha256('x')), 'allowed', 'a row with a wrong previous hash is accepted, and verifiers detect it');
create function tests.insert_again(id text, hash text) returns text language sql as $$
  select tests.refusal(format(
    'insert into public.key_events select client_id, 10, %s, event, bot_id, address, chain, key_id, key_version,
       actor_id, actor, request_id, detail, created_at, signatures, hash, %s
     from public.key_events where client_id = tests.client_id(''anna'') and seq = 1', id, hash))
$$;
select is(tests.insert_again('id', 'hash'), '23505', 'an event cannot be in the chains twice');
select is(tests.insert_again('gen_random_uuid()', 'substring(hash for 31)'), '23514', 'a hash must have 32 bytes');
select is(tests.insert_again('gen_random_uuid()', 'hash'), 'allowed', 'another event with a correct hash is accepted');

-- The queue rejects events that could not be chained.
select is(tests.refusal(format(
  'insert into private.queued_key_events (client_id, event, actor, detail) values (tests.client_id(''anna''), %s)', rest)),
  '23514', 'refused: ' || rest)
from unnest(array[
  $$'unheard_of', 'client', null$$,
  $$'key_released', 'client', null$$,
  $$'refused', 'nobody', null$$,
  $$'refused', 'client', '{"a": 1.5}'$$
]) as rest;

-- A key change with an empty queue writes directly to the chain. Such events are rejected there too.
select is(tests.refusal(format($$select private.record_key_event('key_added', tests.client_id('boris'), null, %s)$$, rest)),
  outcome, 'a key change directly into the chain: ' || rest)
from (values
  ($$'B', 'evm', null, 1$$, 'allowed'),
  ($$null, 'evm', null, 1$$, '23514'),
  ($$'B', 'evm', null, 1, '{"a": 1.5}'$$, '23514')
) as recorded (rest, outcome);

-- Queue numbers are unique for all clients. If a restore or the owner made two equal ones, each event stays with its client.
insert into private.queued_key_events (client_id, number, event, actor) overriding system value
values (tests.client_id('anna'), -1, 'refused', 'client'), (tests.client_id('boris'), -1, 'refused', 'client');
select private.chain_key_events(tests.client_id('boris'), 1, true);
select is(tests.waiting(), 1::bigint, 'a queued event of one client is not moved into the chain of another client');

select * from finish();
rollback;
