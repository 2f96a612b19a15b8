-- The limits of machine tokens, their lists, and that each listed token can be revoked.
begin;
\ir ../people.psql
select plan(40);

create function tests.issue(bot text, name text) returns jsonb language sql
return public.issue_token(tests.bot_id(bot), '{}', name, tests.hash(name), null);
create function tests.issued(bot text, name text) returns text language sql
return tests.refusal(format('select tests.issue(%L, %L)', bot, name));
create function tests.listed(bot text, size integer, after uuid default null) returns jsonb language sql
return public.list_tokens(tests.bot_id(bot), size, after);
create function tests.names(page jsonb) returns text[] language sql immutable
return (
  select coalesce(array_agg(item ->> 'name' order by place), '{}')
  from jsonb_array_elements(page -> 'items') with ordinality as items (item, place));
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'his', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'other');

-- Pages: the newest first, up to the last page.
select is(tests.listed('hers', 10), '{"items": [], "next_cursor": null}', 'a bot without tokens has an empty list');
select pg_sleep(0.002), tests.issue('hers', name) from unnest(array['t1', 't2', 't3', 't4', 't5']) as name;
select is(tests.names(tests.listed('hers', 2)), array['t5', 't4'], 'the newest tokens come first');
select is(tests.listed('hers', 2) ->> 'next_cursor', tests.listed('hers', 2) -> 'items' -> 1 ->> 'id', 'next_cursor is the id of the last token of the page');
select is(tests.names(tests.listed('hers', 2, (tests.listed('hers', 2) ->> 'next_cursor')::uuid)), array['t3', 't2'], 'the second page follows the first');
select is(tests.names(tests.listed('hers', 3, (tests.listed('hers', 2) ->> 'next_cursor')::uuid)), array['t3', 't2', 't1'], 'the last page has the oldest tokens');
select is(tests.listed('hers', 3, (tests.listed('hers', 2) ->> 'next_cursor')::uuid) -> 'next_cursor', 'null', 'the last page has no next_cursor');
select is(tests.listed('other', 10), '{"items": [], "next_cursor": null}', 'another bot of the client has its own list');
select is(tests.refusal(format('select tests.listed(''hers'', %L)', size)), 'PT422 validation_failed', 'a page of ' || size || ' tokens -> 422')
from unnest(array[0, 101]) as size;
select is(tests.refusal($$select tests.listed('his', 10)$$), 'PT404 resource_not_found', 'the list of another client''s bot -> 404');
-- Only admins see a token for bots of several clients.
select tests.act_as('ada');
select public.issue_token(tests.bot_id('hers'), array[tests.bot_id('his')], 'shared', tests.hash('shared'), null);
select is(tests.names(tests.listed('hers', 1)), array['shared'], 'an admin sees a token for bots of several clients');
select set_config('tests.shared', tests.listed('hers', 1) -> 'items' -> 0 ->> 'id', true);
select tests.act_as('anna');
select is(tests.names(tests.listed('hers', 2)), array['shared', 't5'], 'a client sees it too');
select is(tests.listed('hers', 1) -> 'items' -> 0 -> 'bot_ids', jsonb_build_array(tests.bot_id('hers')), 'a client sees only its own bots of such a token');
select is(tests.names(tests.listed('hers', 6)), array['shared', 't5', 't4', 't3', 't2', 't1'], 'a client''s page ends with its oldest token');
select is(tests.listed('hers', 6) -> 'next_cursor', 'null', 'the last page has no next_cursor');

-- Every token that is listed can be revoked.
select public.revoke_token((item ->> 'id')::uuid) from jsonb_array_elements(tests.listed('hers', 100) -> 'items') as item;
select is(tests.listed('hers', 10), '{"items": [], "next_cursor": null}', 'every token that is listed can be revoked');
select is(tests.refusal($$select public.revoke_token(current_setting('tests.shared')::uuid)$$), 'PT404 resource_not_found', 'a token that no longer signs for the client -> 404');
select tests.act_as('boris');
select is(tests.names(tests.listed('his', 2)), array['shared'], 'it still signs for the bots of the other client');
select tests.act_as('ada');
select is(public.revoke_token(current_setting('tests.shared')::uuid) ->> 'name', 'shared', 'an admin ends it for all of them');

-- At most 50 tokens for a bot, including expired ones and those of other issuers.
select tests.act_as('operator');
with tokens as (
  insert into public.machine_tokens (client_id, name, token_hash, expires_at)
    select tests.client_id('anna'), 'full ' || n, sha256(convert_to('full ' || n, 'UTF8')), '2020-01-01' from generate_series(1, 49) as n returning id)
insert into public.machine_token_bots (token_id, bot_id, client_id) select id, tests.bot_id('hers'), tests.client_id('anna') from tokens;
select tests.act_as('anna');
select is(tests.issued('hers', 'fiftieth'), 'allowed', 'a bot can have 50 tokens');
select is(tests.issued('hers', 'one more'), 'PT409 token_limit_reached', 'a bot''s 51st token -> 409');
select is(tests.refusal($$select public.issue_token(tests.bot_id('other'), array[tests.bot_id('hers')], 'x', tests.hash('x'), null)$$),
  'PT409 token_limit_reached', 'a token of another bot that also signs for a full bot -> 409');
select is(tests.listed('other', 10), '{"items": [], "next_cursor": null}', 'the rejected token is not stored');
insert into public.machine_tokens (client_id, name, token_hash) values (tests.client_id('anna'), 'loose', sha256('loose'));
select is(tests.refusal($$insert into public.machine_token_bots (token_id, bot_id, client_id)
    select id, tests.bot_id('hers'), tests.client_id('anna') from public.machine_tokens where name = 'loose'$$),
  'PT409 token_limit_reached', 'a direct insert for a full bot -> 409');
select tests.act_as('ada');
select is(tests.issued('hers', 'an admin''s'), 'PT409 token_limit_reached', 'an admin''s token for a full bot -> 409');
select is(tests.issued('his', 'an admin''s'), 'allowed', 'another bot has its own count');
select tests.act_as('boris');
select is(tests.refusal($$insert into public.machine_token_bots (token_id, bot_id, client_id)
    values (gen_random_uuid(), tests.bot_id('hers'), tests.client_id('anna'))$$), 'PT404 resource_not_found',
  'another client does not learn that a bot is full');
select tests.act_as('anna');
select is(tests.rows_of($$delete from public.machine_tokens where name = 'full 1'$$), 1::bigint, 'a token of a full bot can be revoked');
select is(tests.issued('hers', 'one more'), 'allowed', 'a revoked token makes room for a new one');

-- At most 100 bots for a token.
select tests.act_as('operator');
insert into public.bots (client_id, bot_type, name)
  select tests.client_id('anna'), 'evm-grid', 'many ' || n from generate_series(1, 101) as n;
select tests.act_as('anna');
create function pg_temp.issue_many(bots integer) returns text language sql as $$
  select tests.refusal(format('select public.issue_token(tests.bot_id(''many 1''), %L, ''many'', tests.hash(''many %s''), null)', (
    select array_agg(id) from public.bots where name like 'many %' and substr(name, 6)::integer between 2 and issue_many.bots), issue_many.bots)) $$;
select is(pg_temp.issue_many(101), 'PT422 row_limit_exceeded', 'a token for 101 bots in one statement -> 422');
select is(pg_temp.issue_many(100), 'allowed', 'a token can sign for 100 bots');
select is(tests.refusal($$insert into public.machine_token_bots (token_id, bot_id, client_id)
    select id, tests.bot_id('many 101'), tests.client_id('anna') from public.machine_tokens where name = 'many'$$), 'PT409 token_limit_reached',
  'a token''s 101st bot -> 409');
select is((select count(*) from public.machine_token_bots as signs join public.machine_tokens as tokens on tokens.id = signs.token_id
  where tokens.name = 'many'), 100::bigint, 'the token signs for the same bots after the rejected insert');

-- At most 1,000 tokens for a client, with or without bots.
select tests.act_as('operator');
insert into public.machine_tokens (client_id, name, token_hash)
  select tests.client_id('anna'), 'loose ' || n, sha256(convert_to('loose ' || n, 'UTF8'))
  from generate_series(1, 999 - (select count(*) from public.machine_tokens where client_id = tests.client_id('anna'))) as n;
select tests.act_as('anna');
select is(tests.issued('other', 'the thousandth'), 'allowed', 'a client can have 1,000 tokens');
select is(tests.issued('other', 'one too many'), 'PT409 token_limit_reached', 'a client''s 1,001st token -> 409');
select is(tests.refusal($$insert into public.machine_tokens (client_id, name, token_hash) values (tests.client_id('anna'), 'x', sha256('x'))$$),
  'PT409 token_limit_reached', 'a direct insert for a full client -> 409');
select tests.act_as('ada');
select is(tests.issued('other', 'an admin''s'), 'PT409 token_limit_reached', 'an admin''s token for a full client -> 409');
select is(tests.issued('his', 'another'), 'allowed', 'another client has its own count');
select tests.act_as('boris');
select is(tests.refusal($$insert into public.machine_tokens (client_id, name, token_hash) values (tests.client_id('anna'), 'x', sha256('x'))$$),
  'PT404 resource_not_found', 'another client does not learn that a client is full');
select tests.act_as('operator');
select is(tests.issued('other', 'the operator''s'), 'allowed', 'the operator''s SQL has no limit');

select * from finish();
rollback;
