-- The chain of the deployment has the events that belong to no client. Only admins can read it.
begin;
\ir ../people.psql
select plan(33);

create function tests.page(size integer default 100, after bigint default null, oldest_first boolean default false, event text default null)
returns jsonb language sql
return public.list_deployment_events(size, after, oldest_first, event);
grant execute on all functions in schema tests to public;
insert into public.machine_tokens (scope, name, token_hash) values ('monitor', 'monitor', sha256('monitor'));
set constraints all immediate;
set constraints all deferred;
insert into public.bot_types (id, name, description, chain) values ('pgtap', 'A type', 'It trades.', 'evm');
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.act_as('operator');
update private.settings set max_sign_in_age_seconds = 600 where only_row;
update private.monitor_settings set heartbeat_limit = '3 minutes' where only_row;

select tests.act_as('eve');
select private.chain_own_key_events(private.deployment());
select tests.act_as('operator');
select isnt((select count(*) from private.queued_key_events where client_id = private.deployment()), 0::bigint, 'a caller without a right to the chain chains nothing');

-- Who can read the chain.
select tests.act_as(actor), is(tests.refusal(statement), outcome, actor || ': ' || statement)
from (values ('anna', 'PT403 admin_required'), ('eve', 'PT403 admin_required'), ('anon', '42501'), ('ada', 'allowed')) as people (actor, outcome)
cross join unnest(array['select public.list_deployment_events(10)', 'select public.list_deployment_checkpoints(10)']) as statement;
select tests.act_as('ada');
select is(tests.refusal('select public.list_key_events(private.deployment(), 10)'), 'PT404 resource_not_found', 'list_key_events does not return the deployment''s chain');
select is(tests.refusal(format('select tests.page(%s)', size)), 'PT422 validation_failed', 'a page of ' || size || ' events -> 422')
from unnest(array[0, 101]) as size;
select tests.act_as(actor), is((select count(*) from public.key_events where client_id = private.deployment()), 0::bigint,
  'the table shows no event of the deployment to ' || actor)
from unnest(array['anna', 'eve']) as actor;
select tests.act_as('ada');

-- The events of the chain.
select is(tests.page(event => 'admin_added') -> 'items' -> 0 -> 'detail', jsonb_build_object('user_id', tests.account_id('ada')), 'a new admin is an event with the account''s id');
select is((tests.page(event => 'token_issued') -> 'items' -> 0 -> 'detail') - 'token_id', '{"scope": "monitor", "expires_at": null}', 'a token of the monitor is an event with its scope');
select is(tests.page(event => 'bot_type_added') -> 'items' -> 0 -> 'detail', '{"bot_type": "pgtap", "chain": "evm", "enabled": true}', 'a new bot type is an event without its texts');
select is(tests.page(event => 'settings_changed') -> 'items' -> 1 -> 'detail',
  '{"table": "settings", "require_aal2": false, "max_sign_in_age_seconds": 600}', 'changed settings are an event with their values');
select is((tests.page(event => 'settings_changed') -> 'items' -> 0 -> 'detail') - 'key_age_limit' - 'round_pause',
  '{"table": "monitor_settings", "heartbeat_limit": "00:03:00"}', 'changed limits of the monitor are an event with their values');
select is((select jsonb_agg(distinct item -> 'actor') from jsonb_array_elements(tests.page() -> 'items') as item where item ->> 'created_at' >= private.rfc3339(now())),
  '["operator"]', 'the actor is the operator');
select is((select count(*) from jsonb_array_elements(tests.page() -> 'items') as item
    where item ->> 'event' ~ '^(key_|wallet_|bot_(created|started|stopped|changed)|policy_|client_)'), 0::bigint, 'the chain has no event of a client');
select ok(tests.page() @> '{"queued": [], "omitted": 0}', 'a page has no queued and no omitted events');
-- Pages, places and hashes.
select is((tests.page(2, null, true) -> 'items' -> 0 ->> 'seq')::integer, 1, 'the chain begins with 1');
select is((tests.page(2, 1, true) -> 'items' -> 0 ->> 'seq')::integer, 2, 'the second page follows the first');
select is(tests.page(1, null, true) -> 'items' -> 0 -> 'client_id', to_jsonb(private.deployment()), 'the client_id of the events is the nil UUID');
select tests.act_as('operator');
select is_empty($$
  select e.seq from public.key_events as e
  left join public.key_events as before on before.client_id = e.client_id and before.seq = e.seq - 1
  where e.client_id = private.deployment()
    and (e.previous_hash is distinct from before.hash or e.hash <> sha256(convert_to(private.canonical_key_event(e), 'UTF8')))$$, 'every hash of the chain is right');
select is(tests.refusal($$insert into public.clients (id, name, email) values (private.deployment(), 'x', 'x@pgtap.test')$$), '23514', 'no client can have the nil UUID');

-- The chain has no rate limit, because only the operator causes its events.
insert into public.bot_types (id, name, description, chain) select 'pgtap-' || n, 'A type', 'It trades.', 'evm' from generate_series(1, 70) as n;
select is((select count(*) from private.every_key_event where client_id = private.deployment() and detail ->> 'bot_type' like 'pgtap-%'), 70::bigint, '70 events in a minute are all recorded');

-- The cron job chains its events, and its checkpoints are signed, as for clients.
select tests.act_as('anon');
select public.chain_queued_events('monitor', 100000);
select tests.act_as('operator');
select is((select count(*) from private.queued_key_events where client_id = private.deployment()), 0::bigint, 'the cron job chains the events of the deployment');
create table tests.head as
  select item from jsonb_array_elements(public.list_unsigned_heads('monitor', 100000)) as item where item ->> 'client_id' = private.deployment()::text;
grant select on tests.head to public;
select is((select count(*) from tests.head), 1::bigint, 'the head of the chain is due to be signed');
select tests.act_as('anon');
select is(public.store_checkpoints('edge', 'monitor', (select jsonb_build_array(jsonb_build_object('client_id', item -> 'client_id', 'seq', item -> 'seq', 'jws',
    concat_ws('.', tests.base64url('{"alg": "EdDSA", "kid": "k", "typ": "audit-checkpoint+jwt"}'),
      tests.base64url(convert_to((item - 'last')::text, 'UTF8')), repeat('A', 86)))) from tests.head)), '{"stored": 1}', 'the checkpoint of the chain is stored');
select tests.act_as('ada');
select is(jsonb_array_length(public.list_deployment_checkpoints(10) -> 'items'), 1, 'an admin reads the checkpoint');
select tests.act_as('anna');
select is((select count(*) from public.audit_checkpoints), 0::bigint, 'a client does not see the checkpoint');

select * from finish();
rollback;
