begin;
\ir ../people.psql
select plan(18);

select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));
select results_eq('select event, actor, actor_id from public.key_events where address is not null order by event',
  $$values ('key_added', 'client', tests.account_id('anna')), ('wallet_added', 'client', tests.account_id('anna'))$$,
  'a client sees its own events, with who did it');
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
  'an event names the request that it came with');

-- Past the edge the header is whatever somebody wrote: a key, for one.
select set_config('request.headers', jsonb_build_object('x-request-id', id)::text, true), tests.rotate('anna', address)
from (values ('R1', repeat('ab', 32)), ('R2', 'a b'), ('R3', repeat('x', 37)), ('R4', repeat('x', 36)),
  -- Of letters of the whole world, 36 hold a key.
  ('R5', repeat('鍵', 36))) as sent (address, id);
select set_config('request.headers', '', true);
select results_eq($$select address, request_id from public.key_events where address like 'R%' order by address$$,
  $$values ('R1', null), ('R2', null), ('R3', null), ('R4', repeat('x', 36)), ('R5', null)$$,
  'an id of another form than the edge takes is not kept');

select tests.act_as('ada');
select tests.rotate('anna', 'A3');
select is((tests.events('anna'))[9], 'key_rotated A3 8 by admin', 'what an admin does is an admin''s');
select is((select count(*) from public.key_events where client_id in (tests.client_id('anna'),
  tests.client_id('boris')) and address is not null),
  11::bigint, 'an admin sees every client''s events');
select is(tests.refusal('delete from public.key_events'), '42501', 'and deletes none');

select tests.act_as('operator');
insert into private.admins (user_id) values (tests.account_id('boris'));
select tests.act_as('boris');
select tests.rotate('anna', 'A4');
select is((tests.events('anna'))[10], 'key_rotated A4 9 by admin', 'nor is an admin who is a client of its own the client here');

select tests.act_as('operator');
select is((select count(*) from public.key_events where client_id = tests.client_id('anna') and created_at <> date_trunc('milliseconds', created_at)),
  0::bigint, 'a time has the milliseconds that are answered and hashed, and no more');
select is(tests.refusal(statement), 'PT405 append_only', 'not even the owner can: ' || statement)
from unnest(array[
  'update public.key_events set actor = ''admin''',
  'update public.key_events set actor = ''admin'' where false',
  'delete from public.key_events',
  'truncate public.key_events cascade'
]) as statement;
select is(tests.refusal($$delete from public.clients where id = tests.client_id('anna')$$), '23503',
  'nor do they go with their client');

select * from finish();
rollback;
