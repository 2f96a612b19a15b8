-- The functions of the cron job: moving queued events into chains, and storing signed checkpoints.
begin;
\ir ../people.psql
select plan(38);

insert into public.machine_tokens (name, token_hash, scope)
values ('the monitor', sha256('monitor'), 'monitor'), ('a runner', sha256('runner'), 'bots');
select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));

select tests.act_as('anon');
select is(tests.refusal(format(call, token)), case token when 'monitor' then 'allowed' else 'PT401 token_invalid' end,
  call || ' with the token ' || token)
from unnest(array[
  'select public.chain_queued_events(%L, 0)', 'select public.list_unsigned_heads(%L, 0)',
  'select public.store_checkpoints(''edge'', %L, ''[]'')']) as call
cross join unnest(array['monitor', 'runner', 'nobody''s']) as token;
-- The database cannot verify a signature, so only the edge stores checkpoints.
select is(tests.refusal(format('select public.store_checkpoints(%L, ''monitor'', ''[]'')', edge_token)),
  'PT503 edge_token_invalid', 'store_checkpoints with the edge token ' || coalesce(edge_token, 'null'))
from unnest(array['monitor', 'nobody''s', null]) as edge_token;

select tests.act_as('operator');
create function tests.queue_length(person text) returns bigint language sql stable security definer
return (select count(*) from private.queued_key_events where client_id = tests.client_id(person));
create function tests.heads() returns jsonb language sql security definer
return (
  select jsonb_object_agg(c.name, h) from jsonb_array_elements(public.list_unsigned_heads('monitor', 100000)) as h
  join public.clients as c on c.id = (h ->> 'client_id')::uuid where c.email like '%@pgtap.test');
create function tests.jws(person text, seq bigint, hash text, alg text default 'EdDSA') returns text language sql stable security definer
return concat_ws('.',
  tests.base64url(convert_to(jsonb_build_object('alg', alg, 'kid', 'k', 'typ', 'audit-checkpoint+jwt')::text, 'UTF8')),
  tests.base64url(convert_to(jsonb_build_object('client_id', tests.client_id(person), 'seq', seq, 'hash', hash)::text, 'UTF8')),
  repeat('A', 86));
create function tests.jws_with(person text, header jsonb, place bigint default 2) returns text language sql stable security definer
return (
  select concat_ws('.',
    tests.base64url(convert_to(
      ('{"alg": "EdDSA", "kid": "k", "typ": "audit-checkpoint+jwt"}'::jsonb || header)::text, 'UTF8')),
    tests.base64url(convert_to(jsonb_build_object('client_id', client_id, 'seq', seq, 'hash', encode(hash, 'hex'))::text, 'UTF8')),
    repeat('A', 86))
  from public.key_events where client_id = tests.client_id(person) and seq = place);
create function tests.store(person text, seq bigint, jws text) returns integer language sql
return (public.store_checkpoints('edge', 'monitor', jsonb_build_array(
  jsonb_build_object('client_id', tests.client_id(person), 'seq', seq, 'jws', jws))) ->> 'stored')::integer;
grant execute on all functions in schema tests to public;

-- The starts of the bots are queued: the one of anna before the one of boris.
select tests.act_as('anon');
select is(tests.queue_length('anna'), 1::bigint, 'an event that is not a key change is queued');
select tests.act_as('operator');
-- Negative numbers, so that these events come before those of other tests.
insert into private.queued_key_events (client_id, number, event, bot_id, actor) overriding system value
select client_id, -number, event, bot_id, actor from private.queued_key_events
where client_id in (tests.client_id('anna'), tests.client_id('boris'));
delete from private.queued_key_events
where number > 0 and client_id in (tests.client_id('anna'), tests.client_id('boris'));
select tests.act_as('anon');
-- With negative numbers, the event of boris is now the older one.
select is(public.chain_queued_events('monitor', 1), '{"chained": 1, "clients": 1}', 'chain_queued_events chains as many events as its argument allows');
select is(array[tests.queue_length('boris'), tests.queue_length('anna')], array[0, 1]::bigint[], 'the event that has waited longest is chained first');
select is(public.chain_queued_events('monitor', 1), '{"chained": 1, "clients": 1}', 'the next call chains the next event');
select is(tests.queue_length('anna') + tests.queue_length('boris'), 0::bigint, 'the queue is empty');

select is(tests.heads() -> 'anna' ->> 'seq', '5', 'a chain that was never signed is due');
select is(tests.heads() -> 'anna' ->> 'last', null, 'a chain that was never signed has no last checkpoint');
create temporary table head as select tests.heads() -> 'anna' ->> 'hash' as hash;
grant select on head to public;

select is(tests.store('anna', 5, tests.jws('anna', 5, repeat('ab', 32))), 0, 'a checkpoint with another hash is not stored');
select is(tests.store('anna', 4, tests.jws('anna', 5, hash)), 0, 'a checkpoint with another seq is not stored') from head;
select is(tests.store('anna', 5, tests.jws('boris', 5, hash)), 0, 'a checkpoint of another client is not stored') from head;
select is(tests.store('anna', 5, tests.jws('anna', 5, hash, 'none')), 0, 'a checkpoint with alg none is not stored') from head;
select is(tests.store('anna', 5, 'garbage'), 0, 'a text that is not a JWS is not stored');
select is(tests.store('anna', 5, left(tests.jws('anna', 5, hash), -1)), 0, 'a checkpoint with a shortened signature is not stored') from head;
select is(tests.store('anna', 5, tests.jws('anna', 5, hash)), 1, 'a checkpoint of the current last row is stored') from head;
select is(tests.heads() -> 'anna', null, 'after that, the chain is not due');

select tests.act_as('anna');
select public.stop_bot(tests.bot_id('a'));
select public.list_key_events(tests.client_id('anna'), 1);
select tests.act_as('anon');
select is(tests.heads() -> 'anna', null, 'a chain that grew on the same day is not due');

select tests.act_as('anna');
select is(jsonb_array_length(public.list_checkpoints(tests.client_id('anna'), 10) -> 'items'), 1, 'the client sees its checkpoint');
select tests.act_as('boris');
select is((select count(*) from public.audit_checkpoints), 0::bigint, 'another client does not see it');

-- A client with many queued events does not delay the others.
select tests.act_as('operator');
delete from private.queued_key_events;
insert into private.queued_key_events (client_id, event, bot_id, actor)
  select tests.client_id('anna'), 'bot_started', tests.bot_id('a'), 'client' from generate_series(1, 1000);
insert into private.queued_key_events (client_id, event, bot_id, actor)
  values (tests.client_id('boris'), 'bot_started', tests.bot_id('b'), 'client');
select tests.act_as('anon');
select is(public.chain_queued_events('monitor', 100) ->> 'clients', '2', 'one call chains events of both clients');
select is(tests.queue_length('boris'), 0::bigint, 'the client with one event has no queued events left');
select is(public.chain_queued_events('monitor', 100) ->> 'chained', '100', 'if one client has queued events, the call chains only those');
-- The argument limits the events of all clients together.
select tests.act_as('operator');
insert into private.queued_key_events (client_id, number, event, actor) overriding system value
select tests.client_id(person), number, 'refused', 'client'
from (values ('anna', -9004), ('anna', -9003), ('boris', -9002), ('boris', -9001)) as waiting (person, number);
select tests.act_as('anon');
select is(public.chain_queued_events('monitor', 3), '{"chained": 3, "clients": 2}', 'the limit applies to all clients together');

-- The header of a checkpoint.
select is(tests.store('boris', 1, tests.jws_with('boris', '{"more": "x"}', 1)), 1, 'a checkpoint with a further header member is stored');
select is(tests.store('boris', 2, tests.jws_with('boris', '{"kid": 1}')), 0, 'a checkpoint with a kid that is not a string is not stored');
select is(tests.store('boris', 2, tests.jws_with('boris', '{"typ": "JWT"}')), 0, 'a checkpoint of another typ is not stored');
select is(tests.store('boris', 2, tests.jws_with('boris', jsonb_build_object('more', repeat('x', 2000)))), 0, 'a checkpoint of more than 2 KiB is not stored');

select * from finish();
rollback;
