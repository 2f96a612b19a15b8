begin;
\ir ../people.psql
select plan(23);

create function tests.check_out(token text, bot text) returns text language sql
return tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L)', token, tests.bot_id(bot),
  jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest'))));
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'theirs', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));

-- A client can only use its own tokens and bots.
select is(tests.refusal($$select public.issue_token(tests.bot_id('hers'), '{}', 'runner', tests.hash('anna'), null)$$),
  'allowed', 'a client issues a token for its bot');
select is(tests.refusal($$select public.issue_token(tests.bot_id('theirs'), '{}', 'x', tests.hash('x'), null)$$),
  'PT404 resource_not_found', 'a client cannot issue a token for a bot of another client');
select is(tests.refusal($$select public.issue_token(tests.bot_id('hers'), array[tests.bot_id('theirs')], 'x', tests.hash('x'), null)$$),
  'PT404 resource_not_found', 'a client cannot issue a token for its own bot and a bot of another client');
select is(tests.refusal('select token_hash from public.machine_tokens'), '42501', 'a session cannot read the hash of a token');
select is(tests.refusal($$insert into public.machine_token_bots (token_id, bot_id, client_id)
    select id, tests.bot_id('theirs'), tests.client_id('boris') from public.machine_tokens$$),
  'PT404 resource_not_found', 'a client cannot add a bot of another client to its token');
select is(tests.refusal($$insert into public.machine_token_bots (token_id, bot_id, client_id)
    select id, tests.bot_id('theirs'), tests.client_id('anna') from public.machine_tokens$$),
  '23503', 'a client cannot add a bot of another client with its own client_id');
select is(tests.refusal($$update public.machine_tokens set name = 'x'$$), '42501', 'a session cannot change a token');
select tests.act_as('boris');
select is(tests.rows_of('select id from public.machine_tokens'), 0::bigint, 'another client sees no token');
select is(tests.rows_of('delete from public.machine_tokens'), 0::bigint, 'another client cannot end the token');
select is(tests.refusal($$insert into public.bot_policies (bot_id, client_id)
    values (tests.bot_id('hers'), tests.client_id('anna'))$$), '42501', 'another client cannot set the policy');

-- The envelope is only returned for a valid token of a running bot.
select tests.act_as('anon');
select is(tests.check_out('anna', 'hers'), 'allowed', 'a token can check out the key of its bot');
select is(tests.check_out('anna', 'theirs'), 'PT404 resource_not_found', 'a token cannot check out the key of another bot');
select is(tests.check_out('nobody''s', 'hers'), 'PT401 token_invalid', 'an unknown token -> 401');
select tests.act_as('anna');
select is(tests.check_out('anna', 'hers'), '42501', 'a session cannot check out a key, not even of its own bot');
select tests.act_as('anon');
select is(tests.refusal(format('select public.check_out_key(''edge'', upper(%L), %L, %L)', 'anna',
    tests.bot_id('hers'), '{}')), 'PT401 token_invalid', 'a token in upper case -> 401');
select tests.act_as('anon');
select is(tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L)', 'anna', tests.bot_id('hers'),
    jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', repeat('x', 500000)))),
  'PT422 validation_failed', 'a malformed claim, sent directly to the REST API -> 422');
select is(tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L)', 'anna', tests.bot_id('hers'),
    jsonb_build_object('kind', 'evm.message', 'value', '-5', 'recipients', '[]'::jsonb, 'digest', tests.hash('x')))),
  'PT422 validation_failed', 'a negative value -> 422');
select tests.act_as('operator');
update public.machine_tokens set expires_at = now() where client_id = tests.client_id('anna');
select tests.act_as('anon');
select is(tests.check_out('anna', 'hers'), 'PT401 token_invalid', 'an expired token -> 401');
select tests.act_as('operator');
update public.machine_tokens set expires_at = null where client_id = tests.client_id('anna');
select tests.act_as('anna');
select public.stop_bot(tests.bot_id('hers'));
select tests.act_as('anon');
select is(tests.check_out('anna', 'hers'), 'PT409 bot_not_running', 'the key of a stopped bot -> 409');
select tests.act_as('anna');
select public.start_bot(tests.bot_id('hers'));
select public.set_policy(tests.bot_id('hers'), '{"kinds": ["evm.transaction"]}');
select tests.act_as('anon');
select is(tests.check_out('anna', 'hers'), 'PT403 policy_kind_denied', 'a kind that the policy forbids -> 403');
select tests.act_as('anna');
select public.set_policy(tests.bot_id('hers'), '{}');
select is(tests.rows_of('delete from public.machine_tokens'), 1::bigint, 'a client can delete its token directly in the table');
select tests.act_as('anon');
select is(tests.check_out('anna', 'hers'), 'PT401 token_invalid', 'a deleted token -> 401');

select tests.act_as('operator');
select is((select count(*) from private.every_key_event
    where event = 'key_released' and actor = 'runner' and client_id = tests.client_id('anna')), 1::bigint,
  'each check-out is an event, and a rejected request is not');

select * from finish();
rollback;
