begin;
\ir ../people.psql
select plan(26);

create function tests.add_directly(person text, bot text, address text, envelope text, key_id uuid default null)
returns void language sql
begin atomic
  insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
  values (tests.bot_id(bot), tests.client_id(person), address, 'evm', key_id, envelope);
end;
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'boris''s bot', tests.wallet('boris', 'B'));
select tests.act_as('ada');
select tests.create_bot('anna', 'idle');
select tests.act_as('anna');
insert into public.bots (client_id, bot_type, name, config) values (tests.client_id('anna'), 'evm-grid', 'second',
  '{}');
select results_eq('select name from public.bots order by name', array['idle', 'second'],
  'a client sees its own bots only');

select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', null)$$), 'PT409 private_key_required',
  'without a trading key there is nothing to copy');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', tests.envelope('anna', 'A'), tests.key_id('A'))$$),
  'PT403 edge_required', 'a session alone stores no envelope');
select private.admit_edge('edge');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', tests.envelope('anna', 'A'), tests.key_id('A'))$$),
  'PT409 private_key_required', 'and no key of one''s own');
select tests.put_in('anna', 'A');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', null)$$), 'allowed',
  'a wallet copies the trading key');
select is(tests.wallets('anna'), array['idle: A trading'], 'envelope and all');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', null)$$), 'PT409 wallet_exists',
  'once for each bot');
select is(tests.refusal($$select tests.add_directly('anna', 'second', 'B', null)$$), 'PT422 address_mismatch',
  'a copy has the trading key''s address');
select is(
  tests.refusal($$select tests.add_directly('anna', 'second', 'A', tests.envelope('anna', 'X'), tests.key_id('X'))$$),
  'PT403 edge_required', 'an envelope needs the edge token, also where the database would not store it');
select is(
  tests.refusal($$select tests.add_directly('anna', 'idle', 'A2', tests.envelope('anna', 'A2'), tests.key_id('A2'))$$),
  'PT403 edge_required', 'a wallet''s own key needs the edge token');
select private.admit_edge('edge');
select is(
  tests.refusal($$select tests.add_directly('anna', 'second', 'A', tests.envelope('anna', 'X'), tests.key_id('X'))$$),
  'allowed', 'whatever is sent with the trading key''s address');
select is(tests.wallets('anna'), array['idle: A trading', 'second: A trading'], 'becomes the trading key');
select is(
  tests.refusal($$select tests.add_directly('anna', 'idle', 'A2', tests.envelope('anna', 'A2'), tests.key_id('A2'))$$),
  'allowed', 'another address has a key of its own');
select is(tests.wallets('anna'), array['idle: A trading', 'idle: A2 own', 'second: A trading'],
  'beside the trading key');
select is(
  tests.refusal($$select tests.add_directly('anna', 'idle', 'A3', tests.envelope('boris', 'A3'), tests.key_id('A3'))$$),
  'PT422 envelope_not_bound', 'its envelope names its own row');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A3',
    tests.envelope_of(tests.header('anna', 'A3') || jsonb_build_object('jti', tests.key_id('A'))),
    tests.key_id('A'))$$),
  'PT422 envelope_not_bound', 'and a key of its own has an id of its own');

-- Another client: whatever is tried, the answer is that of a client that does not exist.
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B', null)$$), 'PT404 resource_not_found',
  'a client does not add to another''s bot');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'X', null)$$), 'PT404 resource_not_found',
  'and does not learn the other''s address by trying');
select is(tests.refusal($$select tests.add_directly('nobody', 'boris''s bot', 'B', null)$$), 'PT404 resource_not_found',
  'an absent client answers the same');
select is(tests.refusal($$select tests.add_directly('anna', 'boris''s bot', 'A', null)$$), 'PT404 resource_not_found',
  'nor does it hang its own wallet on another''s bot');
select is(tests.rows_of($$select id from public.bot_wallets where client_id = tests.client_id('boris')$$),
  0::bigint,
  'a client sees no other''s wallets');

select tests.act_as('ada');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B2', tests.envelope('boris', 'B2'), tests.key_id('B2'))$$),
  'PT403 edge_required', 'an admin alone stores no envelope either');
select private.admit_edge('edge');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B2', tests.envelope('boris', 'B2'), tests.key_id('B2'))$$),
  'allowed', 'an admin adds a wallet to any bot');
select is(tests.refusal($$select tests.add_directly('anna', 'boris''s bot', 'A', null)$$), 'PT404 resource_not_found',
  'but none that mixes two clients');
select tests.act_as('eve');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B', null)$$), 'PT404 resource_not_found',
  'an account without a client adds nothing');
select tests.act_as('anon');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B', null)$$), '42501',
  'nor does who is not signed in');

select * from finish();
rollback;
