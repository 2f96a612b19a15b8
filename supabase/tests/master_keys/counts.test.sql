begin;
\ir ../people.psql
select plan(26);

-- Of these tests alone: the database is shared.
create function tests.counts() returns setof text language sql stable as $$
  select format('%s: %s %s %s', item ->> 'master_key_id', item ->> 'trading_keys', item ->> 'copies', item ->> 'own_keys')
  from jsonb_array_elements(public.count_envelopes() -> 'items') as item
  where item ->> 'master_key_id' like 'pgtap%' order by 1
$$;
create function tests.unopenable(variadic ids text[]) returns integer language sql stable
return public.count_unopenable_envelopes(ids);
create function tests.under(person text, address text, master_key_id text, chain text default 'evm') returns jsonb
language sql immutable
return tests.wallet(person, address, chain) || jsonb_build_object(
  'encrypted_key', tests.envelope(person, address, chain, master_key_id));
-- More than there were: other tests may have left theirs.
create table tests.before as
  select target, private.keys_to_rewrap(target) as keys from unnest(array['pgtap0', 'pgtap1', 'pgtap2', 'pgtap9']) as target;
create function tests.left_by(target text) returns integer language sql stable
return private.keys_to_rewrap(target) - (select keys from tests.before where before.target = left_by.target);
grant execute on all functions in schema tests to public;

select tests.act_as('anon');
select is(tests.refusal('select public.count_envelopes()'), '42501', 'who is not signed in counts nothing');
select tests.act_as('eve');
select is(tests.refusal('select public.count_envelopes()'), 'PT403 admin_required', 'nor does an account of nobody');
select tests.act_as('anna');
select is(tests.refusal('select public.count_envelopes()'), 'PT403 admin_required', 'nor a client');
select is(tests.refusal($$select tests.unopenable('pgtap1')$$), '42501', 'what is for readiness is for no session');
select is(tests.refusal('select * from private.rewrap_progress'), '42501', 'progress is for nobody');

select tests.setup_bot('anna', 'one', tests.under('anna', 'A', 'pgtap1'));
select tests.setup_bot('anna', 'two');
select tests.setup_bot('anna', 'three', tests.under('anna', 'Aown', 'pgtap2'));
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.under('boris', 'B', 'pgtap2'));
-- Exact numbers, also of one client alone, are in test/database/rewrap, with a database of their own.
select tests.act_as('anon');
select is(tests.unopenable('made up'), null, 'keys that sealed nothing: no number, if there are several clients');
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap1: 1 2 0', 'pgtap2: 1 1 1'],
  'trading keys, copies and own keys are counted, each under the master key that sealed it');
select tests.act_as('operator');
select results_eq(
  $$select item ->> 'master_key_id' from jsonb_array_elements(private.envelope_counts()) as item
    where item ->> 'master_key_id' like 'pgtap%'$$,
  array['pgtap1', 'pgtap2'], 'the operator counts them too');
select results_eq($$select bots.name, w.master_key_id from public.bot_wallets as w join public.bots on bots.id = w.bot_id
    where w.client_id = tests.client_id('anna') order by bots.name$$,
  $$values ('one', 'pgtap1'), ('three', 'pgtap2'), ('two', 'pgtap1')$$, 'each wallet knows its master key');

-- Keys and not envelopes, whichever way the ids of master keys sort.
select is(tests.left_by(target), keys, 'left for ' || target || ': ' || keys)
  from (values ('pgtap0', 3), ('pgtap1', 2), ('pgtap2', 1), ('pgtap9', 3)) as expected (target, keys);

-- A rewrap, a rotation and a revocation move what is counted.
select tests.act_as('anna');
select is(tests.refusal($$update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'pgtap3')$$),
  'PT403 edge_required', 'a session alone rewraps nothing');
select private.admit_edge('edge');
update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'pgtap3');
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap2: 1 1 1', 'pgtap3: 1 2 0'],
  'a rewrapped trading key takes its copies along and leaves the own key');
select tests.act_as('anna');
select public.rotate_key('edge', tests.client_id('anna'), 'A2', 'evm', tests.key_id('A2'),
  tests.envelope('anna', 'A2', 'evm', 'pgtap4'));
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap2: 1 1 0', 'pgtap4: 1 3 0'], 'a rotation takes all along');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap2: 1 1 0'], 'what was revoked is not counted');
select tests.act_as('operator');
select is((select count(*) from public.bot_wallets where master_key_id is null and client_id = tests.client_id('anna')),
  3::bigint, 'an empty wallet has no master key');

-- What readiness asks.
select tests.act_as('anon');
select tests.act_as('boris');
select tests.setup_bot('boris', 'b own', tests.under('boris', 'Bown', 'pgtap5'));
select tests.act_as('anon');
select isnt(tests.unopenable('pgtap5'), null, 'who names the key of a wallet''s own alone is told a number');
select is(tests.unopenable('pgtap5', 'pgtap2') < tests.unopenable('pgtap5'), true, 'which is less where another is named too');
select is(tests.refusal($$select public.count_unopenable_envelopes('{}')$$), 'PT422 validation_failed', 'no key named');
select is(tests.refusal($$select public.count_unopenable_envelopes(null)$$), 'PT422 validation_failed', 'not even a list');
select is(tests.refusal($$select public.count_unopenable_envelopes(array_fill('x'::text, array[101]))$$),
  'PT422 validation_failed', 'too many');

-- A trading key that no wallet holds a copy of.
select tests.act_as('anna');
select is(tests.refusal($$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id('anna'), 'A9', 'evm', tests.key_id('A9'), tests.envelope('anna', 'A9', 'evm', 'pgtap7'))$$),
  'PT403 edge_required', 'a session alone puts in no key');
select private.admit_edge('edge');
insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id('anna'), 'A9', 'evm', tests.key_id('A9'), tests.envelope('anna', 'A9', 'evm', 'pgtap7'));
select tests.act_as('operator');
delete from public.bot_wallets where client_id = tests.client_id('anna');
select is(tests.left_by(target), 3, 'a trading key alone is left too, for ' || target)
  from unnest(array['pgtap0', 'pgtap9']) as target;

select * from finish();
rollback;
