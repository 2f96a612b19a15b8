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
  'a client sees only its own bots');

select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', null)$$), 'PT409 private_key_required',
  'a wallet without a key, for a client without a trading key -> 409');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', tests.envelope('anna', 'A'), tests.key_id('A'))$$),
  'PT403 envelope_write_denied', 'a session without the edge token cannot store an envelope');
select private.admit_edge('edge');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', tests.envelope('anna', 'A'), tests.key_id('A'))$$),
  'PT409 private_key_required', 'an own key for a client without a trading key -> 409');
select tests.put_in('anna', 'A');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', null)$$), 'allowed',
  'a wallet copies the trading key');
select is(tests.wallets('anna'), array['idle: A trading'], 'the copy has the same envelope');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A', null)$$), 'PT409 wallet_exists',
  'a bot cannot have two copies of the trading key');
select is(tests.refusal($$select tests.add_directly('anna', 'second', 'B', null)$$), 'PT422 address_mismatch',
  'a copy of the trading key with another address -> 422');
select is(
  tests.refusal($$select tests.add_directly('anna', 'second', 'A', tests.envelope('anna', 'X'), tests.key_id('X'))$$),
  'PT403 envelope_write_denied', 'an envelope needs the edge token, even if the database would not store it');
select is(
  tests.refusal($$select tests.add_directly('anna', 'idle', 'A2', tests.envelope('anna', 'A2'), tests.key_id('A2'))$$),
  'PT403 envelope_write_denied', 'an own key needs the edge token');
select private.admit_edge('edge');
select is(
  tests.refusal($$select tests.add_directly('anna', 'second', 'A', tests.envelope('anna', 'X'), tests.key_id('X'))$$),
  'allowed', 'a key with the address of the trading key is accepted');
select is(tests.wallets('anna'), array['idle: A trading', 'second: A trading'], 'a key with the address of the trading key becomes a copy of it');
select is(
  tests.refusal($$select tests.add_directly('anna', 'idle', 'A2', tests.envelope('anna', 'A2'), tests.key_id('A2'))$$),
  'allowed', 'a key with another address is accepted');
select is(tests.wallets('anna'), array['idle: A trading', 'idle: A2 own', 'second: A trading'],
  'a key with another address becomes an own key of the wallet');
select is(
  tests.refusal($$select tests.add_directly('anna', 'idle', 'A3', tests.envelope('boris', 'A3'), tests.key_id('A3'))$$),
  'PT422 envelope_row_mismatch', 'an own key with an envelope of another row -> 422');
select is(tests.refusal($$select tests.add_directly('anna', 'idle', 'A3',
    tests.envelope_of(tests.header('anna', 'A3') || jsonb_build_object('jti', tests.key_id('A'))),
    tests.key_id('A'))$$),
  'PT422 envelope_row_mismatch', 'an own key with the key id of another key -> 422');

-- For every request about another client, the response is the same as for a client that does not exist.
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B', null)$$), 'PT404 resource_not_found',
  'a wallet for a bot of another client -> 404');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'X', null)$$), 'PT404 resource_not_found',
  'a wallet with a guessed address of another client -> 404');
select is(tests.refusal($$select tests.add_directly('nobody', 'boris''s bot', 'B', null)$$), 'PT404 resource_not_found',
  'a wallet for a client that does not exist -> 404');
select is(tests.refusal($$select tests.add_directly('anna', 'boris''s bot', 'A', null)$$), 'PT404 resource_not_found',
  'a wallet of the caller for a bot of another client -> 404');
select is(tests.rows_of($$select id from public.bot_wallets where client_id = tests.client_id('boris')$$),
  0::bigint,
  'a client cannot see wallets of another client');

select tests.act_as('ada');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B2', tests.envelope('boris', 'B2'), tests.key_id('B2'))$$),
  'PT403 envelope_write_denied', 'an admin without the edge token cannot store an envelope');
select private.admit_edge('edge');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B2', tests.envelope('boris', 'B2'), tests.key_id('B2'))$$),
  'allowed', 'an admin adds a wallet to any bot');
select is(tests.refusal($$select tests.add_directly('anna', 'boris''s bot', 'A', null)$$), 'PT404 resource_not_found',
  'an admin cannot add a wallet of one client to a bot of another');
select tests.act_as('eve');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B', null)$$), 'PT404 resource_not_found',
  'an account without a client cannot add a wallet');
select tests.act_as('anon');
select is(tests.refusal($$select tests.add_directly('boris', 'boris''s bot', 'B', null)$$), '42501',
  'a caller without a session cannot add a wallet');

select * from finish();
rollback;
