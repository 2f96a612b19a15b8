begin;
\ir ../people.psql
select plan(33);

create function tests.keys(bot jsonb) returns text[] language sql immutable
return (
  select coalesce(array_agg(concat_ws(' ', wallet ->> 'address', wallet ->> 'key_source') order by wallet ->> 'address'),
  '{}')
  from jsonb_array_elements(bot -> 'wallets') as wallet);
grant execute on all functions in schema tests to public;

-- The admin's flow.
select tests.act_as('ada');
select is(tests.keys(tests.create_bot('anna', 'first')), '{}',
  'a bot without wallets, before there is a trading key');
select is(tests.keys(tests.create_bot('anna', 'second',
  jsonb_build_array(tests.wallet('anna', 'A'), tests.wallet('anna', 'Aown')))),
  array['A trading', 'Aown own'], 'the first key is the trading key, another is the wallet''s own');
select is(tests.trading_key('anna'), 'A version 1 under first', 'and it stays');
select is(tests.keys(tests.create_bot('anna', 'third')), array['A trading'],
  'without wallets a bot copies the trading key');
select is(tests.keys(tests.create_bot('anna', 'fourth', jsonb_build_array(tests.wallet('anna', 'A')))),
  array['A trading'],
  'the same key is the same');
select is(tests.keys(tests.create_bot('anna', 'fifth', jsonb_build_array(tests.wallet('anna', 'A2')))),
  array['A2 own'],
  'another key is its own');
select is(tests.bots('anna'), array['fifth: stopped created', 'first: stopped created', 'fourth: stopped created',
  'second: stopped created', 'third: stopped created'], 'a bot that is created does not run');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('anna', 'N'), tests.wallet('anna', 'N')))$$),
  'PT409 wallet_exists', 'a bot has a wallet once');
select is(tests.refusal($$select tests.create_bot('anna', 'x', '[]', 'no-such-bot')$$), 'PT422 bot_type_unknown',
  'a bot is of a known type');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('anna', 'S', 'solana')))$$),
  'PT422 chain_mismatch', 'and takes keys of its chain family');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('anna', 'A')), 'solana-grid')$$),
  'PT422 chain_mismatch', 'whatever it is');
select is(tests.refusal($$select tests.create_bot('anna', 'x', '[]', 'solana-grid')$$), 'PT422 chain_mismatch',
  'a trading key of another one is not copied');
select is(tests.refusal($$select tests.create_bot('anna', 'x', jsonb_build_array(tests.wallet('boris', 'B')))$$),
  'PT422 envelope_not_bound', 'an envelope for another client is refused');

select ok(
  public.add_wallet('edge', tests.bot_id('first'), '{}') @> jsonb_build_object('address', 'A', 'key_source', 'trading',
  'client_id', tests.client_id('anna')),
  'a wallet without a key copies the trading key');
select is(public.add_wallet('edge', tests.bot_id('first'), tests.wallet('anna', 'A3')) ->> 'key_source', 'own',
  'one with another key has its own');
select is(tests.refusal($$select public.add_wallet('edge', tests.bot_id('first'), '{}')$$), 'PT409 wallet_exists',
  'the same twice is refused');
select is(tests.refusal($$select public.add_wallet('edge', tests.bot_id('first'), '{"address": "Z"}')$$),
  'PT422 address_mismatch',
  'an address without a key is the trading key''s');

-- The client's own flow.
select tests.act_as('boris');
select is(tests.refusal($$select tests.setup_bot('boris', 'b')$$), 'PT409 private_key_required',
  'the first set-up needs a key');
select is(tests.bots('boris'), '{}', 'and leaves nothing without one');
select is(tests.refusal($$select tests.setup_bot('boris', 'b', tests.wallet('boris', 'S', 'solana'))$$),
  'PT422 chain_mismatch',
  'of the bot''s chain family');
select is(tests.trading_key('boris'), null, 'and leaves no key otherwise');
select ok(tests.setup_bot('boris', 'b',
  tests.wallet('boris', 'B')) @> '{"status": "running", "stop_reason": null, "bot_type": "evm-grid"}',
  'a bot that is set up runs');
select is(tests.keys(tests.setup_bot('boris', 'b2')), array['B trading'], 'the next takes the trading key');
select is(tests.keys(tests.setup_bot('boris', 'b3', tests.wallet('boris', 'Bown'))), array['Bown own'],
  'or a key of its own');
select is(tests.trading_key('boris'), 'B version 1 under first', 'which does not displace the trading key');
select is(tests.refusal($$select tests.setup_bot('boris', 'x', '{}', 'solana-grid')$$), 'PT422 chain_mismatch',
  'a bot of another chain family does not start with it');
select is(array_length(tests.bots('boris'), 1), 3, 'and is not left behind');

select is(public.stop_bot(tests.bot_id('b')) ->> 'stop_reason', 'requested', 'a client stops its bot');
select is(public.start_bot(tests.bot_id('b')) ->> 'status', 'running', 'and starts it');
select is(public.get_bot(tests.bot_id('b')) -> 'wallets' -> 0 ->> 'key_source', 'trading', 'and looks at it');
select is(jsonb_array_length(public.list_bots(tests.client_id('boris'), 10) -> 'items'), 3, 'and at all of them');
select is(
  public.list_bots(tests.client_id('boris'), 2,
  (public.list_bots(tests.client_id('boris'), 2) ->> 'next_cursor')::uuid) -> 'next_cursor',
  'null', 'page by page');
select is_empty($$select 1 where concat(public.get_bot(tests.bot_id('b')), public.list_bots(tests.client_id('boris'), 10))
  ~ 'encrypted|eyJ'$$, 'and no answer holds an envelope');

select * from finish();
rollback;
