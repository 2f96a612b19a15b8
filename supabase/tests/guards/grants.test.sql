begin;
\ir ../people.psql
\ir guards.psql
select plan(13);

-- The Docker image of Supabase grants more rights on the schema public itself. Only the objects in it matter.
-- The Auth server of Supabase has its own role. clients/accounts.test.sql tests what this role can do.
select bag_eq($$select found from tests.schema_grants
    where found not like 'usage on public %' and found <> 'usage on private to supabase_auth_admin'$$,
  array['usage on private to authenticated'], 'schemas: nobody can create objects, and only sessions can use private');

select bag_eq('select * from tests.table_grants', array[
    'select on private.admins to authenticated',
    'select on private.settings to authenticated',
    'select on private.monitor_settings to authenticated',
    'select on clients to authenticated',
    'select on bot_types to authenticated',
    'select on bots to authenticated',
    'select on bot_health_logs to authenticated',
    'select on key_events to authenticated',
    'select on audit_checkpoints to authenticated',
    'select on machine_token_bots to authenticated',
    'insert on machine_token_bots to authenticated',
    'delete on machine_tokens to authenticated',
    'select on bot_policies to authenticated',
    'select on value_reservations to authenticated',
    'select on bot_heartbeats to authenticated',
    'select on bot_signing_failures to authenticated',
    'delete on trading_keys to authenticated',
    'select on private.shown_wallets to authenticated',
    'select on private.bot_health to authenticated'
  ], 'tables: only these grants exist');

select bag_eq('select * from tests.column_grants', array[
    'insert (name, email) on clients to authenticated',
    'update (name) on clients to authenticated',
    'insert (client_id, bot_type, name, config) on bots to authenticated',
    'update (status) on bots to authenticated',
    'select (id, client_id, address, chain, key_id, version, master_key_id, created_at, rotated_at) on trading_keys to authenticated',
    'insert (client_id, address, chain, key_id, encrypted_key) on trading_keys to authenticated',
    'update (address, chain, key_id, encrypted_key) on trading_keys to authenticated',
    'select (id, bot_id, client_id, address, chain, key_id, master_key_id, created_at) on bot_wallets to authenticated',
    'insert (bot_id, client_id, address, chain, key_id, encrypted_key) on bot_wallets to authenticated',
    'select (id, client_id, name, created_by, created_at, expires_at, last_used_at) on machine_tokens to authenticated',
    'insert (client_id, name, token_hash, expires_at) on machine_tokens to authenticated',
    'insert (bot_id, client_id, kinds, chain_ids, recipients, max_value, max_value_24h, quarantine_after) on bot_policies to authenticated',
    'update (kinds, chain_ids, recipients, max_value, max_value_24h, quarantine_after) on bot_policies to authenticated',
    'select (round_ended_at) on private.monitor_state to authenticated',
    'select (number, event, bot_id, created_at) on private.queued_key_events to authenticated'
  ], 'columns: only these grants exist');

select bag_eq($$select found from tests.function_grants where found like 'public.%'$$, array[
    'public.schema_version() to anon',
    'public.schema_version() to authenticated',
    'public.step_up_agrees(boolean, integer) to anon',
    'public.step_up_agrees(boolean, integer) to authenticated',
    'public.edge_token_valid(text) to anon',
    'public.edge_token_valid(text) to authenticated',
    'public.create_client(text, text, jsonb, boolean) to authenticated',
    'public.list_clients(integer, uuid) to authenticated',
    'public.get_client(uuid) to authenticated',
    'public.get_own_client() to authenticated',
    'public.list_bot_options(uuid) to authenticated',
    'public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb) to authenticated',
    'public.setup_bot(text, uuid, text, text, jsonb, jsonb, jsonb) to authenticated',
    'public.add_wallet(text, uuid, jsonb, jsonb) to authenticated',
    'public.rotate_key(text, uuid, text, text, uuid, text, jsonb) to authenticated',
    'public.revoke_key(uuid) to authenticated',
    'public.revoke_key_at_edge(text, uuid) to authenticated',
    'public.get_trading_key(uuid) to authenticated',
    'public.list_bots(uuid, integer, uuid) to authenticated',
    'public.get_bot(uuid) to authenticated',
    'public.start_bot(uuid, jsonb) to authenticated',
    'public.stop_bot(uuid) to authenticated',
    'public.issue_token(uuid, uuid[], text, text, timestamp with time zone, jsonb) to authenticated',
    'public.list_tokens(uuid, integer, uuid) to authenticated',
    'public.revoke_token(uuid) to authenticated',
    'public.get_policy(uuid) to authenticated',
    'public.set_policy(uuid, jsonb) to authenticated',
    'public.list_key_events(uuid, integer, bigint, boolean, text) to authenticated',
    'public.list_checkpoints(uuid, integer, bigint, boolean) to authenticated',
    'public.list_deployment_events(integer, bigint, boolean, text) to authenticated',
    'public.list_deployment_checkpoints(integer, bigint, boolean) to authenticated',
    'public.report_refusal(text, text, text, uuid, uuid, uuid) to authenticated',
    'public.report_runner_refusal(text, text, uuid, text, text) to anon',
    'public.chain_queued_events(text, integer) to anon',
    'public.list_unsigned_heads(text, integer) to anon',
    'public.store_checkpoints(text, text, jsonb) to anon',
    'public.check_out_key(text, text, uuid, jsonb, text, jsonb) to anon',
    'public.list_runner_bots(text, integer, uuid) to anon',
    'public.get_runner_bot(text, uuid) to anon',
    'public.record_heartbeat(text, uuid, text, text, jsonb, jsonb) to anon',
    'public.get_bot_health(uuid, integer, uuid) to authenticated',
    'public.report_signing_failure(text, text, uuid, text) to anon',
    'public.monitor_bots(text, integer) to anon',
    'public.count_envelopes() to authenticated',
    'public.count_unopenable_envelopes(text[]) to anon',
    'public.list_envelopes_to_rewrap(text, text, text[], integer) to anon',
    'public.rewrap_keys(text, text, jsonb) to anon',
    'public.count_keys_to_rewrap(text) to anon'
  ], 'functions of the API: only these grants exist');

select bag_eq($$select found from tests.function_grants
    where found like 'private.%' and found <> 'private.before_user_created_hook(jsonb) to supabase_auth_admin'$$, array[
    'private.caller_id() to authenticated',
    'private.link_account_by_admin(uuid) to authenticated',
    'private.uuid_v7() to authenticated',
    'private.rfc3339(timestamp with time zone) to authenticated',
    'private.is_shown_time(timestamp with time zone) to authenticated',
    'private.is_name(text) to authenticated',
    'private.is_config(jsonb) to authenticated',
    'private.is_list(text[], text) to authenticated',
    'private.chain_families() to authenticated',
    'private.signing_kinds() to authenticated',
    'private.is_admin() to authenticated',
    'private.own_client_id() to authenticated',
    'private.address_key(text) to authenticated',
    'private.envelope_names(text, uuid, text, text, uuid) to authenticated',
    'private.first_answer(jsonb, text) to authenticated',
    'private.keep_answer(jsonb, text, jsonb) to authenticated',
    'private.client_json(clients) to authenticated',
    'private.wallet_json(uuid, text, text, uuid, timestamp with time zone, uuid) to authenticated',
    'private.wallets_json(bots) to authenticated',
    'private.bot_json(bots, jsonb) to authenticated',
    'private.bot_json(bots) to authenticated',
    'private.replayed_bot(jsonb) to authenticated',
    'private.trading_key_json(uuid) to authenticated',
    'private.page_json(jsonb, integer, text) to authenticated',
    'private.require_page_size(integer) to authenticated',
    'private.raise_not_found() to authenticated',
    'private.require_admin() to authenticated',
    'private.require_client(uuid) to authenticated',
    'private.lock_client(uuid) to authenticated',
    'private.lock_of(text, text) to authenticated',
    'private.lock_keys(uuid, boolean) to authenticated',
    'private.lock_turn(uuid, boolean) to authenticated',
    'private.lock_trading_key(uuid, boolean) to authenticated',
    'private.share_client(uuid) to authenticated',
    'private.lock_of_gate(uuid) to authenticated',
    'private.share_gate(uuid) to authenticated',
    'private.lock_gate(uuid) to authenticated',
    'private.require_current_snapshot(uuid) to authenticated',
    'private.try_lock(bigint, boolean) to authenticated',
    'private.wait_for_lock(bigint, boolean, uuid, boolean) to authenticated',
    'private.lock_of_keys(uuid) to authenticated',
    'private.lock_of_token(uuid) to authenticated',
    'private.raise_busy() to authenticated',
    'private.admit_edge(text) to authenticated',
    'private.tokens_of_client(uuid) to authenticated', 'private.end_token_for_own_bots(uuid) to authenticated',
    'private.deployment() to authenticated',
    'private.queued_events_json(uuid, text, integer) to authenticated',
    'private.key_events_page(uuid, integer, bigint, boolean, text) to authenticated',
    'private.checkpoints_page(uuid, integer, bigint, boolean) to authenticated',
    'private.lock_address(text) to authenticated',
    'private.lock_addresses(text[]) to authenticated',
    'private.token_json(uuid) to authenticated',
    'private.policy_json(uuid) to authenticated',
    'private.key_event_json(key_events) to authenticated',
    'private.checkpoint_json(audit_checkpoints) to authenticated',
    'private.chain_own_key_events(uuid) to authenticated',
    'private.record_refusal(uuid, uuid, text, text) to authenticated',
    'private.raise_trading_key_missing() to authenticated',
    'private.signed_in_at(jsonb) to authenticated',
    'private.require_step_up() to authenticated',
    'private.add_wallet(bots, jsonb) to authenticated',
    'private.make_bot(uuid, text, text, jsonb, jsonb) to authenticated',
    'private.envelope_counts() to authenticated'
  ], 'functions behind the API: only these grants exist');
select is_empty('select * from tests.grants_that_can_be_passed_on', 'no grant can be passed on');
select is_empty($$
    select r.rolname from pg_roles as r join pg_auth_members as m on m.member = r.oid
    where r.rolname in ('anon', 'authenticated')
    union all
    select rolname from pg_roles
    where rolname in ('anon', 'authenticated', 'authenticator') and (rolsuper or rolbypassrls)$$,
  'the API roles are members of no role and cannot bypass row-level security');

-- The guards find wrong grants.
create table public.stray (id int, encrypted_key text);
create function public.stray() returns int language sql return 1;
create function private.defaulted() returns int language sql return 1;
alter function private.defaulted() owner to postgres;
grant execute on function private.defaulted() to public;
grant insert on public.stray to public;
grant update (encrypted_key) on public.stray to anon;
grant execute on function public.stray() to service_role with grant option;
grant usage on schema private to anon;

select ok('insert on stray to public' = any (array(select found from tests.table_grants)),
  'a grant on a table to everybody is found');
select ok('update (encrypted_key) on stray to anon' = any (array(select found from tests.column_grants)),
  'a grant on a column is found');
select ok('public.stray() to service_role' = any (array(select found from tests.function_grants)),
  'a grant on a function to the service role is found');
select ok('private.defaulted() to public' = any (array(select found from tests.function_grants)),
  'a function that everybody can execute is found');
select ok('usage on private to anon' = any (array(select found from tests.schema_grants)),
  'a grant on a schema is found');
select results_eq('select * from tests.grants_that_can_be_passed_on', array['public.stray()'],
  'a grant that can be passed on is found');

select * from finish();
rollback;
