begin;
\ir ../people.psql
select plan(13);

-- A running bot has a key, whatever the operator's SQL does to its wallets.
select tests.act_as('anna');
select lives_ok($$select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'))$$, 'anna sets up a bot');
select lives_ok($$select tests.setup_bot('anna', 'second')$$, 'and another');
select tests.act_as('operator');
delete from public.bot_wallets where bot_id = tests.bot_id('first');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'second: running'],
  'a bot whose wallets are deleted stops, and no other');
update public.bot_wallets set bot_id = tests.bot_id('first') where bot_id = tests.bot_id('second');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'second: stopped key_revoked'],
  'so does one whose wallets are moved to another');
update public.bot_wallets set bot_id = tests.bot_id('second') where bot_id = tests.bot_id('first');
select is(tests.refusal($$update public.bots set status = 'running' where id = tests.bot_id('second')$$), 'allowed',
  'with its wallets it runs again');
update public.bot_wallets set key_id = null, encrypted_key = null where bot_id = tests.bot_id('second');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'second: stopped key_revoked'],
  'so does one whose wallets are emptied');
select is(tests.refusal('truncate public.bot_wallets'), 'PT405 append_only', 'wallets are never truncated');

select is(tests.refusal($$insert into public.bot_wallets (bot_id, client_id)
  values (tests.bot_id('first'), tests.client_id('anna'))$$), 'allowed', 'with a key again');
select is(tests.refusal($$update public.bots set status = 'running' where id = tests.bot_id('first')$$), 'allowed',
  'a bot runs again');
select is(tests.refusal($$update public.bots set bot_type = 'solana-dca' where id = tests.bot_id('first')$$),
  'PT422 chain_mismatch', 'and stays of its chain family while it runs');

-- Text that a page or a terminal would take for more than a name is no address.
select is(tests.refusal($$select tests.replace_by('anna', '<script>')$$), 'PT422 envelope_not_bound',
  'an address is letters and digits');

-- As SECURITY.md advises: in the queue of all who change keys.
select is(tests.refusal($$select public.revoke_key(tests.client_id('anna'))$$), 'allowed', 'the operator revokes as others do');
select is_empty($$select from public.trading_keys where client_id = tests.client_id('anna')
  union all select from public.bot_wallets where client_id = tests.client_id('anna') and encrypted_key is not null$$,
  'and nothing is left');

select * from finish();
rollback;
