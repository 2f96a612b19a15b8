begin;
\ir ../people.psql
\ir once.psql
select plan(50);

create function tests.claim(value text default '60', more jsonb default '{}') returns jsonb language sql immutable
return jsonb_build_object('kind', 'evm.transaction', 'chain_id', '1', 'value', value, 'recipients', jsonb '["R"]',
  'digest', tests.hash('digest')) || more;
create function tests.check_out(
  name text, claim jsonb default tests.claim(), bot text default 'hers', token text default 'anna',
  body text default 'a body', wallet text default null)
returns text language plpgsql as $$
begin
  perform tests.act_as('anon');
  return tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L, %L, tests.once(%L, %L))',
    token, tests.bot_id(bot), claim, wallet, name, body));
end $$;
create function tests.checked_out(name text, claim jsonb default tests.claim()) returns jsonb language plpgsql as $$
begin
  perform tests.act_as('anon');
  return public.check_out_key('edge', 'anna', tests.bot_id('hers'), claim, null, tests.once(name)) - 'encrypted_key';
end $$;
comment on function tests.checked_out(text, jsonb) is 'The response of check_out_key, without the envelope.';
create function tests.reserved(bot text default 'hers') returns numeric language sql stable security definer
return (select coalesce(sum(value), 0) from public.value_reservations where bot_id = tests.bot_id(bot));
create function tests.signed() returns text[] language sql stable security definer
return (
  select coalesce(array_agg(coalesce(detail ->> 'replayed', 'first') order by id), '{}')
  from private.every_key_event where event = 'key_released' and client_id = tests.client_id('anna'));
create function tests.policy(policy jsonb, bot text default 'hers') returns void language plpgsql as $$
begin
  perform tests.act_as('anna');
  perform public.set_policy(tests.bot_id(bot), policy);
end $$;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'other');
select public.issue_token(tests.bot_id('hers'), array[tests.bot_id('other')], 'one', tests.hash('anna'), null);
select public.issue_token(tests.bot_id('hers'), '{}', 'two', tests.hash('second'), null);
select tests.policy('{"max_value_24h": "100"}');
select tests.policy('{"max_value_24h": "100"}', 'other');

-- The value is reserved only once.
select ok(tests.checked_out('k1') @> '{"address": "A", "replayed": false}', 'a first request is not replayed');
select ok(tests.checked_out('k1') @> '{"address": "A", "replayed": true}', 'a repeated request is replayed');
select is(tests.check_out('k1'), 'allowed', 'a request can be repeated any number of times');
select is(tests.reserved(), 60::numeric, 'the value of a repeated request is reserved once');
select is(tests.signed(), array['first', 'true', 'true'], 'each time is an event, which has whether it was replayed');
select is(tests.check_out('k2'), 'PT403 policy_value_24h_exceeded', 'another request beyond the limit -> 403');
select is(tests.kept('k2'), null, 'a rejected request stores nothing');
select is(tests.check_out('k2', tests.claim('40')), 'allowed', 'the key of a rejected request can be used again');
select is(tests.reserved(), 100::numeric, 'requests can reserve up to the limit');
select is(tests.check_out('k1'), 'allowed', 'a repeated request is signed when the limit is reached');

-- The stored response contains no secret.
select tests.act_as('operator');
select is(array(select jsonb_object_keys(tests.kept('k1') -> 0) order by 1), array['claim', 'key_id', 'reserved', 'wallet_id'],
  'the stored response has only the claim, the key id, the wallet id and whether the value is reserved');
select is(tests.kept('k1')::text ~ 'eyJ', false, 'the stored response has no envelope');

-- The claim must be the same as in the first request, also with the same fingerprint.
select is(tests.check_out('k1', body => 'another'), 'PT422 idempotency_key_reused', 'another body -> 422');
select is(tests.check_out('k1', claim), 'PT422 idempotency_key_reused', 'another claim -> 422: ' || what)
from (values
  ('its value', tests.claim('61')), ('a smaller value', tests.claim('1')),
  ('its digest', tests.claim('60', jsonb_build_object('digest', tests.hash('x')))),
  ('its recipients', tests.claim('60', '{"recipients": ["S"]}')),
  ('its chain', tests.claim('60', '{"chain_id": "2"}')),
  ('its kind', tests.claim('60', '{"kind": "evm.message"}')),
  ('a member more', tests.claim('60', '{"signers": ["A"]}'))) as claims (what, claim);
select is(tests.check_out('k1', bot => 'other'), 'PT422 idempotency_key_reused',
  'another bot with the same key -> 422');
select is(tests.reserved('other'), 0::numeric, 'the rejected request reserved nothing for the other bot');
select is(tests.check_out('k1', wallet => 'A'), 'PT422 idempotency_key_reused', 'the same wallet named in another way -> 422');
select is(tests.check_out('k1', token => 'second'), 'PT403 policy_value_24h_exceeded', 'another token has its own keys');

-- The edge fills in fields of a transaction. The first ones are stored under the key.
select tests.act_as('operator');
create function tests.filled(nonce text, name text default 'filled') returns jsonb language plpgsql as $$
begin
  perform tests.act_as('anon');
  return public.check_out_key('edge', 'anna', tests.bot_id('hers'),
    tests.claim('0', jsonb_build_object('digest', tests.hash(nonce))), null,
    tests.once(name) || jsonb_build_object('filled', jsonb_build_object('nonce', nonce)));
end $$;
grant execute on all functions in schema tests to public;
select ok(tests.filled('1') @> '{"address": "A", "replayed": false}', 'the first request with filled fields gets the key');
select is(tests.filled('2'), '{"replayed": true, "filled": {"nonce": "1"}}',
  'a repeated request with other filled fields gets those of the first, and no envelope');
select tests.act_as('operator');
select is((select count(*) from private.every_key_event where detail ->> 'digest' = tests.hash('2')), 0::bigint,
  'the other fields are in no event, because no key was released for them');
select ok(tests.filled('1') @> '{"address": "A", "replayed": true}', 'with the first fields it gets the key again');
select is(tests.check_out('filled', tests.claim('0', jsonb_build_object('digest', tests.hash('2')))),
  'PT422 idempotency_key_reused', 'another claim without filled fields -> 422');
select tests.act_as('operator');
select is(tests.kept('filled') -> 0 -> 'filled', '{"nonce": "1"}', 'the stored response has the first fields');

-- The policy is checked again.
select tests.policy('{"max_value_24h": "100", "max_value": "59"}');
select is(tests.check_out('k1'), 'PT403 policy_value_exceeded', 'a value limit that is now lower rejects a repeated request');
select tests.policy('{"max_value_24h": "99"}');
select is(tests.check_out('k1'), 'PT403 policy_value_24h_exceeded', 'the 24-hour limit applies too');
select tests.policy('{"recipients": ["S"]}');
select is(tests.check_out('k1'), 'PT403 policy_recipient_denied', 'every other rule that has changed rejects a repeated request');
select tests.policy('{}');
select is(tests.check_out('k3'), 'allowed', 'without a 24-hour limit nothing is reserved');
select is(tests.reserved(), 100::numeric, 'no value is reserved without this limit');
select tests.policy('{"max_value_24h": "160"}');
select is(tests.check_out('k3'), 'allowed', 'the same request is allowed after the limit was set');
select is(tests.reserved(), 160::numeric, 'a repeated request reserves its value after the limit was set');
select is(tests.check_out('k3'), 'allowed', 'the request can be repeated again');
select is(tests.reserved(), 160::numeric, 'the value is not reserved again');
select tests.policy('{}');

-- Bot, token and key are checked again.
select tests.act_as('anna');
select public.stop_bot(tests.bot_id('hers'));
select is(tests.check_out('k1'), 'PT409 bot_not_running', 'a repeated request for a stopped bot -> 409');
select tests.act_as('anna');
select public.start_bot(tests.bot_id('hers'));
select is(tests.check_out('k1'), 'allowed', 'a repeated request for a bot that was started again is signed');
select tests.act_as('anna');
select tests.rotate('anna', 'A2');
select is(tests.check_out('k1'), 'PT409 wallet_key_changed', 'a repeated request after a rotation -> 409');
select is(tests.check_out('k4'), 'allowed', 'after a rotation, a new idempotency key is needed');
-- A token that also signs for another client stays valid after the revocation.
select tests.act_as('boris');
select tests.setup_bot('boris', 'his', tests.wallet('boris', 'B'));
select tests.act_as('operator');
insert into public.machine_token_bots (token_id, bot_id, client_id)
  select id, tests.bot_id('his'), tests.client_id('boris') from public.machine_tokens where token_hash = sha256('second');
select is(tests.check_out('k5', token => 'second'), 'allowed', 'a token that signs for two clients can sign');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select is(tests.check_out('k5', token => 'second'), 'PT404 resource_not_found', 'a repeated request after a revocation -> 404');
select is(tests.check_out('k4'), 'PT401 token_invalid', 'a repeated request with a token that has ended -> 401');

-- Heartbeats.
select tests.act_as('boris');
select public.issue_token(tests.bot_id('his'), '{}', 'one', tests.hash('boris'), null);
select tests.act_as('anon');
select is(public.record_heartbeat('boris', tests.bot_id('his'), 'ok', once => tests.once('h')) ? 'replayed',
  false, 'a heartbeat is recorded');
select public.record_heartbeat('boris', tests.bot_id('his'), 'failing');
select ok(public.record_heartbeat('boris', tests.bot_id('his'), 'ok', once => tests.once('h')) ? 'replayed',
  'a repeated heartbeat is replayed');
select tests.act_as('operator');
select is((select status from public.bot_heartbeats where bot_id = tests.bot_id('his')), 'failing',
  'a repeated heartbeat does not overwrite a newer one');
select is(tests.refusal(format($$select public.record_heartbeat(%L, %L, 'ok', once => tests.once('h', 'another'))$$,
  'boris', tests.bot_id('his'))), 'PT422 idempotency_key_reused', 'another heartbeat with the same key -> 422');

select * from finish();
rollback;
