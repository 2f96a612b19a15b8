begin;
\ir ../people.psql
select plan(33);

create function tests.keys(bot jsonb) returns text[] language sql immutable
return (
  select coalesce(array_agg(concat_ws(' ', wallet ->> 'address', wallet ->> 'key_source') order by wallet ->> 'address'),
  '{}')
  from jsonb_array_elements(bot -> 'wallets') as wallet);
grant execute on all functions in schema tests to public;

-- The flow of the admin (Option 1).
select tests.act_as('ada');
select is(tests.keys(tests.create_bot('anna', 'first')), '{}',
  'a new bot of a client without a trading key has no wallets');
select is(tests.keys(tests.create_bot('anna', 'second',
  jsonb_build_array(tests.wallet('anna', 'A'), tests.wallet('anna', 'Aown')))),
  array['A trading', 'Aown own'], 'the first key becomes the trading key, and a further key is an own key');
select is(tests.trading_key('anna'), 'A version 1 under first', 'the first key is stored as the trading key');
select is(tests.keys(tests.create_bot('anna', 'third')), array['A trading'],
  'a new bot without wallets gets a copy of the trading key');
select is(tests.keys(tests.create_bot('anna', 'fourth', jsonb_build_array(tests.wallet('anna', 'A')))),
  array['A trading'],
  'a wallet with the trading key is a copy of it');
select is(tests.keys(tests.create_bot('anna', 'fifth', jsonb_build_array(tests.wallet('anna', 'A2')))),
  array['A2 own'],
  'a wallet with another key has an own key');
select is(tests.bots('anna'), array['fifth: stopped created', 'first: stopped created', 'fourth: stopped created',
  'second: stopped created', 'third: stopped created'], 'a bot from create_bot is stopped');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('anna', 'N'), tests.wallet('anna', 'N')))$$),
  'PT409 wallet_exists', 'the same wallet twice -> 409');
select is(tests.refusal($$select tests.create_bot('anna', 'x', '[]', 'no-such-bot')$$), 'PT422 bot_type_unknown',
  'an unknown bot type -> 422');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('anna', 'S', 'solana')))$$),
  'PT422 chain_mismatch', 'a first key of another chain family -> 422');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('anna', 'A')), 'solana-grid')$$),
  'PT422 chain_mismatch', 'the trading key for a bot of another chain family -> 422');
select is(tests.refusal($$select tests.create_bot('anna', 'x', '[]', 'solana-grid')$$), 'PT422 chain_mismatch',
  'a bot without wallets of another chain family than the trading key -> 422');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('boris', 'B')))$$),
  'PT422 envelope_row_mismatch', 'an envelope of another client -> 422');

select ok(
  public.add_wallet('edge', tests.bot_id('first'), '{}') @> jsonb_build_object('address', 'A', 'key_source', 'trading',
  'client_id', tests.client_id('anna')),
  'a wallet without a key gets a copy of the trading key');
select is(public.add_wallet('edge', tests.bot_id('first'), tests.wallet('anna', 'A3')) ->> 'key_source', 'own',
  'a wallet with another key has an own key');
select is(tests.refusal($$select public.add_wallet('edge', tests.bot_id('first'), '{}')$$), 'PT409 wallet_exists',
  'the same wallet twice -> 409');
select is(tests.refusal($$select public.add_wallet('edge', tests.bot_id('first'), '{"address": "Z"}')$$),
  'PT422 address_mismatch',
  'an address without a key that is not the trading key''s -> 422');

-- The flow of the client (Option 2).
select tests.act_as('boris');
select is(tests.refusal($$select tests.setup_bot('boris', 'b')$$), 'PT409 private_key_required',
  'setup_bot without a key, for a client without a trading key -> 409');
select is(tests.bots('boris'), '{}', 'the rejected setup_bot stores no bot');
select is(tests.refusal($$select tests.setup_bot('boris', 'b', tests.wallet('boris', 'S', 'solana'))$$),
  'PT422 chain_mismatch',
  'setup_bot with a key of another chain family -> 422');
select is(tests.trading_key('boris'), null, 'the rejected setup_bot stores no key');
select ok(tests.setup_bot('boris', 'b',
  tests.wallet('boris', 'B')) @> '{"status": "running", "stop_reason": null, "bot_type": "evm-grid"}',
  'a bot from setup_bot is running');
select is(tests.keys(tests.setup_bot('boris', 'b2')), array['B trading'], 'setup_bot without a key uses the trading key');
select is(tests.keys(tests.setup_bot('boris', 'b3', tests.wallet('boris', 'Bown'))), array['Bown own'],
  'setup_bot with another key uses an own key');
select is(tests.trading_key('boris'), 'B version 1 under first', 'an own key does not replace the trading key');
select is(tests.refusal($$select tests.setup_bot('boris', 'x', '{}', 'solana-grid')$$), 'PT422 chain_mismatch',
  'setup_bot with a type of another chain family than the trading key -> 422');
select is(array_length(tests.bots('boris'), 1), 3, 'the rejected setup_bot stored no bot');

select is(public.stop_bot(tests.bot_id('b')) ->> 'stop_reason', 'requested', 'a client can stop its bot');
select is(public.start_bot(tests.bot_id('b')) ->> 'status', 'running', 'a client can start its bot');
select is(public.get_bot(tests.bot_id('b')) -> 'wallets' -> 0 ->> 'key_source', 'trading', 'a client can read its bot');
select is(jsonb_array_length(public.list_bots(tests.client_id('boris'), 10) -> 'items'), 3, 'a client can list its bots');
select is(
  public.list_bots(tests.client_id('boris'), 2,
  (public.list_bots(tests.client_id('boris'), 2) ->> 'next_cursor')::uuid) -> 'next_cursor',
  'null', 'the last page of the list has no next_cursor');
select is_empty($$select 1 where concat(public.get_bot(tests.bot_id('b')), public.list_bots(tests.client_id('boris'), 10))
  ~ 'encrypted|eyJ'$$, 'no response contains an envelope');

select * from finish();
rollback;
