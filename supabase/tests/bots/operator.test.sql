begin;
\ir ../people.psql
select plan(13);

-- If the operator's SQL removes the last key of a running bot, the bot stops.
select tests.act_as('anna');
select lives_ok($$select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'))$$, 'anna sets up a bot');
select lives_ok($$select tests.setup_bot('anna', 'second')$$, 'anna sets up a second bot');
select tests.act_as('operator');
delete from public.bot_wallets where bot_id = tests.bot_id('first');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'second: running'],
  'only the bot whose wallets are deleted stops');
update public.bot_wallets set bot_id = tests.bot_id('first') where bot_id = tests.bot_id('second');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'second: stopped key_revoked'],
  'a bot whose wallets are moved to another bot stops');
update public.bot_wallets set bot_id = tests.bot_id('second') where bot_id = tests.bot_id('first');
select is(tests.refusal($$update public.bots set status = 'running' where id = tests.bot_id('second')$$), 'allowed',
  'a bot that has its wallets again can be started');
update public.bot_wallets set key_id = null, encrypted_key = null where bot_id = tests.bot_id('second');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'second: stopped key_revoked'],
  'a bot whose wallets are emptied stops');
select is(tests.refusal('truncate public.bot_wallets'), 'PT405 append_only', 'TRUNCATE of bot_wallets -> 405');

select is(tests.refusal($$insert into public.bot_wallets (bot_id, client_id)
  values (tests.bot_id('first'), tests.client_id('anna'))$$), 'allowed', 'the operator adds a wallet with the trading key');
select is(tests.refusal($$update public.bots set status = 'running' where id = tests.bot_id('first')$$), 'allowed',
  'a bot that has a key again can be started');
select is(tests.refusal($$update public.bots set bot_type = 'solana-dca' where id = tests.bot_id('first')$$),
  'PT422 chain_mismatch', 'a running bot cannot change to a type of another chain family');

-- An address must not contain markup or control characters.
select is(tests.refusal($$select tests.replace_by('anna', '<script>')$$), 'PT422 envelope_row_mismatch',
  'an address with other characters than letters and digits -> 422');

-- As SECURITY.md advises, the operator revokes with the function, which takes the locks in order.
select is(tests.refusal($$select public.revoke_key(tests.client_id('anna'))$$), 'allowed', 'the operator can call revoke_key');
select is_empty($$select from public.trading_keys where client_id = tests.client_id('anna')
  union all select from public.bot_wallets where client_id = tests.client_id('anna') and encrypted_key is not null$$,
  'no key is left after the revocation');

select * from finish();
rollback;
