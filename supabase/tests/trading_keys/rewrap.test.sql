begin;
\ir ../people.psql
select plan(9);

select tests.act_as('anna');
select tests.setup_bot('anna', 'dca', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'grid', tests.wallet('anna', 'Aown'));
select tests.act_as('operator');
update public.trading_keys set rotated_at = '2026-01-01' where address = 'A';

select tests.act_as('anna');
select is(tests.refusal($$update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'second')$$),
  'PT403 envelope_write_denied', 'a session without the edge token cannot rewrap a key');
select private.admit_edge('edge');
update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'second');
select is(tests.trading_key('anna'), 'A version 1 under second', 'a rewrap keeps the version');
select is(tests.wallets('anna'), array['dca: A trading', 'grid: Aown own'],
  'a rewrap updates the copies and does not change own keys');
select is((select rotated_at from public.trading_keys), '2026-01-01'::timestamptz, 'a rewrap does not change rotated_at');
select is(tests.bots('anna'), array['dca: running', 'grid: running'], 'a rewrap stops no bot');
select is((select key_version from public.clients), 1, 'a rewrap does not use a version number');

-- One statement for all clients, as a job runs it after a change of the master key.
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select tests.act_as('operator');
update public.trading_keys as t
  set encrypted_key = tests.envelope(c.name, t.address, t.chain, 'third')
  from public.clients as c where c.id = t.client_id and c.email like '%@pgtap.test';
select is(array[tests.trading_key('anna'), tests.trading_key('boris')],
  array['A version 1 under third', 'B version 1 under third'], 'many keys are rewrapped in one statement');
select is(tests.wallets('boris'), array['b: B trading'], 'the copies are rewrapped too');
select is((tests.events('boris'))[3], 'key_rewrapped B 1 by operator', 'each rewrapped key has an event');

select * from finish();
rollback;
