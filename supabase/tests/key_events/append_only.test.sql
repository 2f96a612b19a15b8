begin;
\ir ../people.psql
select plan(18);

select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));
select results_eq('select event, actor, actor_id from public.key_events where address is not null order by event',
  $$values ('key_added', 'client', tests.account_id('anna')), ('wallet_added', 'client', tests.account_id('anna'))$$,
  'a client sees its own events, with their actors');
select is(tests.refusal(statement), '42501', 'a client cannot: ' || statement)
from unnest(array[
  $$insert into public.key_events (client_id, event, address, chain, actor)
    values (tests.client_id('anna'), 'key_revoked', 'A', 'evm', 'client')$$,
  'update public.key_events set actor = ''admin''',
  'delete from public.key_events',
  'truncate public.key_events',
  $$select private.record_key_event('key_revoked', tests.client_id('anna'), null, 'A', 'evm', null, 1)$$
]) as statement;

select set_config('request.headers', '{"x-request-id": "request-1"}', true);
select tests.rotate('anna', 'A2');
select set_config('request.headers', '', true);
select results_eq($$select request_id from public.key_events where event = 'key_rotated'$$, array['request-1'],
  'an event has the request id');

-- A caller that calls the REST API directly can write anything into the header, for example a private key.
select set_config('request.headers', jsonb_build_object('x-request-id', id)::text, true), tests.rotate('anna', address)
from (values ('R1', repeat('ab', 32)), ('R2', 'a b'), ('R3', repeat('x', 37)), ('R4', repeat('x', 36)),
  -- 36 Unicode characters are enough for a private key.
  ('R5', repeat('鍵', 36))) as sent (address, id);
select set_config('request.headers', '', true);
select results_eq($$select address, request_id from public.key_events where address like 'R%' order by address$$,
  $$values ('R1', null), ('R2', null), ('R3', null), ('R4', repeat('x', 36)), ('R5', null)$$,
  'a request id that the edge would reject is not stored');

select tests.act_as('ada');
select tests.rotate('anna', 'A3');
select is((tests.events('anna'))[9], 'key_rotated A3 8 by admin', 'the actor of a change by an admin is admin');
select is((select count(*) from public.key_events where client_id in (tests.client_id('anna'),
  tests.client_id('boris')) and address is not null),
  11::bigint, 'an admin sees the events of every client');
select is(tests.refusal('delete from public.key_events'), '42501', 'an admin cannot delete events');

select tests.act_as('operator');
insert into private.admins (user_id) values (tests.account_id('boris'));
select tests.act_as('boris');
select tests.rotate('anna', 'A4');
select is((tests.events('anna'))[10], 'key_rotated A4 9 by admin', 'the actor is admin also if the admin has its own client');

select tests.act_as('operator');
select is((select count(*) from public.key_events where client_id = tests.client_id('anna') and created_at <> date_trunc('milliseconds', created_at)),
  0::bigint, 'times are stored with the same precision of milliseconds that is returned and hashed');
select is(tests.refusal(statement), 'PT405 append_only', 'the owner of the table cannot: ' || statement)
from unnest(array[
  'update public.key_events set actor = ''admin''',
  'update public.key_events set actor = ''admin'' where false',
  'delete from public.key_events',
  'truncate public.key_events cascade'
]) as statement;
select is(tests.refusal($$delete from public.clients where id = tests.client_id('anna')$$), '23503',
  'a client with events cannot be deleted');

select * from finish();
rollback;
