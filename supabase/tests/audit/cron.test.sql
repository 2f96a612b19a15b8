-- What the cron calls: chaining what is queued, and keeping signed heads.
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

-- The bots' starts are queued; the first of anna before that of boris.
select tests.act_as('anon');
select is(tests.queue_length('anna'), 1::bigint, 'an event that is no key change waits');
select tests.act_as('operator');
-- Before those of other tests: who waits longest is first.
insert into private.queued_key_events (client_id, number, event, bot_id, actor) overriding system value
select client_id, -number, event, bot_id, actor from private.queued_key_events
where client_id in (tests.client_id('anna'), tests.client_id('boris'));
delete from private.queued_key_events
where number > 0 and client_id in (tests.client_id('anna'), tests.client_id('boris'));
select tests.act_as('anon');
-- By its turned number that of boris is the older one now.
select is(public.chain_queued_events('monitor', 1), '{"chained": 1, "clients": 1}', 'the cron chains as many as it is told');
select is(array[tests.queue_length('boris'), tests.queue_length('anna')], array[0, 1]::bigint[], 'of who waits longest');
select is(public.chain_queued_events('monitor', 1), '{"chained": 1, "clients": 1}', 'then of the next');
select is(tests.queue_length('anna') + tests.queue_length('boris'), 0::bigint, 'all of it');

select is(tests.heads() -> 'anna' ->> 'seq', '5', 'a chain that was never signed is due');
select is(tests.heads() -> 'anna' ->> 'last', null, 'and has no checkpoint before');
create temporary table head as select tests.heads() -> 'anna' ->> 'hash' as hash;
grant select on head to public;

select is(tests.store('anna', 5, tests.jws('anna', 5, repeat('ab', 32))), 0, 'a head of another hash is not kept');
select is(tests.store('anna', 4, tests.jws('anna', 5, hash)), 0, 'nor of another place') from head;
select is(tests.store('anna', 5, tests.jws('boris', 5, hash)), 0, 'nor of another client') from head;
select is(tests.store('anna', 5, tests.jws('anna', 5, hash, 'none')), 0, 'nor one without a signature''s algorithm') from head;
select is(tests.store('anna', 5, 'garbage'), 0, 'nor garbage');
select is(tests.store('anna', 5, left(tests.jws('anna', 5, hash), -1)), 0, 'nor one whose signature was cut off') from head;
select is(tests.store('anna', 5, tests.jws('anna', 5, hash)), 1, 'the head as it is, is') from head;
select is(tests.heads() -> 'anna', null, 'then it is not due');

select tests.act_as('anna');
select public.stop_bot(tests.bot_id('a'));
select public.list_key_events(tests.client_id('anna'), 1);
select tests.act_as('anon');
select is(tests.heads() -> 'anna', null, 'nor on the same day, though the chain moved');

select tests.act_as('anna');
select is(jsonb_array_length(public.list_checkpoints(tests.client_id('anna'), 10) -> 'items'), 1, 'its client sees it');
select tests.act_as('boris');
select is((select count(*) from public.audit_checkpoints), 0::bigint, 'another does not');

-- Who has left many events waits for them, and nobody else does.
select tests.act_as('operator');
delete from private.queued_key_events;
insert into private.queued_key_events (client_id, event, bot_id, actor)
  select tests.client_id('anna'), 'bot_started', tests.bot_id('a'), 'client' from generate_series(1, 1000);
insert into private.queued_key_events (client_id, event, bot_id, actor)
  values (tests.client_id('boris'), 'bot_started', tests.bot_id('b'), 'client');
select tests.act_as('anon');
select is(public.chain_queued_events('monitor', 100) ->> 'clients', '2', 'each client has a share of what is chained at once');
select is(tests.queue_length('boris'), 0::bigint, 'who has little is done');
select is(public.chain_queued_events('monitor', 100) ->> 'chained', '100', 'who is alone has all of it');
-- As many in all as it is told, and not of each client.
select tests.act_as('operator');
insert into private.queued_key_events (client_id, number, event, actor) overriding system value
select tests.client_id(person), number, 'refused', 'client'
from (values ('anna', -9004), ('anna', -9003), ('boris', -9002), ('boris', -9001)) as waiting (person, number);
select tests.act_as('anon');
select is(public.chain_queued_events('monitor', 3), '{"chained": 3, "clients": 2}', 'the bound is of all clients together');

-- What a checkpoint has to be, beside what it says.
select is(tests.store('boris', 1, tests.jws_with('boris', '{"more": "x"}', 1)), 1, 'a checkpoint may say more');
select is(tests.store('boris', 2, tests.jws_with('boris', '{"kid": 1}')), 0, 'a checkpoint whose key has no name is not kept');
select is(tests.store('boris', 2, tests.jws_with('boris', '{"typ": "JWT"}')), 0, 'nor one of another type');
select is(tests.store('boris', 2, tests.jws_with('boris', jsonb_build_object('more', repeat('x', 2000)))), 0, 'nor one of more than 2 KiB');

select * from finish();
rollback;
