begin;
\ir ../people.psql
\ir monitor.psql
select plan(29);

-- States of bots with new keys.
select tests.act_as('anna');
select tests.setup_bot('anna', 'starting', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', bot) from unnest(array[
  'healthy', 'late', 'missing', 'missing again', 'degraded', 'failing', 'late and failing', 'stopped', 'keyless']) as bot;
select tests.started(bot, '1 hour') from unnest(array[
  'healthy', 'late', 'missing', 'degraded', 'failing', 'late and failing', 'keyless']) as bot;
select tests.started('missing again', '121 seconds');
select tests.started('starting', '119 seconds');
select tests.beat('starting', 'ok', '1 day');
select tests.beat('missing again', 'ok', '122 seconds');
select tests.beat('healthy', 'ok', '119 seconds');
select tests.beat('late', 'ok', '130 seconds');
select tests.beat('degraded', 'degraded', '10 seconds', 'slow');
select tests.beat('failing', 'failing', '10 seconds');
select tests.beat('late and failing', 'failing', '10 minutes');
select tests.beat('stopped', 'failing', '10 seconds');
select tests.beat('keyless', 'ok', '10 seconds');
select public.stop_bot(tests.bot_id('stopped'));

select is(tests.health('starting'), 'starting for 119 s', 'a bot that was just started is starting, and heartbeats before the start do not count');
select is(tests.health('healthy'), 'healthy for 119 s', 'a bot with a heartbeat 119 seconds ago is healthy');
select is(tests.health('late'),
  format('late for 10 s {"heartbeat_at": "%s"}', private.rfc3339(now() - interval '130 seconds')),
  'a bot with a heartbeat 130 seconds ago is late, since 2 minutes after the heartbeat');
select is(tests.health('missing'), 'missing for 3480 s', 'a bot without a heartbeat is missing, since 2 minutes after the start');
select is(tests.health('missing again'), 'missing for 1 s', 'a bot with a heartbeat only before the start is missing');
select is(tests.health('degraded'), 'degraded for 10 s {"message": "slow"}', 'a bot whose runner reports degraded is degraded');
select is(tests.health('failing'), 'failing for 10 s', 'a bot whose runner reports failing is failing');
select is(split_part(tests.health('late and failing'), ' ', 1), 'late', 'an old report of failing does not count');
select is(tests.health('stopped'), 'stopped for 0 s {"reason": "requested"}', 'a stopped bot is stopped, whatever its runner reports');

-- Old keys: only of the wallets of the bot itself.
select tests.act_as('boris');
select tests.setup_bot('boris', 'old', tests.wallet('boris', 'B'));
select tests.act_as('operator');
select tests.act_as('ada');
select tests.create_bot('boris', 'own', jsonb_build_array(tests.wallet('boris', 'B2')));
select tests.create_bot('boris', 'both', jsonb_build_array(tests.wallet('boris', 'B3'), '{}'));
select public.start_bot(tests.bot_id(bot)), tests.started(bot, '1 hour'), tests.beat(bot, 'ok', '10 seconds')
  from unnest(array['own', 'both']) as bot;
select tests.started('old', '1 hour'), tests.beat('old', 'ok', '10 seconds');
select is(tests.health(bot), 'healthy for 10 s', 'with new keys: ' || bot) from unnest(array['old', 'own', 'both']) as bot;

select tests.act_as('operator');
alter table public.trading_keys disable trigger user;
update public.trading_keys set rotated_at = now() - interval '90 days 20 seconds' where client_id = tests.client_id('boris');
alter table public.trading_keys enable trigger user;
update public.bot_wallets set created_at = now() - interval '89 days' where bot_id = tests.bot_id('own');
select tests.act_as('boris');
select is(tests.health('old'), 'key_old for 20 s {"addresses": ["B"]}', 'a trading key older than 90 days is old, since it reached 90 days');
select is(tests.health('own'), 'healthy for 10 s', 'a bot with only an own key of 89 days is healthy');
select is(tests.health('both'), 'key_old for 20 s {"addresses": ["B"]}', 'a bot with the old trading key and an own key has an old key');
select tests.act_as('operator');
update public.bot_wallets set created_at = now() - interval '91 days' where address in ('B2', 'B');
select tests.act_as('boris');
select is(split_part(tests.health('own'), '{', 2), '"addresses": ["B2"]}', 'an own key is as old as its wallet');
select is(tests.health('both'), 'key_old for 20 s {"addresses": ["B"]}', 'a trading key is not as old as its wallet');
select tests.beat('old', 'degraded', '10 seconds');
select is(tests.health('old'), 'degraded for 10 s', 'a report of the runner is graver than an old key');
select tests.rotate('boris', 'B9');
select is(tests.health('own'), 'healthy for 10 s', 'after a rotation, a bot with an own key is healthy');
select is(tests.health('both'), 'healthy for 10 s', 'after a rotation, a bot with the trading key is healthy');

-- Only the owner and admins can see the page.
select tests.act_as('anna');
select is(tests.refusal($$select public.get_bot_health(tests.bot_id('old'), 10)$$), 'PT404 resource_not_found', 'the health of another client''s bot -> 404');
select is(tests.rows_of($$select from public.bot_health_logs where client_id <> tests.client_id('anna')$$), 0::bigint, 'a client cannot see health logs of another client');
select tests.act_as('ada');
select is(tests.health('old'), 'degraded for 10 s', 'an admin sees the health of every bot');
select tests.act_as('anna');
select is(tests.refusal(statement), '42501', 'a session cannot: ' || statement) from unnest(array[
  'select checked_up_to from private.monitor_state', 'update private.monitor_state set round_ended_at = now() where only_row',
  'update private.monitor_settings set heartbeat_limit = ''1 day'' where only_row', 'delete from private.monitor_settings where only_row'
]) as statement;

-- A case that the triggers prevent. The monitor detects it anyway.
select tests.act_as('operator');
alter table public.bot_wallets disable trigger user;
delete from public.bot_wallets where bot_id = tests.bot_id('keyless');
alter table public.bot_wallets enable trigger user;
select tests.act_as('anna');
select is((tests.bots('anna'))[array_position(tests.bots('anna'), 'keyless: running')], 'keyless: running', 'a running bot without a key');
select is(split_part(tests.health('keyless'), ' ', 1), 'keyless', 'a running bot without a key is keyless');

select * from finish();
rollback;
