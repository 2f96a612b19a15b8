-- Who may write, read and move events.
begin;
\ir ../people.psql
select plan(24);

create function tests.waiting() returns bigint language sql security definer
return (select count(*) from private.queued_key_events where client_id = tests.client_id('anna'));
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

-- Reading a chain moves into it what waits; of another's chain nothing is moved.
select tests.act_as('boris');
select private.chain_own_key_events(tests.client_id('anna'));
select is(tests.waiting(), 1::bigint, 'a stranger moves nothing');
select tests.act_as('anna');
select private.chain_own_key_events(tests.client_id('anna'));
select is(tests.waiting(), 0::bigint, 'who may read it does');
select is((select count(*) from public.key_events), 4::bigint, 'and sees its own rows alone');

select tests.act_as('operator');
select is(tests.refusal(statement), 'PT405 append_only', 'not even the owner can: ' || statement)
from unnest(array[
  'update public.audit_checkpoints set jws = ''x''',
  'delete from public.audit_checkpoints',
  'delete from public.audit_checkpoints where false'
]) as statement;
select results_eq(
  $$select tgname::text collate "default", tgenabled::text collate "default" from pg_trigger where tgname like '%are\_never\_changed' order by 1$$,
  $$values ('audit_checkpoints_are_never_changed', 'A'), ('key_events_are_never_changed', 'A')$$,
  'also where triggers are off for replication');

-- A fork, a second beginning, and a row that says it follows nothing.
create function tests.insert_at(place bigint, previous bytea) returns text language sql as $$
  select tests.refusal(format(
    'insert into public.key_events select client_id, %L, gen_random_uuid(), event, bot_id, address, chain, key_id,
       key_version, actor_id, actor, request_id, detail, created_at, signatures, %L, hash
     from public.key_events where client_id = tests.client_id(''anna'') and seq = 1', place, previous))
$$;
select is(tests.insert_at(2, sha256('x')), '23505', 'a chain does not fork');
select is(tests.insert_at(1, null), '23505', 'it begins once');
select is(tests.insert_at(0, null), '23514', 'with 1');
select is(tests.insert_at(9, null), '23514', 'every other row follows one');
select is(tests.insert_at(9, sha256('x')), 'allowed', '(and what follows none that there is, verifiers find)');

-- What could not be chained is not queued.
select is(tests.refusal(format(
  'insert into private.queued_key_events (client_id, event, actor, detail) values (tests.client_id(''anna''), %s)', rest)),
  '23514', 'refused: ' || rest)
from unnest(array[
  $$'unheard_of', 'client', null$$,
  $$'signed', 'client', null$$,
  $$'refused', 'nobody', null$$,
  $$'refused', 'client', '{"a": 1.5}'$$
]) as rest;

select * from finish();
rollback;
