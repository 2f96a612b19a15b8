-- The chain of what belongs to no client: admins read it, and nobody else.
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
select isnt((select count(*) from private.queued_key_events where client_id = private.deployment()), 0::bigint, 'who may not read it chains nothing of it');

-- Who reads it.
select tests.act_as(actor), is(tests.refusal(statement), outcome, actor || ': ' || statement)
from (values ('anna', 'PT403 admin_required'), ('eve', 'PT403 admin_required'), ('anon', '42501'), ('ada', 'allowed')) as people (actor, outcome)
cross join unnest(array['select public.list_deployment_events(10)', 'select public.list_deployment_checkpoints(10)']) as statement;
select tests.act_as('ada');
select is(tests.refusal('select public.list_key_events(private.deployment(), 10)'), 'PT404 not_found', 'it is not a client''s chain');
select is(tests.refusal(format('select tests.page(%s)', size)), 'PT422 validation_failed', 'a page has 1 to 100 events: ' || size)
from unnest(array[0, 101]) as size;
select tests.act_as(actor), is((select count(*) from public.key_events where client_id = private.deployment()), 0::bigint,
  'not straight in the table either: ' || actor)
from unnest(array['anna', 'eve']) as actor;
select tests.act_as('ada');

-- What it says.
select is(tests.page(event => 'admin_added') -> 'items' -> 0 -> 'detail', jsonb_build_object('user_id', tests.account_id('ada')), 'an admin was added');
select is((tests.page(event => 'token_issued') -> 'items' -> 0 -> 'detail') - 'token_id', '{"scope": "monitor", "expires_at": null}', 'a token of the monitor was issued');
select is(tests.page(event => 'bot_type_added') -> 'items' -> 0 -> 'detail', '{"bot_type": "pgtap", "chain": "evm", "enabled": true}', 'a bot type was added, without its texts');
select is(tests.page(event => 'settings_changed') -> 'items' -> 1 -> 'detail',
  '{"table": "settings", "require_aal2": false, "max_sign_in_age_seconds": 600}', 'settings were changed');
select is((tests.page(event => 'settings_changed') -> 'items' -> 0 -> 'detail') - 'key_age_limit' - 'round_pause',
  '{"table": "monitor_settings", "heartbeat_limit": "00:03:00"}', 'and limits of the monitor');
select is((select jsonb_agg(distinct item -> 'actor') from jsonb_array_elements(tests.page() -> 'items') as item where item ->> 'created_at' >= private.rfc3339(now())),
  '["operator"]', 'by the operator');
select is((select count(*) from jsonb_array_elements(tests.page() -> 'items') as item
    where item ->> 'event' ~ '^(key_|wallet_|bot_(created|started|stopped|changed)|policy_|client_)'), 0::bigint, 'and nothing of a client');
select ok(tests.page() @> '{"queued": [], "omitted": 0}', 'nothing of it is queued or left out');
-- It is a chain as any other: pages, places, hashes.
select is((tests.page(2, null, true) -> 'items' -> 0 ->> 'seq')::integer, 1, 'it begins with 1');
select is((tests.page(2, 1, true) -> 'items' -> 0 ->> 'seq')::integer, 2, 'its pages go on');
select is(tests.page(1, null, true) -> 'items' -> 0 -> 'client_id', to_jsonb(private.deployment()), 'under the id of no client');
select tests.act_as('operator');
select is_empty($$
  select e.seq from public.key_events as e
  left join public.key_events as before on before.client_id = e.client_id and before.seq = e.seq - 1
  where e.client_id = private.deployment()
    and (e.previous_hash is distinct from before.hash or e.hash <> sha256(convert_to(private.canonical_key_event(e), 'UTF8')))$$, 'it holds');
select is(tests.refusal($$insert into public.clients (id, name, email) values (private.deployment(), 'x', 'x@pgtap.test')$$), '23514', 'no client has its id');

-- It has no limit, since only the operator writes it.
insert into public.bot_types (id, name, description, chain) select 'pgtap-' || n, 'A type', 'It trades.', 'evm' from generate_series(1, 70) as n;
select is((select count(*) from private.every_key_event where client_id = private.deployment() and detail ->> 'bot_type' like 'pgtap-%'), 70::bigint, 'seventy events in a minute are seventy');

-- The cron chains it, and its heads are signed as those of clients.
select tests.act_as('anon');
select public.chain_queued_events('monitor', 100000);
select tests.act_as('operator');
select is((select count(*) from private.queued_key_events where client_id = private.deployment()), 0::bigint, 'the cron chains it');
create table tests.head as
  select item from jsonb_array_elements(public.list_unsigned_heads('monitor', 100000)) as item where item ->> 'client_id' = private.deployment()::text;
grant select on tests.head to public;
select is((select count(*) from tests.head), 1::bigint, 'its head is due to be signed');
select tests.act_as('anon');
select is(public.store_checkpoints('edge', 'monitor', (select jsonb_build_array(jsonb_build_object('client_id', item -> 'client_id', 'seq', item -> 'seq', 'jws',
    concat_ws('.', tests.base64url('{"alg": "EdDSA", "kid": "k", "typ": "audit-checkpoint+jwt"}'),
      tests.base64url(convert_to((item - 'last')::text, 'UTF8')), repeat('A', 86)))) from tests.head)), '{"stored": 1}', 'and kept when it is');
select tests.act_as('ada');
select is(jsonb_array_length(public.list_deployment_checkpoints(10) -> 'items'), 1, 'an admin reads it');
select tests.act_as('anna');
select is((select count(*) from public.audit_checkpoints), 0::bigint, 'and no client');

select * from finish();
rollback;
