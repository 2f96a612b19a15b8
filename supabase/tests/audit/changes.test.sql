-- Every change is one event in the right chain, whoever makes it. A statement that changes nothing is not an event.
begin;
\ir ../people.psql
select plan(82);

-- Texts that contain "secret" are names, e-mail addresses, configs and messages. No event may contain such a text.
update public.clients set name = 'secret anna', email = 'secret-anna@pgtap.test' where id = tests.client_id('anna');
insert into public.bot_types (id, name, description, chain) values ('pgtap', 'secret type', 'secret description', 'evm');
set constraints all immediate;
set constraints all deferred;
create table tests.seen as select id from private.every_key_event;
create function tests.chain_name(chain uuid) returns text language sql stable as $$
  select case chain when private.deployment() then 'deployment' when tests.client_id('anna') then 'anna'
    when tests.client_id('boris') then 'boris' else 'another' end $$;
create function tests.new_events() returns text[] language plpgsql security definer as $$
declare
  found text[];
begin
  -- Events of tokens without bots are written at the commit.
  set constraints all immediate;
  set constraints all deferred;
  select coalesce(array_agg(concat_ws(' ', tests.chain_name(client_id), event, 'by', actor, item.fields) order by created_at, id), '{}') into found
    from private.every_key_event as events
    left join lateral (
      select string_agg(field, ',' order by field) as fields from jsonb_array_elements_text(events.detail -> 'fields') as field) as item on true
    where events.id not in (select seen.id from tests.seen);
  insert into tests.seen select events.id from private.every_key_event as events where events.id not in (select seen.id from tests.seen);
  -- As if a minute had passed.
  delete from private.event_counts where true;
  return found;
end $$;
comment on function tests.new_events() is 'The events since the last call: chain, event, actor and changed fields.';
create function tests.events_of(person text, statement text) returns text[] language plpgsql as $$
begin
  perform tests.act_as(person);
  if person not in ('operator', 'anon') then perform private.admit_edge('edge'); end if;
  execute statement;
  return tests.new_events();
end $$;
create function tests.token(token text) returns uuid language sql stable security definer
return (select id from public.machine_tokens where token_hash = sha256(convert_to(token, 'UTF8')));
grant execute on all functions in schema tests to public;

create table tests.changes (place integer primary key generated always as identity, what text, person text, statement text, events text[]);
insert into tests.changes (what, person, statement, events) values
  -- clients
  ('an admin creates a client', 'ada', $$select public.create_client('secret new', 'secret-new@pgtap.test')$$, '{another client_created by admin}'),
  ('an admin creates two clients at once', 'ada', $$insert into public.clients (name, email) select 'secret', 'secret' || n || '@pgtap.test' from generate_series(1, 2) as n$$,
    '{another client_created by admin,another client_created by admin}'),
  ('a client renames itself', 'anna', $$update public.clients set name = 'secret name' where true$$, '{anna client_changed by client name}'),
  ('a client sets the same name again', 'anna', $$update public.clients set name = 'secret name' where true$$, '{}'),
  ('the operator changes an e-mail', 'operator', $$update public.clients set email = 'secret-boris@pgtap.test' where id = tests.client_id('boris')$$,
    '{boris client_changed by operator email}'),
  ('the operator removes a client', 'operator', $$delete from public.clients where email = 'secret-new@pgtap.test'$$, '{another client_removed by operator}'),
  -- bots
  ('a client creates a bot', 'anna', $$insert into public.bots (client_id, bot_type, name, config)
    values (tests.client_id('anna'), 'evm-grid', 'first', '{"secret": "secret config"}')$$, '{anna bot_created by client}'),
  ('an admin creates two bots', 'ada', $$insert into public.bots (client_id, bot_type, name)
    select tests.client_id('boris'), 'evm-grid', name from unnest(array['b1', 'b2']) as name$$,
    '{boris bot_created by admin,boris bot_created by admin}'),
  ('the operator changes a config', 'operator', $$update public.bots set config = '{"secret": 2}' where name = 'first'$$, '{anna bot_changed by operator config}'),
  ('the operator changes a name', 'operator', $$update public.bots set name = 'secret bot' where name = 'first'$$, '{anna bot_changed by operator name}'),
  ('the operator changes the name and the type', 'operator', $$update public.bots set name = 'first', bot_type = 'evm-dca' where name = 'secret bot'$$,
    '{"anna bot_changed by operator bot_type,name"}'),
  ('the operator sets the same values again', 'operator', $$update public.bots set name = name, config = config, bot_type = bot_type where name = 'first'$$, '{}'),
  ('a client stops a bot that is stopped', 'anna', $$select public.stop_bot(tests.bot_id('first'))$$, '{}'),
  -- keys and wallets
  ('a first key', 'anna', $$select tests.put_in('anna', 'A')$$, '{anna key_added by client}'),
  ('a client adds a copy of the key', 'anna', $$insert into public.bot_wallets (bot_id, client_id, address, chain)
    values (tests.bot_id('first'), tests.client_id('anna'), 'A', 'evm')$$, '{anna wallet_added by client}'),
  ('an admin adds an own key', 'ada', $$select public.add_wallet('edge', tests.bot_id('first'), tests.wallet('anna', 'Aown'))$$, '{anna wallet_added by admin}'),
  ('a bot starts', 'anna', $$select public.start_bot(tests.bot_id('first'))$$, '{anna bot_started by client}'),
  ('a running bot starts', 'anna', $$select public.start_bot(tests.bot_id('first'))$$, '{}'),
  ('an admin stops a bot directly in the table', 'ada', $$update public.bots set status = 'stopped' where id = tests.bot_id('first')$$, '{anna bot_stopped by admin}'),
  ('a rewrap', 'anna', $$update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'second') where true$$,
    '{anna key_rewrapped by client}'),
  ('a rewrap to the same envelope', 'anna', $$update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'second') where true$$, '{}'),
  ('the operator empties a wallet', 'operator', $$update public.bot_wallets set key_id = null, encrypted_key = null where address = 'Aown'$$,
    '{anna wallet_changed by operator}'),
  ('the operator empties an empty wallet', 'operator', $$update public.bot_wallets set key_id = null, encrypted_key = null where address = 'Aown'$$, '{}'),
  ('the operator deletes the wallet', 'operator', $$delete from public.bot_wallets where address = 'Aown'$$, '{anna wallet_removed by operator}'),
  ('a rotation', 'ada', $$select tests.rotate('anna', 'A2')$$, '{anna key_rotated by admin}'),
  ('a revocation', 'anna', $$delete from public.trading_keys where true$$, '{anna key_revoked by client}'),
  ('a revocation without a key', 'anna', $$delete from public.trading_keys where true$$, '{}'),
  ('the next first key', 'operator', $$select tests.put_in('anna', 'A3')$$, '{anna key_added by operator}'),
  ('a bot starts again', 'anna', $$select public.start_bot(tests.bot_id('first'))$$, '{anna bot_started by client}'),
  ('a revocation stops the bot', 'operator', $$delete from public.trading_keys where client_id = tests.client_id('anna')$$,
    '{anna bot_stopped by operator,anna key_revoked by operator}'),
  ('boris''s key', 'boris', $$select tests.put_in('boris', 'B')$$, '{boris key_added by client}'),
  -- policies
  ('a policy', 'anna', $$select public.set_policy(tests.bot_id('first'), '{"max_value": "1", "chain_ids": ["1"]}')$$, '{anna policy_set by client}'),
  ('the same policy', 'anna', $$select public.set_policy(tests.bot_id('first'), '{"max_value": "1", "chain_ids": ["1"]}')$$, '{}'),
  ('the same policy, directly in the table', 'anna', $$update public.bot_policies set max_value = 1 where true$$, '{}'),
  ('another policy, directly in the table', 'ada', $$update public.bot_policies set max_value = 2 where bot_id = tests.bot_id('first')$$, '{anna policy_set by admin}'),
  ('the policy is deleted', 'operator', $$delete from public.bot_policies where bot_id = tests.bot_id('first')$$, '{anna policy_removed by operator}'),
  ('policies of two clients at once', 'ada', $$insert into public.bot_policies (bot_id, client_id)
    select id, client_id from public.bots where id in (tests.bot_id('first'), tests.bot_id('b1'))$$, '{boris policy_set by admin,anna policy_set by admin}'),
  -- tokens
  ('a token', 'anna', $$select public.issue_token(tests.bot_id('first'), '{}', 'secret token', tests.hash('t1'), null)$$, '{anna token_issued by client}'),
  ('a token without bots', 'anna', $$insert into public.machine_tokens (client_id, name, token_hash)
    values (tests.client_id('anna'), 'secret loose', sha256('t2'))$$, '{anna token_issued by client}'),
  ('a token gets a bot', 'anna', $$insert into public.machine_token_bots values (tests.token('t2'), tests.bot_id('first'), tests.client_id('anna'))$$,
    '{anna token_issued by client}'),
  ('a token for bots of two clients', 'ada', $$select public.issue_token(tests.bot_id('first'), array[tests.bot_id('b1')], 'x', tests.hash('t3'), null)$$,
    '{boris token_issued by admin,anna token_issued by admin}'),
  ('the first use of a token', 'anon', $$select public.list_runner_bots('t3')$$, '{boris token_first_used by runner,anna token_first_used by runner}'),
  ('last_used_at changes later', 'operator', $$update public.machine_tokens set last_used_at = now() - interval '1 hour' where id = tests.token('t3')$$, '{}'),
  ('a later use of a token', 'anon', $$select public.list_runner_bots('t3')$$, '{}'),
  ('the operator changes the expiry of a token', 'operator', $$update public.machine_tokens set expires_at = '2099-01-01', name = 'secret prolonged' where id = tests.token('t3')$$,
    '{"boris token_changed by operator expires_at,name","anna token_changed by operator expires_at,name"}'),
  ('the operator sets the same expiry again', 'operator', $$update public.machine_tokens set expires_at = '2099-01-01' where id = tests.token('t3')$$, '{}'),
  ('the operator removes a bot from a token', 'operator', $$delete from public.machine_token_bots where token_id = tests.token('t3') and bot_id = tests.bot_id('b1')$$,
    '{boris token_revoked by operator}'),
  ('a client''s token ends', 'anna', $$delete from public.machine_tokens where id = tests.token('t1')$$, '{anna token_revoked by client}'),
  ('the bots of a token are removed', 'operator', $$delete from public.machine_token_bots where token_id = tests.token('t2')$$, '{anna token_revoked by operator}'),
  ('a token without bots ends', 'anna', $$delete from public.machine_tokens where id = tests.token('t2')$$, '{anna token_revoked by client}'),
  ('a token with bots and one without, in one statement', 'operator', $$with loose as (
      insert into public.machine_tokens (client_id, name, token_hash) values (tests.client_id('boris'), 'x', sha256('t4')) returning id)
    select from loose$$, '{boris token_issued by operator}'),
  ('tokens with and without bots end in one statement', 'operator', $$delete from public.machine_tokens where id in (tests.token('t3'), tests.token('t4'))$$,
    '{boris token_revoked by operator,anna token_revoked by operator}'),
  -- what belongs to no client
  ('an edge token', 'operator', $$insert into public.machine_tokens (name, token_hash, scope) values ('secret edge', sha256('e2'), 'edge')$$,
    '{deployment token_issued by operator}'),
  ('an edge token is changed', 'operator', $$update public.machine_tokens set token_hash = sha256('e3') where id = tests.token('e2')$$,
    '{deployment token_changed by operator token}'),
  ('an edge token ends', 'operator', $$delete from public.machine_tokens where id = tests.token('e3')$$, '{deployment token_revoked by operator}'),
  ('an admin is added', 'operator', $$insert into private.admins (user_id) values (tests.account_id('eve'))$$, '{deployment admin_added by operator}'),
  ('an admin is replaced', 'operator', $$update private.admins set user_id = tests.account_id('boris') where user_id = tests.account_id('eve')$$,
    '{deployment admin_removed by operator,deployment admin_added by operator}'),
  ('an admin is removed', 'operator', $$delete from private.admins where user_id = tests.account_id('boris')$$, '{deployment admin_removed by operator}'),
  ('settings are changed', 'operator', $$update private.settings set require_aal2 = true where only_row$$, '{deployment settings_changed by operator}'),
  ('settings are set to the same values', 'operator', $$update private.settings set require_aal2 = true where only_row$$, '{}'),
  ('settings are removed', 'operator', $$delete from private.settings where only_row$$, '{deployment settings_changed by operator}'),
  ('settings are inserted', 'operator', $$insert into private.settings default values$$, '{deployment settings_changed by operator}'),
  ('limits of the monitor are changed', 'operator', $$update private.monitor_settings set heartbeat_limit = '3 minutes' where only_row$$, '{deployment settings_changed by operator}'),
  ('limits of the monitor are set to the same values', 'operator', $$update private.monitor_settings set heartbeat_limit = '3 minutes' where only_row$$, '{}'),
  ('limits of the monitor are removed', 'operator', $$delete from private.monitor_settings where only_row$$, '{deployment settings_changed by operator}'),
  ('limits of the monitor are inserted', 'operator', $$insert into private.monitor_settings default values$$, '{deployment settings_changed by operator}'),
  ('a bot type is added', 'operator', $$insert into public.bot_types (id, name, description, chain) values ('pgtap-2', 'secret', 'secret', 'evm')$$,
    '{deployment bot_type_added by operator}'),
  ('a bot type is disabled', 'operator', $$update public.bot_types set enabled = false where id = 'pgtap-2'$$, '{deployment bot_type_changed by operator}'),
  ('a disabled bot type is disabled', 'operator', $$update public.bot_types set enabled = false where id = 'pgtap-2'$$, '{}'),
  ('a bot type is removed', 'operator', $$delete from public.bot_types where id = 'pgtap-2'$$, '{deployment bot_type_removed by operator}'),
  -- and the last of the clients'
  ('a bot is removed', 'operator', $$delete from public.bots where id = tests.bot_id('b2')$$, '{boris bot_removed by operator}'),
  ('a report of a runner', 'operator', $$insert into public.bot_heartbeats (bot_id, client_id, status, message)
    values (tests.bot_id('b1'), tests.client_id('boris'), 'failing', 'secret message')$$, '{}'),
  ('a finding of the monitor', 'operator', $$insert into public.bot_health_logs (bot_id, client_id, state, since)
    values (tests.bot_id('b1'), tests.client_id('boris'), 'late', now())$$, '{}');
grant select on tests.changes to public;

select is(tests.events_of(person, statement), events, format('%s: %s', person, what))
from (select * from tests.changes order by place offset 0) as changes;

-- The bots of a token are inserted and deleted, and never updated.
select tests.act_as('operator');
select is(tests.refusal($$update public.machine_token_bots set bot_id = bot_id where true$$), 'PT405 append_only', 'an UPDATE of a token''s bots -> 405');

-- Other tests cover signatures, quarantine, refusals, accounts and restores.
select bag_eq($$select distinct event from private.every_key_event as events where events.id in (select id from tests.seen)$$, $$
  select event from unnest(private.event_names()) as event where event not in ('key_released', 'bot_quarantined', 'refused',
    'account_linked', 'account_unlinked', 'factor_reset', 'restored')$$,
  'the test covers every kind of event');

-- No event contains free text or a hash of it.
select set_eq($$select distinct left(text, 6) from (
    select name as text from public.clients where name like 'secret%' union all select email from public.clients where email like 'secret%'
    union all select message from public.bot_heartbeats union all select description from public.bot_types where id = 'pgtap') as texts$$,
  array['secret'], 'the secret texts are stored');
select is_empty($$select * from private.every_key_event as events where lower(events::text) like '%secret%'$$, 'no event contains a secret text');
create table tests.texts as
  select distinct word from tests.changes cross join regexp_matches(statement, '''([^'']*secret[^'']*)''', 'g') as words (found)
  cross join unnest(words.found) as word
  union select 'secret anna' union select 'secret-anna@pgtap.test' union select 'secret type' union select 'secret description';
select isnt_empty($$select * from tests.texts where word = 'secret token'$$, 'the list of secret texts is complete');
select is_empty($$select word from tests.texts, private.every_key_event as events
    where events::text like '%' || encode(sha256(convert_to(word, 'UTF8')), 'hex') || '%'
      or events::text like '%' || md5(word) || '%'$$, 'no event contains a hash of a secret text');
select is_empty($$select client_id, detail from private.every_key_event as events where id in (select id from tests.seen)
    and (client_id = private.deployment()) <> (event ~ '^(admin_|settings_|bot_type_)' or detail ->> 'scope' in ('edge', 'monitor', 'rewrap')
      or event = 'token_changed' and bot_id is null and client_id = private.deployment())$$,
  'no event of the deployment is in a client''s chain, nor the other way round');

-- Every event can be chained.
select private.chain_key_events(chain, 100000, true) from (select distinct client_id as chain from private.queued_key_events) as chains;
select is((select count(*) from private.queued_key_events), 0::bigint, 'every event can be chained');
select is_empty($$
  select e.client_id, e.seq from public.key_events as e
  left join public.key_events as before on before.client_id = e.client_id and before.seq = e.seq - 1
  where e.previous_hash is distinct from before.hash or e.hash <> sha256(convert_to(private.canonical_key_event(e), 'UTF8'))$$,
  'every hash of every chain is right');

select * from finish();
rollback;
