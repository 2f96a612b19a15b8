begin;
\ir ../people.psql
select plan(19);

select tests.act_as('anna');
select is(tests.refusal($$select public.get_trading_key(tests.client_id('anna'))$$), 'PT404 trading_key_missing',
  'get_trading_key without a trading key -> 404');
select is(tests.refusal($$select tests.rotate('anna', 'A')$$), 'PT404 trading_key_missing', 'rotate_key without a trading key -> 404');
select is(tests.refusal($$select public.revoke_key(tests.client_id('anna'))$$), 'PT404 trading_key_missing',
  'revoke_key without a trading key -> 404');

select tests.setup_bot('anna', 'one', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'two', tests.wallet('anna', 'Aown'));
select ok(public.get_trading_key(tests.client_id('anna')) @> jsonb_build_object(
    'client_id', tests.client_id('anna'), 'address', 'A', 'chain', 'evm', 'key_id', tests.key_id('A'), 'version', 1,
    'master_key_id', 'first', 'age_seconds', 0),
  'a client can read the description of its key');
select set_eq($$select jsonb_object_keys(public.get_trading_key(tests.client_id('anna')))$$,
  array['client_id', 'address', 'chain', 'key_id', 'version', 'master_key_id', 'created_at', 'rotated_at',
  'age_seconds'],
  'get_trading_key returns neither the key nor its envelope');

select tests.act_as('ada');
select public.add_wallet('edge', tests.bot_id('two'), '{}');
select tests.act_as('anna');
select ok(tests.rotate('anna',
  'A2') @> '{"address": "A2", "version": 2, "wallets_updated": 2, "wallets_merged": 1, "bots_stopped": 0}',
  'a rotation returns its counts: two wallets updated, one merged');
select is(tests.wallets('anna'), array['one: A2 trading', 'two: A2 trading'], 'both wallets hold the new trading key');
select ok(tests.rotate('anna', 'S',
  'solana') @> '{"chain": "solana", "version": 3, "wallets_updated": 2, "bots_stopped": 2}',
  'a rotation to another chain family returns the number of stopped bots');
select is(tests.bots('anna'), array['one: stopped chain_mismatch', 'two: stopped chain_mismatch'], 'both bots are stopped');
select tests.rotate('anna', 'A3');
select is(tests.refusal($$select tests.rotate('boris', 'B')$$), 'PT404 resource_not_found',
  'rotate_key of another client -> 404');
select is(
  tests.refusal($$select public.rotate_key('edge', tests.client_id('anna'), 'A4', 'evm', tests.key_id('A4'), tests.envelope('boris', 'A4'))$$),
  'PT422 envelope_row_mismatch', 'a rotation with an envelope of another client -> 422');
select is(tests.trading_key('anna'), 'A3 version 4 under first', 'the rejected rotation did not change the key');

select public.start_bot(tests.bot_id('one'));
select ok(public.revoke_key(tests.client_id('anna')) @> '{"address": "A3", "bots_stopped": 1, "wallets_cleared": 2}',
  'a revocation returns the number of stopped bots and cleared wallets');
select is(tests.wallets('anna'), array['one: A3 empty', 'two: A3 empty'], 'both wallets are empty');
select is(tests.refusal($$select public.start_bot(tests.bot_id('one'))$$), 'PT409 bot_key_missing',
  'after a revocation, no bot can start');
select is(tests.refusal($$select public.revoke_key(tests.client_id('anna'))$$), 'PT404 trading_key_missing',
  'a second revocation -> 404');
select is(tests.refusal($$select tests.rotate('anna', 'A5')$$), 'PT404 trading_key_missing', 'a rotation after a revocation -> 404');

select tests.act_as('ada');
select public.add_wallet('edge', tests.bot_id('one'), tests.wallet('anna', 'A6'));
select is(tests.wallets('anna'), array['one: A6 trading', 'two: A6 trading'],
  'every empty wallet gets the next first key');
select is(public.revoke_key(tests.client_id('anna')) ->> 'address', 'A6', 'an admin can revoke for a client');

select * from finish();
rollback;
