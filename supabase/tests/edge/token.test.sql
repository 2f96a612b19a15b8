-- The edge token: which functions need it, which tokens are accepted, and what works without it.
begin;
\ir ../people.psql
select plan(73);

insert into public.machine_tokens (scope, name, token_hash, expires_at, master_key_id) values
  ('edge', 'the next edge', sha256('next edge'), null, null),
  ('edge', 'an expired edge', sha256('expired edge'), now() - interval '1 second', null),
  ('monitor', 'the monitor', sha256('monitor'), null, null),
  ('rewrap', 'the rewrapper', sha256('rewrap'), now() + interval '1 day', 'pgtap-new');
create table tests.bad_tokens (what text primary key, token text);
insert into tests.bad_tokens values
  ('no token', null), ('an empty token', ''), ('a token that nobody issued', 'nobody''s'), ('an expired token', 'expired edge'),
  ('the monitor''s token', 'monitor'), ('the rewrapper''s token', 'rewrap'), ('a runner''s token', 'runner'),
  ('the stored hash', tests.hash('edge')), ('the stored hash as PostgreSQL writes it', sha256('edge')::text),
  ('another spelling', 'EDGE'), ('the token and a space', 'edge ');

create table tests.calls (name text primary key, actor text, call text);
insert into tests.calls values
  ('create_bot', 'ada', $$public.create_bot(%L, tests.client_id('anna'), 'evm-grid', 'x', '{}', '[]')$$),
  ('setup_bot', 'anna', $$public.setup_bot(%L, tests.client_id('anna'), 'evm-grid', 'x', '{}', '{}')$$),
  ('add_wallet', 'ada', $$public.add_wallet(%L, tests.bot_id('hers'), tests.wallet('anna', 'Aown'))$$),
  ('rotate_key', 'anna',
    $$public.rotate_key(%L, tests.client_id('anna'), 'A2', 'evm', tests.key_id('A2'), tests.envelope('anna', 'A2'))$$),
  ('revoke_key_at_edge', 'anna', $$public.revoke_key_at_edge(%L, tests.client_id('anna'))$$),
  ('report_refusal', 'anna', $$public.report_refusal(%L, 'value_not_unique', 'POST /bots/{id}/start')$$),
  ('report_runner_refusal', 'anon', $$public.report_runner_refusal(%L, 'runner', tests.bot_id('hers'), 'x', 'POST /bots/{id}/sign')$$),
  ('check_out_key', 'anon', $$public.check_out_key(%L, 'runner', tests.bot_id('hers'), tests.signing())$$),
  ('report_signing_failure', 'anon', $$public.report_signing_failure(%L, 'runner', tests.bot_id('hers'), 'key_decryption_failed')$$),
  ('list_envelopes_to_rewrap', 'anon', $$public.list_envelopes_to_rewrap(%L, 'rewrap', '{pgtap-new,first}', 10)$$),
  ('rewrap_keys', 'anon', $$public.rewrap_keys(%L, 'rewrap', jsonb_build_array(tests.rewrapped()))$$),
  ('store_checkpoints', 'anon', $$public.store_checkpoints(%L, 'monitor', '[]')$$);
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
-- All rows that a call could write.
create function tests.traces() returns text language sql stable security definer
return concat_ws(' ',
  (select count(*) from public.bots), tests.wallets('anna'), tests.trading_key('anna'),
  (select count(*) from private.every_key_event), (select count(*) from public.value_reservations),
  (select count(*) from public.bot_signing_failures), (select count(*) from private.refusal_counts),
  (select count(*) from private.rewrap_progress), (select count(*) from public.audit_checkpoints));
grant select on all tables in schema tests to public;
grant execute on all functions in schema tests to public;

select tests.act_as('boris');
select tests.setup_bot('boris', 'his', tests.wallet('boris', 'B'));
select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));
select public.issue_token(tests.bot_id('hers'), '{}', 'runner', tests.hash('runner'), null);
select public.set_policy(tests.bot_id('hers'), '{}');

select bag_eq(
  $$select proname::text from pg_proc where pronamespace = 'public'::regnamespace and 'edge_token' = any (proargnames)$$,
  $$select name from tests.calls union all values ('edge_token_valid')$$, 'every function that takes the edge token is called here');
select tests.act_as('operator');
create table tests.before as select tests.traces() as traces;
grant select on tests.before to public;
select tests.act_as(actor), is(
  (select jsonb_object_agg(what, outcome) from (
    select what, tests.refusal(format('select ' || call, token)) as outcome from tests.bad_tokens) as tried
    where outcome <> 'PT503 edge_token_invalid'), null, name || ' with any token that is not an edge token -> 503')
from tests.calls order by name;
select tests.act_as('operator');
select is(tests.traces(), (select traces from tests.before), 'a rejected call leaves no row');
select tests.act_as(actor), is(tests.undone(format('select ' || call, 'edge')), 'allowed', name || ' with the edge token is allowed')
from tests.calls order by name;
select tests.act_as(actor), is(tests.undone(format('select ' || call, 'next edge')), 'allowed', name || ' with a second edge token, valid at the same time, is allowed')
from tests.calls order by name;
select tests.act_as('operator');
delete from public.machine_tokens where token_hash = sha256('next edge');
select tests.act_as(actor), is(tests.undone(format('select ' || call, 'next edge')), 'PT503 edge_token_invalid', name || ' with a deleted edge token -> 503')
from tests.calls where name in ('setup_bot', 'check_out_key', 'store_checkpoints') order by name;

-- The edge token gives no right to rows of another client.
select tests.act_as('boris');
select is(tests.refusal(format('select ' || call, 'edge')), 'PT404 resource_not_found', 'with the edge token, another client''s row is still a 404: ' || name)
from tests.calls where actor = 'anna' and name <> 'report_refusal' order by name;
select tests.act_as('anon');
select is(tests.refusal($$select public.check_out_key('edge', 'nobody''s', tests.bot_id('hers'), tests.signing())$$), 'PT401 token_invalid',
  'with the edge token, an unknown runner token is still a 401');
select is(tests.refusal($$select public.check_out_key('edge', 'edge', tests.bot_id('hers'), tests.signing())$$), 'PT401 token_invalid',
  'the edge token is not a runner token');

-- Readiness.
select tests.act_as(actor), is(public.edge_token_valid('edge'), true, 'edge_token_valid returns true for the edge token: ' || actor)
from unnest(array['anon', 'eve']) as actor;
select tests.act_as('anon');
select is((select array_agg(what) from tests.bad_tokens where public.edge_token_valid(token) is distinct from false), null, 'edge_token_valid returns false for every other token');
select tests.act_as('operator');
select isnt((select last_used_at from public.machine_tokens where token_hash = sha256('edge')), null, 'the use of an edge token sets last_used_at');

-- Only the operator issues edge tokens.
select tests.act_as(actor), is(tests.refusal(statement), '42501', actor || ' cannot issue an edge token: ' || statement)
from unnest(array['anna', 'ada']) as actor cross join unnest(array[
  $$insert into public.machine_tokens (name, token_hash, scope) values ('x', sha256('x'), 'edge')$$,
  $$update public.machine_tokens set scope = 'edge'$$]) as statement;

-- A session alone can end things.
select tests.act_as('anna');
select is(tests.undone(statement), 'allowed', 'allowed without the edge token: ' || statement)
from unnest(array[
  $$select public.stop_bot(tests.bot_id('hers'))$$,
  $$update public.bots set status = 'stopped' where id = tests.bot_id('hers')$$,
  $$select public.revoke_key(tests.client_id('anna'))$$,
  $$delete from public.trading_keys where client_id = tests.client_id('anna')$$,
  $$delete from public.machine_tokens where client_id = tests.client_id('anna')$$
]) as statement;

-- An envelope that an API role writes itself needs the edge token, in the same transaction.
select tests.act_as('operator');
create table tests.writes (what text primary key, statement text);
insert into tests.writes values
  ('rotates', $$update public.trading_keys set address = 'A2', key_id = tests.key_id('A2'), encrypted_key = tests.envelope('anna', 'A2')
    where client_id = tests.client_id('anna')$$),
  ('rewraps', $$update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'second')
    where client_id = tests.client_id('anna')$$),
  ('adds an own key', $$insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
    values (tests.bot_id('hers'), tests.client_id('anna'), 'Aown', 'evm', tests.key_id('Aown'), tests.envelope('anna', 'Aown'))$$);
grant select on tests.writes to public;
select tests.act_as(actor), is(tests.undone(statement), 'PT403 envelope_write_denied', format('without the edge token, %s %s -> 403', actor, what))
from unnest(array['anna', 'ada']) as actor, tests.writes order by actor, what;
select tests.act_as('anna');
select private.admit_edge('edge');
select is(tests.undone(statement), 'allowed', 'with the edge token, a session ' || what) from tests.writes order by what;
select tests.act_as('anna');
select set_config('trading_keys.edge', setting, true), is(tests.undone(statement), 'PT403 envelope_write_denied', format('the setting of %s does not replace the edge token', whose))
from tests.writes, (values ('an earlier transaction', (pg_current_xact_id()::text::bigint - 1)::text),
  ('a transaction without an id', 'no transaction id yet')) as settings (whose, setting) where what = 'rotates';
select tests.act_as('anna');
select is(tests.undone($$select private.admit_edge('edge')$$), 'allowed', 'admit_edge in a subtransaction that is rolled back');
select is(tests.undone(statement), 'PT403 envelope_write_denied', 'admit_edge that was rolled back does not count') from tests.writes where what = 'rotates';
select tests.act_as('operator');
select is(tests.undone(statement), 'allowed', 'the operator''s SQL needs no edge token: ' || what) from tests.writes where what = 'rotates';

select * from finish();
rollback;
