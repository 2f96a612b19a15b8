-- A statement of a session takes the shared gate of its client. A session that sets trading_keys.gate itself, the setting by
-- which lock_gate marks the exclusive gate, still takes a lock of the gate.
begin;
\ir ../people.psql
select plan(7);

create function tests.gate_of(person text) returns text language sql security definer as $$
  select string_agg(locks.mode, ' ' order by locks.mode) from pg_locks as locks
  where locks.locktype = 'advisory' and locks.pid = pg_backend_pid()
    and (locks.classid::bigint << 32 | locks.objid::bigint) = private.lock_of_gate(tests.client_id(person)) $$;
create function tests.mark(person text) returns text language sql as $$
  select set_config('trading_keys.gate', tests.client_id(person)::text, true) $$;
grant execute on all functions in schema tests to public;
insert into public.bots (client_id, bot_type, name)
  select tests.client_id(person), 'evm-grid', person from unnest(array['anna', 'boris']) as person;

select is(tests.gate_of('anna'), null, 'nothing has locked the gate');
savepoint before_statement;
select tests.act_as('anna');
update public.bots set status = 'stopped' where client_id = tests.client_id('anna');
select is(tests.gate_of('anna'), 'ShareLock', 'a statement of a client takes the shared gate');
rollback to before_statement;
select tests.act_as('anna'), tests.mark('anna');
update public.bots set status = 'stopped' where client_id = tests.client_id('anna');
select is(tests.gate_of('anna'), 'ExclusiveLock', 'with the mark of a client that has no gate, the statement takes the gate');
rollback to before_statement;

select tests.act_as('ada');
update public.bots set status = 'stopped' where client_id = tests.client_id('boris');
select is(tests.gate_of('boris'), 'ShareLock', 'a statement of an admin takes the shared gate of the row');
rollback to before_statement;
select tests.act_as('ada'), tests.mark('boris');
update public.bots set status = 'stopped' where client_id = tests.client_id('boris');
select is(tests.gate_of('boris'), 'ExclusiveLock', 'with the mark of an admin that has no gate, the statement takes the gate');
rollback to before_statement;

select tests.act_as('anna');
select public.stop_bot(id) from public.bots where client_id = tests.client_id('anna');
select is(tests.gate_of('anna'), 'ExclusiveLock', 'a stop has the exclusive gate, and its statements need no other lock of it');
select is(tests.gate_of('boris'), null, 'and locks the gate of no other client');

select * from finish();
rollback;
