begin;
\ir ../people.psql
select plan(26);

-- Only the master keys of these tests, because other tests use the same database.
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
-- Only the increase is compared, because other tests may have left envelopes.
create table tests.before as
  select target, private.keys_to_rewrap(target) as keys from unnest(array['pgtap0', 'pgtap1', 'pgtap2', 'pgtap9']) as target;
create function tests.left_by(target text) returns integer language sql stable
return private.keys_to_rewrap(target) - (select keys from tests.before where before.target = left_by.target);
grant execute on all functions in schema tests to public;

select tests.act_as('anon');
select is(tests.refusal('select public.count_envelopes()'), '42501', 'a caller without a session cannot count envelopes');
select tests.act_as('eve');
select is(tests.refusal('select public.count_envelopes()'), 'PT403 admin_required', 'an account without a client cannot count envelopes');
select tests.act_as('anna');
select is(tests.refusal('select public.count_envelopes()'), 'PT403 admin_required', 'a client cannot count envelopes');
select is(tests.refusal($$select tests.unopenable('pgtap1')$$), '42501', 'a session cannot call count_unopenable_envelopes');
select is(tests.refusal('select * from private.rewrap_progress'), '42501', 'a session cannot read rewrap_progress');

select tests.setup_bot('anna', 'one', tests.under('anna', 'A', 'pgtap1'));
select tests.setup_bot('anna', 'two');
select tests.setup_bot('anna', 'three', tests.under('anna', 'Aown', 'pgtap2'));
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.under('boris', 'B', 'pgtap2'));
-- test/database/rewrap tests exact numbers, also with only one client, in its own database.
select tests.act_as('anon');
select is(tests.unopenable('made up'), null, 'count_unopenable_envelopes with unknown master keys returns null if there are several clients');
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap1: 1 2 0', 'pgtap2: 1 1 1'],
  'trading keys, copies and own keys are counted for the master key that sealed them');
select tests.act_as('operator');
select results_eq(
  $$select item ->> 'master_key_id' from jsonb_array_elements(private.envelope_counts()) as item
    where item ->> 'master_key_id' like 'pgtap%'$$,
  array['pgtap1', 'pgtap2'], 'the operator can count them too');
select results_eq($$select bots.name, w.master_key_id from public.bot_wallets as w join public.bots on bots.id = w.bot_id
    where w.client_id = tests.client_id('anna') order by bots.name$$,
  $$values ('one', 'pgtap1'), ('three', 'pgtap2'), ('two', 'pgtap1')$$, 'each wallet has the id of its master key');

-- The number of keys, not of envelopes, for every sort order of the ids of master keys.
select is(tests.left_by(target), keys, 'keys to rewrap for ' || target || ': ' || keys)
  from (values ('pgtap0', 3), ('pgtap1', 2), ('pgtap2', 1), ('pgtap9', 3)) as expected (target, keys);

-- The counts after a rewrap, a rotation and a revocation.
select tests.act_as('anna');
select is(tests.refusal($$update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'pgtap3')$$),
  'PT403 envelope_write_denied', 'a session without the edge token cannot rewrap a key');
select private.admit_edge('edge');
update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'pgtap3');
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap2: 1 1 1', 'pgtap3: 1 2 0'],
  'the rewrap of a trading key moves its copies too, but not the own key');
select tests.act_as('anna');
select public.rotate_key('edge', tests.client_id('anna'), 'A2', 'evm', tests.key_id('A2'),
  tests.envelope('anna', 'A2', 'evm', 'pgtap4'));
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap2: 1 1 0', 'pgtap4: 1 3 0'], 'a rotation replaces all envelopes');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select tests.act_as('ada');
select results_eq('select * from tests.counts()', array['pgtap2: 1 1 0'], 'revoked keys are not counted');
select tests.act_as('operator');
select is((select count(*) from public.bot_wallets where master_key_id is null and client_id = tests.client_id('anna')),
  3::bigint, 'an empty wallet has no master key');

-- The function for GET /ready.
select tests.act_as('anon');
select tests.act_as('boris');
select tests.setup_bot('boris', 'b own', tests.under('boris', 'Bown', 'pgtap5'));
select tests.act_as('anon');
select isnt(tests.unopenable('pgtap5'), null, 'count_unopenable_envelopes with only the master key of an own key returns a number');
select is(tests.unopenable('pgtap5', 'pgtap2') < tests.unopenable('pgtap5'), true, 'with a further master key, the number is smaller');
select is(tests.refusal($$select public.count_unopenable_envelopes('{}')$$), 'PT422 validation_failed', 'an empty list -> 422');
select is(tests.refusal($$select public.count_unopenable_envelopes(null)$$), 'PT422 validation_failed', 'null -> 422');
select is(tests.refusal($$select public.count_unopenable_envelopes(array_fill('x'::text, array[101]))$$),
  'PT422 validation_failed', 'a list of 101 master keys -> 422');

-- A trading key without a copy in a wallet.
select tests.act_as('anna');
select is(tests.refusal($$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id('anna'), 'A9', 'evm', tests.key_id('A9'), tests.envelope('anna', 'A9', 'evm', 'pgtap7'))$$),
  'PT403 envelope_write_denied', 'a session without the edge token cannot store a key');
select private.admit_edge('edge');
insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id('anna'), 'A9', 'evm', tests.key_id('A9'), tests.envelope('anna', 'A9', 'evm', 'pgtap7'));
select tests.act_as('operator');
delete from public.bot_wallets where client_id = tests.client_id('anna');
select is(tests.left_by(target), 3, 'a trading key without copies is counted for ' || target)
  from unnest(array['pgtap0', 'pgtap9']) as target;

select * from finish();
rollback;
