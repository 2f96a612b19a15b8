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

-- by a client
select public.report_refusal('edge', 'value_taken', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'));
select public.report_refusal('edge', 'bot_key_missing', 'POST /bots/{id}/start', bot_id => tests.bot_id('a'));
select is(tests.refusals('anna'),
  array['client value_taken PUT /clients/{id}/rotate-key', 'client bot_key_missing POST /bots/{id}/start bot'],
  'what a client was refused stands in its own chain');
select is((tests.refused('anna', 1)).actor_id, tests.account_id('anna'), 'with the account');
select tests.forget();
select set_config('request.headers', '{"x-request-id": "request-1"}', true);
select public.report_refusal('edge', 'value_taken', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'));
select set_config('request.headers', '', true);
select is((tests.refused('anna', 1)).request_id, 'request-1', 'the event has the request id');
select tests.forget();

-- by a client, of another's: as of what does not exist
select public.report_refusal('edge', 'resource_not_found', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('boris'));
select public.report_refusal('edge', 'resource_not_found', 'POST /bots/{id}/start', bot_id => tests.bot_id('b'));
select public.report_refusal('edge', 'resource_not_found', 'DELETE /tokens/{id}', token_id => md5('absent')::uuid);
select is(tests.refusals('boris'), '{}', 'a foreign client''s attempt leaves no trace in the victim''s chain');
select is(tests.refusals('anna'), array[
    'client resource_not_found PUT /clients/{id}/rotate-key', 'client resource_not_found POST /bots/{id}/start',
    'client resource_not_found DELETE /tokens/{id}'],
  'it stands in the caller''s own, without what it named');
select is(tests.refusal($$select private.record_refusal(tests.client_id('boris'), null, 'x', 'POST /x')$$), 'PT404 resource_not_found',
  'nor can it be written past the API''s function');
select tests.forget();

-- requests of an admin
select tests.act_as('ada');
select public.report_refusal('edge', 'value_taken', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'));
select is(tests.refusals('anna'), array['admin value_taken PUT /clients/{id}/rotate-key'], 'an admin''s, in the chain of the client it is about');
select is(public.report_refusal('edge', 'resource_not_found', 'PUT /clients/{id}/rotate-key', client_id => md5('absent')::uuid),
  '{"recorded": false}', 'and of no client, in none');
select tests.forget();
select public.report_refusal('edge', 'value_taken', 'POST /bots/{id}/start', bot_id => tests.bot_id('a'));
select is(tests.refusals('anna'), array['admin value_taken POST /bots/{id}/start bot'], 'or whose bot it is about');
select tests.act_as('anna');
select public.issue_token(tests.bot_id('a'), '{}', 'x', tests.hash('another'));
select tests.act_as('ada');
select public.report_refusal('edge', 'value_taken', 'DELETE /tokens/{id}', token_id => (
  select token_id from public.machine_token_bots where bot_id = tests.bot_id('a')));
select is((tests.refusals('anna'))[2], 'admin value_taken DELETE /tokens/{id}', 'or whose token');
select tests.forget();

-- requests of an account without a client, and without a session
select tests.act_as('eve');
select public.report_refusal('edge', 'resource_not_found', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('boris'));
select is(tests.refusals('boris'), '{}', 'an account without a client leaves no trace');
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
select is(tests.refusals('anna'), array['runner policy_kind_denied POST /bots/{id}/sign bot'], 'a runner''s, in the chain of its bot''s client');
select is((tests.refused('anna', 1)).detail ->> 'token_id', tests.token_id('anna')::text, 'with its token');
select is((tests.refused('anna', 1)).actor_id, null, 'which is no account');
select public.report_runner_refusal('edge', 'anna', tests.bot_id('b'), 'resource_not_found', 'POST /bots/{id}/sign');
select is((tests.refusals('anna'))[2], 'runner resource_not_found POST /bots/{id}/sign', 'of a foreign bot, in the chain of the token''s client');
select is(tests.refusals('boris'), '{}', 'and not in the victim''s');
select public.report_runner_refusal('edge', 'admin', tests.bot_id('b'), 'resource_not_found', 'POST /bots/{id}/sign');
select is(cardinality(tests.refusals('anna')), 2, 'an admin''s token has no client: in none');
select is(tests.refusals('boris'), '{}', 'nor in the victim''s either');
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
select public.report_refusal('edge', 'value_taken', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'))
from generate_series(1, 50);
select is(cardinality(tests.refusals('anna')), 20, 'at most 20 rejected requests a minute are recorded');
select tests.act_as('boris');
select public.report_refusal('edge', 'value_taken', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('boris'));
select is(tests.refusals('boris'), array['client value_taken PUT /clients/{id}/rotate-key'], 'of each client by itself');
select tests.act_as('operator');
update private.refusal_counts set minute = minute - interval '1 minute';
select tests.act_as('anna');
select public.report_refusal('edge', 'value_taken', 'PUT /clients/{id}/rotate-key', client_id => tests.client_id('anna'))
from generate_series(1, 2);
select is((tests.refusals('anna'))[21], 'client value_taken PUT /clients/{id}/rotate-key 30', 'the next says how many were left out');
select is((tests.refusals('anna'))[22], 'client value_taken PUT /clients/{id}/rotate-key', 'once');

select * from finish();
rollback;
