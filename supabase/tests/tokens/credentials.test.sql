-- A token is a credential until it ends. No stored value is a credential.
begin;
\ir ../people.psql
select plan(37);

insert into public.machine_tokens (scope, name, token_hash, expires_at, master_key_id) values
  ('monitor', 'monitor', sha256('monitor'), null, null),
  ('rewrap', 'rewrap', sha256('rewrap'), now() + interval '1 day', 'pgtap-new');
create table tests.calls (name text primary key, scope text, call text);
insert into tests.calls values
  ('list_runner_bots', 'bots', $$public.list_runner_bots(%L)$$),
  ('get_runner_bot', 'bots', $$public.get_runner_bot(%L, tests.bot_id('hers'))$$),
  ('record_heartbeat', 'bots', $$public.record_heartbeat(%L, tests.bot_id('hers'), 'ok')$$),
  ('check_out_key', 'bots', $$public.check_out_key('edge', %L, tests.bot_id('hers'), tests.signing())$$),
  ('report_signing_failure', 'bots', $$public.report_signing_failure('edge', %L, tests.bot_id('hers'), 'key_decryption_failed')$$),
  ('report_runner_refusal', 'bots', $$public.report_runner_refusal('edge', %L, tests.bot_id('hers'), 'x', 'POST /bots/{id}/sign')$$),
  ('monitor_bots', 'monitor', $$public.monitor_bots(%L)$$),
  ('chain_queued_events', 'monitor', $$public.chain_queued_events(%L)$$),
  ('list_unsigned_heads', 'monitor', $$public.list_unsigned_heads(%L, 10)$$),
  ('store_checkpoints', 'monitor', $$public.store_checkpoints('edge', %L, '[]')$$),
  ('list_envelopes_to_rewrap', 'rewrap', $$public.list_envelopes_to_rewrap('edge', %L, '{pgtap-new,first}', 10)$$),
  ('rewrap_keys', 'rewrap', $$public.rewrap_keys('edge', %L, jsonb_build_array(tests.rewrapped()))$$),
  ('count_keys_to_rewrap', 'rewrap', $$public.count_keys_to_rewrap(%L)$$);
create function tests.signing() returns jsonb language sql immutable
return jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest'));
create function tests.rewrapped() returns jsonb language sql stable
return jsonb_build_object('client_id', tests.client_id('anna'), 'key_id', tests.key_id('A'),
  'replaced_hash', tests.hash(tests.envelope('anna', 'A')), 'encrypted_key', tests.envelope('anna', 'A', 'evm', 'pgtap-new'));
create function tests.undone(statement text) returns text language plpgsql as $$
declare
  hint text;
begin
  execute statement;
  raise sqlstate 'PT200';
exception when others then
  get stacked diagnostics hint = pg_exception_hint;
  return case when sqlstate = 'PT200' then 'allowed' else trim(sqlstate || ' ' || hint) end;
end $$;
grant select on all tables in schema tests to public;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select public.issue_token(tests.bot_id('hers'), '{}', 'bots', tests.hash('bots'), null);

-- The stored hash of every token, in every form in which somebody who reads the database could send it.
select tests.act_as('operator');
create table tests.stored as
  select scope || ' ' || form as what, sent
  from public.machine_tokens
  cross join lateral (values
    ('in hex', encode(token_hash, 'hex')), ('in upper case', upper(encode(token_hash, 'hex'))),
    ('as PostgreSQL writes it', token_hash::text), ('in base64', encode(token_hash, 'base64')),
    ('hashed again', encode(sha256(token_hash), 'hex')),
    ('as hex that is hashed again', encode(sha256(convert_to(encode(token_hash, 'hex'), 'UTF8')), 'hex')),
    ('its id', id::text), ('with its prefix', 'tk_' || encode(token_hash, 'hex'))) as forms (form, sent);
grant select on tests.stored to public;

select bag_eq(
  $$select proname::text from pg_proc where pronamespace = 'public'::regnamespace and 'token' = any (proargnames)$$,
  'select name from tests.calls', 'every function that takes a machine token is called here');
select is((select count(distinct split_part(what, ' ', 1)) from tests.stored), 4::bigint, 'the test stores a token of every scope');
select tests.act_as('anon');
select is((
    select jsonb_agg(what) from tests.stored where tests.undone(format('select ' || call, sent)) <> 'PT401 token_invalid'), null,
  name || ' with any stored value -> 401')
from tests.calls order by name;
select is((
    select jsonb_object_agg(other, outcome) from (
      select other, tests.undone(format('select ' || call, other)) as outcome
      from unnest(array['bots', 'monitor', 'rewrap', 'edge', 'nobody''s', '', null]) as other) as tried
    where outcome <> case when other = scope then 'allowed' else 'PT401 token_invalid' end), null,
  name || ' accepts tokens of its own scope only')
from tests.calls order by name;
select tests.act_as('anna');
select is((select jsonb_agg(name) from tests.calls where tests.undone(format('select ' || call, scope)) <> '42501'), null,
  'a session cannot call any of these functions, even with the right token');

-- A token expires by the clock, also within a transaction that began earlier.
select tests.act_as('operator');
update public.machine_tokens set expires_at = clock_timestamp() + interval '1 hour' where scope in ('bots', 'monitor', 'rewrap');
select tests.act_as('anon');
select is((select jsonb_agg(name) from tests.calls where tests.undone(format('select ' || call, scope)) <> 'allowed'), null,
  'tokens that expire in an hour are valid');
select tests.act_as('operator');
update public.machine_tokens set expires_at = clock_timestamp() where scope in ('bots', 'monitor', 'rewrap');
select is((select count(*) from public.machine_tokens where expires_at <= now()), 0::bigint, 'these tokens expired after this transaction began');
select tests.act_as('anon');
select is((select jsonb_object_agg(name, outcome) from (
    select name, tests.undone(format('select ' || call, scope)) as outcome from tests.calls) as tried where outcome <> 'PT401 token_invalid'), null,
  'tokens that expired after the transaction began are not valid');

-- The database hashes at most 100 characters of a token.
select tests.act_as('operator');
insert into public.machine_tokens (scope, name, token_hash) values ('monitor', 'long', sha256(convert_to(repeat('x', 100), 'UTF8')));
select tests.act_as('anon');
select is(tests.undone(format('select public.count_keys_to_rewrap(%L)', repeat('x', 1000000))), 'PT401 token_invalid', 'a token of a megabyte -> 401');
select is(tests.undone(format('select public.monitor_bots(%L)', repeat('x', 100))), 'allowed', 'a token of 100 characters is valid');

-- No API role can choose an id. Otherwise a row could have an id that the API cannot return or accept.
select tests.act_as('operator');
select is_empty($$
    select t.attrelid::regclass, t.attname, role from pg_attribute as t join pg_class as c on c.oid = t.attrelid
    cross join unnest(array['anon', 'authenticated', 'service_role']) as role
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind in ('r', 'p')
      and t.attname in ('id', 'created_at', 'created_by', 'created_at', 'version', 'scope', 'last_used_at') and t.attnum > 0
      and (has_column_privilege(role, c.oid, t.attnum, 'insert') or has_column_privilege(role, c.oid, t.attnum, 'update'))$$,
  'no API role can write an id or another column that the database sets');
select tests.act_as(actor), is(tests.refusal(statement), '42501', actor || ' cannot: ' || statement)
from unnest(array['anna', 'ada']) as actor cross join unnest(array[
  $$insert into public.machine_tokens (id, client_id, name, token_hash) values (gen_random_uuid(), tests.client_id('anna'), 'x', sha256('x'))$$]) as statement;

select * from finish();
rollback;
