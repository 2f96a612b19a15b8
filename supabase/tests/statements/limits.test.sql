-- A statement of an API role can write 100 rows and run for a limited time.
begin;
\ir ../people.psql
\ir ../guards/guards.psql
select plan(55);

-- For an admin: 101 clients with a key each. For a client: 101 bots, tokens and policies.
insert into public.clients (id, name, email)
  select tests.client_id('c' || n), 'c' || n, tests.email('c' || n) from generate_series(1, 101) as n;
insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  select tests.client_id('c' || n), 'C' || n, 'evm', tests.key_id('C' || n), tests.envelope('c' || n, 'C' || n) from generate_series(1, 101) as n;
insert into public.clients (id, name, email)
  select tests.client_id('d' || n), 'd' || n, tests.email('d' || n) from generate_series(1, 101) as n;
insert into public.bots (client_id, bot_type, name)
  select tests.client_id('anna'), 'evm-grid', 'b' || n from generate_series(1, 101) as n;
insert into public.bots (client_id, bot_type, name)
  select tests.client_id('anna'), 'evm-grid', 'p' || n from generate_series(1, 101) as n;
insert into public.bot_policies (bot_id, client_id)
  select id, client_id from public.bots where name like 'p%' and client_id = tests.client_id('anna');
insert into public.machine_tokens (client_id, name, token_hash)
  select tests.client_id('anna'), 't' || n, sha256(convert_to('t' || n, 'UTF8')) from generate_series(1, 101) as n;
select tests.put_in('anna', 'A');

-- %1$s is the number of rows to write.
create table tests.writes (on_table text, verb text, person text, statement text, primary key (on_table, verb));
insert into tests.writes values
  ('clients', 'insert', 'ada', $$insert into public.clients (name, email)
    select 'e' || n, 'e' || n || '@pgtap.test' from generate_series(1, %1$s) as n$$),
  ('clients', 'update', 'ada', $$update public.clients set name = name || '!'
    where id in (select tests.client_id('c' || n) from generate_series(1, %1$s) as n)$$),
  ('trading_keys', 'insert', 'ada', $$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    select tests.client_id('d' || n), 'D' || n, 'evm', tests.key_id('D' || n), tests.envelope('d' || n, 'D' || n) from generate_series(1, %1$s) as n$$),
  ('trading_keys', 'update', 'ada', $$update public.trading_keys as t set encrypted_key = tests.envelope('c' || n, 'C' || n, 'evm', 'second')
    from generate_series(1, %1$s) as n where t.client_id = tests.client_id('c' || n)$$),
  ('trading_keys', 'delete', 'ada', $$delete from public.trading_keys
    where client_id in (select tests.client_id('c' || n) from generate_series(1, %1$s) as n)$$),
  ('bots', 'insert', 'anna', $$insert into public.bots (client_id, bot_type, name)
    select tests.client_id('anna'), 'evm-grid', 'x' from generate_series(1, %1$s)$$),
  ('bots', 'update', 'anna', $$update public.bots set status = 'stopped'
    where name in (select 'b' || n from generate_series(1, %1$s) as n)$$),
  ('bot_wallets', 'insert', 'anna', $$insert into public.bot_wallets (bot_id, client_id, address, chain)
    select id, client_id, 'A', 'evm' from public.bots where name in (select 'b' || n from generate_series(1, %1$s) as n)$$),
  ('machine_tokens', 'insert', 'anna', $$insert into public.machine_tokens (client_id, name, token_hash)
    select tests.client_id('anna'), 'x', sha256(convert_to('x' || n, 'UTF8')) from generate_series(1, %1$s) as n$$),
  ('machine_tokens', 'delete', 'anna', $$delete from public.machine_tokens
    where name in (select 't' || n from generate_series(1, %1$s) as n)$$),
  ('machine_token_bots', 'insert', 'anna', $$insert into public.machine_token_bots (token_id, bot_id, client_id)
    select tokens.id, bots.id, bots.client_id from generate_series(1, %1$s) as n
    join public.machine_tokens as tokens on tokens.name = 't1' join public.bots on bots.name = 'b' || n$$),
  ('bot_policies', 'insert', 'anna', $$insert into public.bot_policies (bot_id, client_id)
    select id, client_id from public.bots where name in (select 'b' || n from generate_series(1, %1$s) as n)$$),
  ('bot_policies', 'update', 'anna', $$update public.bot_policies set max_value = 1
    where bot_id in (select id from public.bots where name in (select 'p' || n from generate_series(1, %1$s) as n))$$);

create function tests.written(person text, statement text, rows integer) returns text language plpgsql as $$
declare
  hint text;
  affected bigint;
begin
  perform tests.act_as(person);
  perform private.admit_edge('edge');
  execute format(statement, rows);
  get diagnostics affected = row_count;
  raise sqlstate 'PT200';
exception when others then
  get stacked diagnostics hint = pg_exception_hint;
  return case when sqlstate = 'PT200' then affected || ' rows' else trim(sqlstate || ' ' || hint) end;
end $$;
comment on function tests.written(text, text, integer) is 'Runs a statement and rolls it back. Returns how many rows it wrote, or its errcode.';
create function tests.state() returns text language sql stable security definer
return (
  select md5(concat_ws(' ',
    (select string_agg(c::text, ',' order by c.id) from public.clients as c),
    (select string_agg(t::text, ',' order by t.id) from public.trading_keys as t),
    (select string_agg(b::text, ',' order by b.id) from public.bots as b),
    (select string_agg(w::text, ',' order by w.id) from public.bot_wallets as w),
    (select string_agg(m::text, ',' order by m.id) from public.machine_tokens as m where scope <> 'edge'),
    (select string_agg(s::text, ',' order by s.token_id, s.bot_id) from public.machine_token_bots as s),
    (select string_agg(p::text, ',' order by p.bot_id) from public.bot_policies as p),
    (select count(*) from private.key_ids), (select count(*) from private.every_key_event))));
grant select on tests.writes to public;
grant execute on all functions in schema tests to public;

select tests.act_as('operator');
select bag_eq('select on_table, verb from tests.writes', 'select on_table, verb from tests.written_by_api_roles',
  'the test covers every table and verb that an API role can write');
create table tests.before as select tests.state() as state;
select is(tests.written(person, statement, 100), '100 rows', format('an %s of 100 rows is allowed: %s', verb, on_table)) from tests.writes order by on_table, verb;
select tests.act_as('operator');
select is(tests.written(person, statement, 101), 'PT422 row_limit_exceeded', format('an %s of 101 rows -> 422: %s', verb, on_table)) from tests.writes order by on_table, verb;
select is(tests.written('operator', statement, 101), '101 rows', format('the operator''s SQL has no limit: %s of %s', verb, on_table))
from tests.writes order by on_table, verb;

-- The test does not roll these statements back. The rejection itself must roll them back.
select tests.act_as(person), private.admit_edge('edge'), is(tests.refusal(format(statement, 101)), 'PT422 row_limit_exceeded', format('a rejected %s of 101 rows: %s', verb, on_table))
from tests.writes where verb = 'delete' or on_table = 'bots' order by on_table, verb;
select tests.act_as('operator');
select is(tests.state(), (select state from tests.before), 'a rejected statement changes no row');

-- The limit is for each statement.
select tests.act_as('anna');
select is(tests.refusal(format(statement, 100)), 'allowed', 'a session inserts 100 rows in one statement') from tests.writes where on_table = 'bot_policies' and verb = 'insert';
select is(tests.refusal(format(statement, 100)), 'allowed', 'the next statement of the same transaction has its own limit') from tests.writes where on_table = 'bot_policies' and verb = 'update';

-- Rows that triggers write are not counted. The client has 150 bots, each with a wallet and a token.
select tests.act_as('operator');
insert into public.bots (client_id, bot_type, name)
  select tests.client_id('boris'), 'evm-grid', 'w' || n from generate_series(1, 150) as n;
select tests.put_in('boris', 'B');
insert into public.bot_wallets (bot_id, client_id, address, chain)
  select id, client_id, 'B', 'evm' from public.bots where client_id = tests.client_id('boris');
update public.bots set status = 'running' where client_id = tests.client_id('boris');
with tokens as (
  insert into public.machine_tokens (client_id, name, token_hash)
    select client_id, name, sha256(convert_to(name, 'UTF8')) from public.bots where client_id = tests.client_id('boris') returning id, name)
insert into public.machine_token_bots (token_id, bot_id, client_id)
  select tokens.id, bots.id, bots.client_id from tokens join public.bots on bots.name = tokens.name and bots.client_id = tests.client_id('boris');
select tests.act_as('boris');
select is(tests.rotate('boris', 'B2') -> 'wallets_updated', '150', 'a rotation updates 150 wallets');
select ok(public.revoke_key(tests.client_id('boris')) @> '{"bots_stopped": 150, "wallets_cleared": 150}', 'a revocation stops 150 bots');
select is((select count(*) from public.machine_tokens), 0::bigint, 'a revocation ends 150 tokens');
-- The rows of a token's bots are deleted with it and are not counted.
select tests.act_as('anna');
select is(tests.refusal(format($$select public.issue_token(tests.bot_id('b1'), %L, 'x', tests.hash('x'), null)$$,
  (select array_agg(id) from public.bots where name like 'b%' and name not in ('b1', 'b101')))), 'allowed', 'a token is issued for 100 bots');
select is(tests.rows_of($$delete from public.machine_tokens where name = 'x'$$), 1::bigint, 'a token for 100 bots is deleted in one statement');

-- Time limits: a revocation has a longer one than a stop, and a stop has a longer one than other statements of an API role.
select tests.act_as('operator');
select is((select rolconfig from pg_roles where rolname = role), array['statement_timeout=' || seconds || 's'], 'statements of a role have a time limit: ' || role)
from (values ('anon', 3), ('authenticated', 5)) as limits (role, seconds);
select is((select array_agg(found || ' ' || setting) from tests.our_functions cross join unnest(proconfig) as setting
    where setting like 'statement\_timeout%' or setting like 'lock\_timeout%'), array['public.revoke_key_at_edge(text, uuid) statement_timeout=9s', 'public.stop_bot(uuid) statement_timeout=7s', 'public.revoke_token(uuid) statement_timeout=7s'],
  'only functions that end something have their own time limit');

select * from finish();
rollback;
