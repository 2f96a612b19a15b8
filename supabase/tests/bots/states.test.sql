begin;
\ir ../people.psql
select plan(41);

create function tests.set_status(bot text, status text) returns void language sql
begin atomic
  update public.bots set status = set_status.status where id = tests.bot_id(bot);
end;
grant execute on all functions in schema tests to public;

select tests.act_as('ada');
select tests.create_bot('anna', 'grid');
select tests.create_bot('anna', 'sol', '[]', 'solana-grid');
select tests.act_as('boris');
select tests.setup_bot('boris', 'boris''s', tests.wallet('boris', 'B'));
select is(tests.bots('boris'), array['boris''s: running'], 'a bot from setup_bot is running');

select tests.act_as('anna');
select is(tests.bots('anna'), array['grid: stopped created', 'sol: stopped created'], 'a new bot is stopped');
select is(tests.refusal($$select tests.set_status('grid', 'running')$$), 'PT409 bot_key_missing',
  'a bot without a wallet cannot run');
select is(tests.refusal($$select public.start_bot(tests.bot_id('grid'))$$), 'PT409 bot_key_missing', 'start_bot of a bot without a wallet -> 409');
select tests.act_as('ada');
select public.add_wallet('edge', tests.bot_id('grid'), tests.wallet('anna', 'A'));
select tests.act_as('anna');
select is(tests.refusal($$select tests.set_status('grid', 'running')$$), 'allowed', 'a bot with a key can be started');
select isnt((select started_at from public.bots where name = 'grid'), null, 'from a time on');
select is((select stopped_at from public.bots where name = 'grid'), null, 'a bot at its first start has no stopped_at');
select is(tests.refusal($$select tests.set_status('grid', 'running')$$), 'allowed', 'starting a running bot is allowed');
select is(tests.refusal($$select tests.set_status('grid', 'stopped')$$), 'allowed', 'a running bot can be stopped');
select is(tests.bots('anna'), array['grid: stopped requested', 'sol: stopped created'], 'a stop by request has this reason');
select isnt((select stopped_at from public.bots where name = 'grid'), null, 'at a time');
select is(tests.refusal($$select tests.set_status('grid', 'stopped')$$), 'allowed', 'stopping a stopped bot is allowed');
select is(tests.refusal($$select tests.set_status('sol', 'stopped')$$), 'allowed', 'stopping a new bot is allowed');
select is((tests.bots('anna'))[2], 'sol: stopped created', 'a new bot that is stopped keeps its reason');
select is(tests.refusal($$select tests.set_status('grid', 'paused')$$), '23514', 'a status other than running and stopped is rejected');

select is(tests.refusal(statement), '42501', 'a client cannot: ' || statement)
from unnest(array[
  'update public.bots set stop_reason = null',
  'update public.bots set stop_reason = ''key_revoked''',
  'update public.bots set started_at = now()',
  'update public.bots set bot_type = ''solana-grid''',
  'update public.bots set client_id = tests.client_id(''boris'')',
  'insert into public.bots (client_id, bot_type, name, status) values (tests.client_id(''anna''), ''evm-dca'', ''x'', ''running'')',
  'delete from public.bots'
]) as statement;
select is(tests.rows_of($$update public.bots set status = 'stopped' where name = 'boris''s'$$), 0::bigint,
  'a client cannot stop a bot of another client');
select is(
  tests.refusal($$insert into public.bots (client_id, bot_type, name) values (tests.client_id('boris'), 'evm-dca', 'x')$$),
  '42501', 'a client cannot create a bot for another client');
select is(tests.refusal($$update public.bot_types set enabled = false$$), '42501',
  'a client cannot change a bot type');

-- Chain families.
select tests.act_as('operator');
insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
  values (tests.bot_id('sol'), tests.client_id('anna'), 'S', 'solana', tests.key_id('S'),
  tests.envelope('anna', 'S', 'solana'));
select tests.act_as('anna');
select tests.set_status('sol', 'running');
select tests.set_status('grid', 'running');
select is(tests.refusal($$select tests.rotate('anna', 'S2', 'solana')$$), 'allowed',
  'a rotation to a key of another chain family is allowed');
select is(tests.bots('anna'), array['grid: stopped chain_mismatch', 'sol: running'],
  'the rotation stops the bots of the old chain family');
select is(tests.refusal($$select tests.set_status('grid', 'running')$$), 'PT422 chain_mismatch',
  'a bot of the old chain family cannot run with the new key');
select is(tests.refusal($$select tests.rotate('anna', 'A2')$$), 'allowed', 'a rotation back to the old chain family is allowed');
select is(tests.refusal($$select tests.set_status('grid', 'running')$$), 'allowed', 'after that, the bots of this chain family can run again');

-- The same rules apply to the owner of the tables.
select tests.act_as('operator');
select is(tests.refusal($$update public.bots set stop_reason = null where name = 'sol'$$), '23514',
  'a stopped bot without a reason is rejected');
select is(tests.refusal($$insert into public.bots (client_id, bot_type, name, status, stop_reason, started_at)
    values (tests.client_id('anna'), 'evm-dca', 'x', 'running', null, now())$$), 'PT409 bot_key_missing',
  'a new bot cannot be inserted as running');
delete from public.trading_keys where client_id = tests.client_id('anna');
select is(tests.refusal($$select tests.set_status('grid', 'running')$$), 'PT409 bot_key_missing',
  'a bot whose wallet is empty cannot run');

-- A revocation stops every bot and clears every wallet in one statement with a time limit. So their number is limited.
select tests.act_as('operator');
insert into public.bots (client_id, bot_type, name)
  select tests.client_id('boris'), 'evm-grid', 'many ' || number from generate_series(1, 998) as number;
create function tests.bots_more(person text, count integer) returns text language sql
return tests.refusal(format($$insert into public.bots (client_id, bot_type, name)
  select %L, 'evm-grid', 'more' from generate_series(1, %s)$$, tests.client_id(person), count));
grant execute on all functions in schema tests to public;
select tests.act_as('boris');
select is(tests.bots_more('boris', 2), 'PT409 bot_limit_reached', 'a 1001st bot in one statement -> 409');
select is(tests.bots_more('boris', 1), 'allowed', 'a client can have 1000 bots');
select is(tests.bots_more('boris', 1), 'PT409 bot_limit_reached', 'one more bot -> 409');
select is(tests.refusal($$select tests.setup_bot('boris', 'another', '{}')$$), 'PT409 bot_limit_reached', 'setup_bot beyond the limit -> 409');
select tests.act_as('ada');
select is(tests.refusal($$select tests.create_bot('boris', 'another')$$), 'PT409 bot_limit_reached', 'create_bot by an admin beyond the limit -> 409');
select tests.act_as('anna');
select is(tests.bots_more('boris', 1), '42501', 'another client does not learn that the limit is reached');
select tests.act_as('operator');
select is(tests.bots_more('boris', 1), 'allowed', 'the limit does not apply to the operator');
alter table public.bot_wallets disable trigger before_insert;
insert into public.bot_wallets (bot_id, client_id, address, chain)
  select bots.id, bots.client_id, 'Empty' || number, 'evm' from public.bots cross join generate_series(1, 10) as number
  where bots.client_id = tests.client_id('boris');
alter table public.bot_wallets enable trigger before_insert;
select tests.act_as('boris');
select is(tests.refusal(format($$insert into public.bot_wallets (bot_id, client_id, address, chain)
    values (%L, %L, 'B', 'evm')$$, tests.bot_id('many 1'), tests.client_id('boris'))),
  'PT409 wallet_limit_reached', 'a wallet beyond 10000 of a client -> 409');

select * from finish();
rollback;
