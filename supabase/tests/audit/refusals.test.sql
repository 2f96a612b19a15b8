-- Events of rejected requests: in which chain they are recorded, and how many.
begin;
\ir ../people.psql
select plan(31);

create function tests.refusals(person text) returns text[] language sql stable security definer
return (
  select coalesce(array_agg(concat_ws(' ', actor, detail ->> 'code', detail ->> 'route', detail ->> 'omitted',
    case when bot_id is not null then 'bot' end) order by number), '{}')
  from private.queued_key_events where client_id = tests.client_id(person) and event = 'refused');
create function tests.refused(person text, place bigint) returns private.queued_key_events
language sql stable security definer
return (
  select queued from private.queued_key_events as queued
  where client_id = tests.client_id(person) and event = 'refused' order by number offset place - 1 limit 1);
create function tests.token_id(token text) returns uuid language sql stable security definer
return (select id from public.machine_tokens where token_hash = sha256(convert_to(token, 'UTF8')));
create function tests.forget() returns void language sql security definer
begin atomic
  delete from private.queued_key_events using public.clients where clients.id = client_id and email like '%@pgtap.test';
  delete from private.refusal_counts using public.clients where clients.id = client_id and email like '%@pgtap.test';
end;
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'a', tests.wallet('anna', 'A'));

-- requests of a client
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'));
select public.report_refusal('edge', 'bot_key_missing', 'POST /bots/{id}/start', bot_id => tests.bot_id('a'));
select is(tests.refusals('anna'),
  array['client value_not_unique PUT /clients/{id}/rotate-key', 'client bot_key_missing POST /bots/{id}/start bot'],
  'a rejected request of a client is in its own chain');
select is((tests.refused('anna', 1)).actor_id, tests.account_id('anna'), 'the event has the account');
select tests.forget();
select set_config('request.headers', '{"x-request-id": "request-1"}', true);
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'));
select set_config('request.headers', '', true);
select is((tests.refused('anna', 1)).request_id, 'request-1', 'the event has the request id');
select tests.forget();

-- requests of a client for rows of another client: the same as for rows that do not exist
select public.report_refusal('edge', 'resource_not_found', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('boris'));
select public.report_refusal('edge', 'resource_not_found', 'POST /bots/{id}/start', bot_id => tests.bot_id('b'));
select public.report_refusal('edge', 'resource_not_found', 'DELETE /tokens/{id}', token_id => md5('absent')::uuid);
select is(tests.refusals('boris'), '{}', 'a request for rows of another client leaves no event in the chain of that client');
select is(tests.refusals('anna'), array[
    'client resource_not_found PUT /clients/{id}/rotate-key', 'client resource_not_found POST /bots/{id}/start',
    'client resource_not_found DELETE /tokens/{id}'],
  'the event is in the chain of the caller, without the ids of the request');
select is(tests.refusal($$select private.record_refusal(tests.client_id('boris'), null, 'x', 'POST /x')$$), 'PT404 resource_not_found',
  'record_refusal for another client -> 404');
select tests.forget();

-- requests of an admin
select tests.act_as('ada');
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'));
select is(tests.refusals('anna'), array['admin value_not_unique PUT /clients/{id}/rotate-key'], 'a rejected request of an admin is in the chain of the named client');
select is(public.report_refusal('edge', 'resource_not_found', 'PUT /clients/{id}/rotate-key', client_id => md5('absent')::uuid),
  '{"recorded": false}', 'a rejected request of an admin for a client that does not exist is not recorded');
select tests.forget();
select public.report_refusal('edge', 'value_not_unique', 'POST /bots/{id}/start', bot_id => tests.bot_id('a'));
select is(tests.refusals('anna'), array['admin value_not_unique POST /bots/{id}/start bot'], 'a rejected request of an admin for a bot is in the chain of the bot''s client');
select tests.act_as('anna');
select public.issue_token(tests.bot_id('a'), '{}', 'x', tests.hash('another'));
select tests.act_as('ada');
select public.report_refusal('edge', 'value_not_unique', 'DELETE /tokens/{id}', token_id => (
  select token_id from public.machine_token_bots where bot_id = tests.bot_id('a')));
select is((tests.refusals('anna'))[2], 'admin value_not_unique DELETE /tokens/{id}', 'a rejected request of an admin for a token is in the chain of the token''s client');
select tests.forget();

-- requests of an account without a client, and without a session
select tests.act_as('eve');
select public.report_refusal('edge', 'resource_not_found', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('boris'));
select is(tests.refusals('boris'), '{}', 'a rejected request of an account without a client is not recorded');
select tests.act_as('anon');
select is(tests.refusal($$select public.report_refusal('edge', 'x', 'POST /x')$$), '42501', 'a caller without a session cannot report a rejected request');

-- requests of runners (the other client has its own bot and runner)
select tests.act_as('boris');
select public.issue_token(tests.bot_id('b'), '{}', 'x', tests.hash('boris'));
select tests.act_as('anna');
select public.issue_token(tests.bot_id('a'), '{}', 'x', tests.hash('anna'));
select tests.act_as('operator');
with token as (insert into public.machine_tokens (name, token_hash) values ('x', sha256('admin')) returning id)
insert into public.machine_token_bots select token.id, tests.bot_id('a'), tests.client_id('anna') from token;
select tests.forget();
select tests.act_as('anon');
select public.report_runner_refusal('edge', 'anna', tests.bot_id('a'), 'policy_kind_denied', 'POST /bots/{id}/sign');
select is(tests.refusals('anna'), array['runner policy_kind_denied POST /bots/{id}/sign bot'], 'a rejected request of a runner is in the chain of the bot''s client');
select is((tests.refused('anna', 1)).detail ->> 'token_id', tests.token_id('anna')::text, 'the event has the token id');
select is((tests.refused('anna', 1)).actor_id, null, 'the event of a runner has no account');
select public.report_runner_refusal('edge', 'anna', tests.bot_id('b'), 'resource_not_found', 'POST /bots/{id}/sign');
select is((tests.refusals('anna'))[2], 'runner resource_not_found POST /bots/{id}/sign', 'a runner''s request for a bot of another client is in the chain of the token''s client');
select is(tests.refusals('boris'), '{}', 'a runner''s request for a bot of another client is not in the chain of that client');
select public.report_runner_refusal('edge', 'admin', tests.bot_id('b'), 'resource_not_found', 'POST /bots/{id}/sign');
select is(cardinality(tests.refusals('anna')), 2, 'a rejected request with a token without a client is not recorded');
select is(tests.refusals('boris'), '{}', 'a rejected request with a token without a client is not in the chain of the bot''s client');
select is(tests.refusal($$select public.report_runner_refusal('edge', 'nobody''s', tests.bot_id('a'), 'x', 'POST /x')$$),
  'PT401 token_invalid', 'an unknown token cannot report a rejected request');

-- the form of code and route
select tests.act_as('anna');
select is(tests.refusal(format('select public.report_refusal(''edge'', %L, %L)', code, route)), 'PT422 validation_failed',
  'refused: ' || coalesce(code, 'null') || ' ' || coalesce(route, 'null'))
from (values
  ('a b', 'POST /x'), ('0x4c', 'POST /x'), (repeat('x', 41), 'POST /x'), (null, 'POST /x'),
  ('x', 'POST /0x4c0883a69102937d6231471b5dbb6204fe512961'), ('x', 'POST'), ('x', null)
) as bad (code, route);

-- the rate limit
select tests.forget();
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'))
from generate_series(1, 50);
select is(cardinality(tests.refusals('anna')), 20, 'at most 20 rejected requests a minute are recorded');
select tests.act_as('boris');
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('boris'));
select is(tests.refusals('boris'), array['client value_not_unique PUT /clients/{id}/rotate-key'], 'each client has its own limit');
select tests.act_as('operator');
update private.refusal_counts set minute = minute - interval '1 minute';
select tests.act_as('anna');
select public.report_refusal('edge', 'value_not_unique', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'))
from generate_series(1, 2);
select is((tests.refusals('anna'))[21], 'client value_not_unique PUT /clients/{id}/rotate-key 30', 'the next recorded event has the number of events that were left out');
select is((tests.refusals('anna'))[22], 'client value_not_unique PUT /clients/{id}/rotate-key', 'only the next recorded event has that number');

select * from finish();
rollback;
