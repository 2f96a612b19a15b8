-- The events of bots, tokens and policies.
begin;
\ir ../people.psql
select plan(25);

create function tests.chain_of(person text) returns setof text language plpgsql security definer as $$
begin
  perform private.chain_key_events(tests.client_id(person), 1000, true);
  return query select concat_ws(' ', event, 'by', actor) from public.key_events
    where client_id = tests.client_id(person) order by seq;
end $$;
create function tests.last(person text) returns public.key_events language sql stable security definer
return (
  select key_events from public.key_events where client_id = tests.client_id(person) order by seq desc limit 1);
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));
select results_eq($$select tests.chain_of('anna')$$,
  array['client_created by operator', 'bot_created by client', 'key_added by client', 'wallet_added by client',
    'bot_started by client'],
  'setup_bot records four events: the bot, the key, the wallet and the start');
select is((tests.last('anna')).bot_id, tests.bot_id('a'), 'the last event names the bot');
select results_eq($$select bot_id, detail from public.key_events where event = 'bot_created' and client_id = tests.client_id('anna')$$,
  $$values (tests.bot_id('a'), '{"bot_type": "evm-grid"}'::jsonb)$$, 'bot_created has the type of the bot');

select tests.act_as('ada');
select public.stop_bot(tests.bot_id('a'));
select public.stop_bot(tests.bot_id('a'));
select results_eq($$select tests.chain_of('anna') offset 5$$, array['bot_stopped by admin'], 'stopping a bot twice records one event');
select is((tests.last('anna')).detail, '{"reason": "requested"}', 'bot_stopped has the reason');

select tests.act_as('anna');
select public.start_bot(tests.bot_id('a'));
select public.set_policy(tests.bot_id('a'), '{"chain_ids": ["1"], "max_value": "1000000000000000000000000"}');
select is((select array_agg(chain) from tests.chain_of('anna') as chain offset 0)[8], 'policy_set by client', 'setting a policy records one event');
select is((tests.last('anna')).detail, '{"chain_ids": ["1"], "max_value": "1000000000000000000000000"}', 'policy_set has the new policy');
update public.bot_policies set
  recipients = array_fill(repeat('x', 64), array[100]), chain_ids = array_fill(repeat('1', 78), array[100]),
  kinds = array_fill('solana.transaction'::text, array[100])
  where bot_id = tests.bot_id('a');
select tests.chain_of('anna');
select matches((tests.last('anna')).detail ->> 'policy_sha256', '^[0-9a-f]{64}$',
  'if the policy is longer than an event may be, the event has its SHA-256');

create temporary table issued as
select (public.issue_token(tests.bot_id('a'), '{}', 'secret name', tests.hash('runner'), '2099-01-01') ->> 'id')::uuid as id;
grant select on issued to public;
select tests.chain_of('anna');
select is((tests.last('anna')).detail,
  (select jsonb_build_object('token_id', id, 'bot_ids', jsonb_build_array(tests.bot_id('a')), 'expires_at', '2099-01-01T00:00:00.000Z') from issued),
  'token_issued has the bots and the expiry, but neither the name nor the hash');
select is((tests.last('anna')).bot_id, tests.bot_id('a'), 'token_issued for one bot names the bot');

select tests.act_as('anon');
select public.list_runner_bots('runner');
select tests.act_as('operator');
update public.machine_tokens set last_used_at = now() - interval '2 minutes' where id = (select id from issued);
select tests.act_as('anon');
select public.list_runner_bots('runner');
select results_eq($$select tests.chain_of('anna') offset 10$$, array['token_first_used by runner'], 'only the first use of a token is an event');

select tests.act_as('anna');
select public.revoke_token(id) from issued;
select results_eq($$select tests.chain_of('anna') offset 11$$, array['token_revoked by client'], 'revoking a token records one event');
select is((tests.last('anna')).detail ->> 'token_id', (select id::text from issued), 'token_revoked names the token');

-- A revocation stops bots. Each stop is an event before the event of the revocation.
select public.revoke_key(tests.client_id('anna'));
select results_eq($$select tests.chain_of('anna') offset 12$$, array['bot_stopped by client', 'key_revoked by client'],
  'a revocation records the stops of the bots and then itself');

-- A token for bots of two clients, issued by an admin, is in both chains.
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select tests.act_as('ada');
select public.issue_token(tests.bot_id('a'), array[tests.bot_id('b')], 'x', tests.hash('both'));
select tests.chain_of('anna');
select tests.chain_of('boris');
select is((tests.last('anna')).detail -> 'bot_ids', jsonb_build_array(tests.bot_id('a')), 'the chain of the first client has the token, with its own bot only');
select is((tests.last('boris')).detail -> 'bot_ids', jsonb_build_array(tests.bot_id('b')), 'the chain of the second client has the token, with its own bot only');

-- A token can sign for any number of bots. If its event could not be written, the token could neither be used nor revoked.
-- A session can give a token at most 100 bots. The operator's SQL has no limit.
select tests.act_as('boris');
create temporary table big as
select (public.issue_token(tests.bot_id('b'), '{}', 'x', tests.hash('big')) ->> 'id')::uuid as id;
grant select on big to public;
select tests.act_as('operator');
insert into public.bots (client_id, bot_type, name)
  select tests.client_id('boris'), 'evm-grid', 'many ' || number from generate_series(1, 500) as number;
delete from private.event_counts where client_id = tests.client_id('boris');
insert into public.machine_token_bots (token_id, bot_id, client_id)
  select big.id, bots.id, bots.client_id from public.bots, big where bots.name like 'many %';
select tests.chain_of('boris');
select is((tests.last('boris')).detail - 'bots_sha256',
  (select jsonb_build_object('token_id', id, 'bots', 500, 'expires_at', null) from big),
  'if there are too many bots for an event, the event has their number');
select is((tests.last('boris')).detail ->> 'bots_sha256', (
    select encode(sha256(convert_to(string_agg(bots.id::text, ',' order by bots.id), 'UTF8')), 'hex')
    from public.bots where bots.name like 'many %'), 'if there are too many bots for an event, the event has the SHA-256 of their ids');
select tests.act_as('anon');
select is(tests.refusal($$select public.list_runner_bots('big')$$), 'allowed', 'a token with too many bots for an event can be used');
select tests.act_as('boris');
select is(tests.refusal($$select public.revoke_token(id) from big$$), 'allowed', 'a token with too many bots for an event can be revoked');
-- The first use and the end of this token are in both chains too.
select tests.act_as('anon');
select public.list_runner_bots('both');
select tests.chain_of('anna');
select tests.chain_of('boris');
select is(array[(tests.last('anna')).event, (tests.last('boris')).event],
  array['token_first_used', 'token_first_used'], 'the first use of the token is in both chains');
select tests.act_as('operator');
delete from public.machine_tokens where token_hash = sha256('both');
select tests.chain_of('anna');
select tests.chain_of('boris');
select is(array[(tests.last('anna')).event, (tests.last('boris')).event],
  array['token_revoked', 'token_revoked'], 'the end of the token is in both chains');

-- A token for several bots of one client.
select tests.act_as('boris');
select tests.setup_bot('boris', 'b2');
select public.issue_token(tests.bot_id('b'), array[tests.bot_id('b2')], 'x', tests.hash('several'));
select tests.chain_of('boris');
select is((tests.last('boris')).event, 'token_issued', 'a token for several bots of a client is one event');
select is(jsonb_array_length((tests.last('boris')).detail -> 'bot_ids'), 2, 'the event lists all bots');
select is((tests.last('boris')).bot_id, null, 'the event has no bot_id');

select * from finish();
rollback;
