-- A signature is a sign of life, as a heartbeat is.
begin;
\ir ../people.psql
\ir monitor.psql
select plan(25);

create function tests.check_out(bot text, kind text default 'evm.message') returns text language sql
return tests.refusal(format('select public.check_out_key(''edge'', ''anna'', %L, %L)', tests.bot_id(bot),
  jsonb_build_object('kind', kind, 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest'))));
create function tests.signed(bot text, ago interval) returns void language sql security definer
begin atomic
  insert into private.queued_key_events (client_id, event, bot_id, address, chain, actor, created_at)
    select client_id, 'key_released', id, 'A', 'evm', 'runner', date_trunc('milliseconds', now() - ago)
    from public.bots where id = tests.bot_id(bot);
end;
create function tests.last_signature(bot text) returns text language sql stable
return public.get_bot_health(tests.bot_id(bot), 10) ->> 'last_signature_at';
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', bot) from unnest(array[
  'signs', 'signed once', 'signed before', 'just started', 'fails and signs', 'failed and signs', 'beats', 'silent', 'denied']) as bot;
select public.issue_token(tests.bot_id('hers'), array[tests.bot_id('denied')], 'runner', tests.hash('anna'), null);
select public.set_policy(tests.bot_id('denied'), '{"kinds": ["evm.transaction"]}');
select tests.started(bot, '1 hour') from unnest(array[
  'hers', 'signs', 'signed once', 'signed before', 'fails and signs', 'failed and signs', 'beats', 'silent', 'denied']) as bot;

-- Signatures and heartbeats.
select tests.signed('signs', '130 seconds'), tests.signed('signs', '10 seconds');
select tests.signed('signed once', '130 seconds'), tests.signed('signed before', '2 hours');
select tests.signed('fails and signs', '5 seconds'), tests.beat('fails and signs', 'failing', '10 seconds', 'no gas');
select tests.signed('failed and signs', '5 seconds'), tests.beat('failed and signs', 'failing', '130 seconds', 'no gas');
select tests.signed('beats', '140 seconds'), tests.beat('beats', 'ok', '130 seconds');
select is(tests.health('silent'), 'missing for 3480 s', 'a bot without a heartbeat or a signature is missing, also if other bots sign');
select is(tests.health('signs'), 'healthy for 10 s', 'a bot that signed 10 seconds ago is healthy without a heartbeat');
select is(tests.health('signed once'),
  format('late for 10 s {"signature_at": "%s"}', private.rfc3339(now() - interval '130 seconds')),
  'a bot that signed 130 seconds ago is late, since 2 minutes after the signature');
select is(tests.health('signed before'), 'missing for 3480 s', 'a bot that signed only before its start is missing');
select is(tests.health('just started'), 'starting for 0 s', 'a bot that was just started and has not signed is starting');
select is(tests.health('fails and signs'), 'failing for 10 s {"message": "no gas"}', 'a bot that signs and whose runner reports failing is failing');
select is(tests.health('failed and signs'), 'healthy for 5 s', 'an old report of failing does not count for a bot that signs');
select is(tests.health('beats'), format('late for 10 s {"heartbeat_at": "%s", "signature_at": "%s"}',
    private.rfc3339(now() - interval '130 seconds'), private.rfc3339(now() - interval '140 seconds')),
  'the newer of the last heartbeat and the last signature counts');
select is(tests.last_signature('signs'), private.rfc3339(now() - interval '10 seconds'), 'the page shows the time of the last signature');
select is(tests.last_signature('signed before'), private.rfc3339(now() - interval '2 hours'), 'the page shows a signature before the start');
select is(tests.last_signature('silent'), null, 'the page of a bot that never signed shows null');

-- A real signature, and a rejected request.
select is(tests.health('hers'), 'missing for 3480 s', 'before its first signature the bot is missing');
select tests.act_as('anon');
select is(tests.check_out('hers'), 'allowed', 'the bot signs');
select is(tests.check_out('denied'), 'PT403 policy_kind_denied', 'another request to sign is rejected by the policy');
select tests.act_as('anna');
select is(tests.health('hers'), 'healthy for 0 s', 'after its first signature the bot is healthy');
select is(tests.last_signature('hers'), private.rfc3339(now()), 'the page shows the signature');
select is(tests.health('denied'), 'missing for 3480 s', 'a rejected request is not a sign of life');

-- The event of a signature counts in the queue and in the chain.
select tests.act_as('operator');
select ok(private.chain_key_events(tests.client_id('anna'), 1000, true) > 0, 'the queued events are moved into the chain');
select tests.act_as('anna');
select is(tests.health('signs'), 'healthy for 10 s', 'a signature in the chain counts');
select is(tests.last_signature('signed before'), private.rfc3339(now() - interval '2 hours'), 'the page shows a signature in the chain');
select tests.act_as('operator');
select tests.signed('signed once', '1 second');
select is(tests.health('signed once'), 'healthy for 1 s', 'a queued signature is newer than those in the chain');
select tests.monitor();
select is((tests.changes('signs'))[1], 'healthy', 'the monitor writes the same state');

-- Who can read the queue.
select tests.act_as('boris');
select is(tests.rows_of('select bot_id from private.queued_key_events where event = ''key_released'''), 0::bigint, 'a client cannot see queued signatures of another client');
select is(tests.refusal('select detail from private.queued_key_events'), '42501', 'a session cannot read what was signed');
select tests.act_as('anna');
select is(tests.rows_of('select bot_id from private.queued_key_events where event = ''key_released'''), 1::bigint, 'a client sees its own queued signatures');

select * from finish();
rollback;
