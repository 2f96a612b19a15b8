begin;
\ir ../people.psql
select plan(29);

select tests.act_as('anna');
select tests.setup_bot('anna', 'grid', tests.wallet('anna', 'A'));

select lives_ok(
  'select id, client_id, address, chain, key_id, version, master_key_id, created_at, rotated_at from public.trading_keys',
  'a client can read the description of its key');
select lives_ok('select count(*) from public.trading_keys', 'a client can count its keys');
select is(tests.refusal(statement), '42501', 'a client cannot read its envelope: ' || statement)
from unnest(array[
  'select encrypted_key from public.trading_keys',
  'select * from public.trading_keys',
  'select t from public.trading_keys as t',
  'select to_jsonb(t) from public.trading_keys as t',
  'select length(encrypted_key) from public.trading_keys',
  'select split_part(encrypted_key, ''.'', 1) from public.trading_keys',
  'select id from public.trading_keys where encrypted_key like ''e%''',
  'select id from public.trading_keys order by encrypted_key',
  'select count(encrypted_key) from public.trading_keys',
  'update public.trading_keys set chain = ''evm'' where encrypted_key <> ''''',
  'update public.trading_keys set address = encrypted_key',
  'update public.trading_keys set chain = ''evm'' returning *',
  'delete from public.trading_keys where encrypted_key <> ''''',
  'delete from public.trading_keys returning encrypted_key',
  'select encrypted_key from public.bot_wallets',
  'select * from public.bot_wallets',
  'select w from public.bot_wallets as w',
  'select id from public.bot_wallets where encrypted_key is not null'
]) as statement;

select is_empty(
  $$select * from pg_stats where schemaname = 'public' and attname = 'encrypted_key'$$,
  'the statistics of the planner do not show the envelope');

select is(tests.refusal(statement), '42501', 'a client cannot write columns that the database sets: ' || statement)
from unnest(array[
  'update public.trading_keys set version = 9',
  'update public.trading_keys set client_id = tests.client_id(''boris'')',
  'update public.trading_keys set created_at = now()',
  'update public.trading_keys set rotated_at = now()',
  'update public.trading_keys set master_key_id = default',
  'update public.bot_wallets set encrypted_key = null',
  'delete from public.bot_wallets',
  'truncate public.trading_keys'
]) as statement;

select * from finish();
rollback;
