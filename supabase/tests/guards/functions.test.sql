begin;
\ir ../people.psql
\ir guards.psql
select plan(11);

select is_empty('select * from tests.functions_without_search_path', 'every function has an empty search_path');
select bag_eq('select * from tests.definer_functions', array[
    -- called by the Auth server, which has no rights on clients
    'private.after_account_confirmed()',
    'private.before_user_created_hook(jsonb)',
    -- called by sessions, which have no rights on auth.users: the first statement rejects callers who are not admins
    'private.link_account_by_admin(uuid)',
    -- writes an event, which API roles must not do
    'private.after_client_link_change()',
    -- called by policies in the role of the caller and by triggers as the owner: what the caller is, and nothing of others
    'private.is_admin()',
    'private.own_client_id()',
    -- lock a row that an account can see but not always update
    'private.lock_own_client()',
    'private.share_own_client()',
    'private.share_gate_of_row()',
    -- has to see the addresses of every client
    'private.claim_address(text, uuid)',
    -- set the version numbers of keys, which API roles must not do
    'private.before_trading_key_write()',
    'private.before_trading_key_delete()',
    -- write wallets, bots and events, which API roles must not do
    'private.after_trading_key_write()',
    'private.after_trading_key_delete()',
    'private.after_wallet_insert()',
    'private.stop_bot_without_key()',
    -- copies an envelope, which API roles cannot read
    'private.before_wallet_insert()',
    -- reads whether a wallet has an envelope
    'private.before_bot_status_change()',
    -- record key ids, which API roles can neither read nor write
    'private.hold_key_ids()',
    'private.end_key_ids()',
    -- count all tokens of a bot and of a client, also those that the caller cannot see
    'private.limit_tokens()',
    'private.limit_token_bots()',
    -- write events, which API roles must not do
    'private.after_client_write()',
    'private.after_bots_insert()',
    'private.after_bots_update()',
    'private.after_bot_change()',
    'private.after_wallets_change()',
    'private.after_token_bots_change()',
    'private.record_token_without_bots()',
    'private.after_token_update()',
    'private.after_token_first_used()',
    'private.after_policies_write()',
    'private.after_admins_change()',
    'private.after_settings_change()',
    'private.after_bot_type_change()',
    -- called by sessions: each first checks that the chain belongs to the caller, or that the caller is an admin
    'private.chain_own_key_events(uuid)',
    'private.queued_events_json(uuid, text, integer)',
    'private.record_refusal(uuid, uuid, text, text)',
    -- called by sessions: returns ids of tokens, for the caller's own client, or for every client to an admin
    'private.tokens_of_client(uuid)',
    -- called by sessions: a token, only if it signs for a bot that the caller may see, and its end for the caller's own bots
    'private.token_json(uuid)',
    'private.end_token_for_own_bots(uuid)',
    -- called by sessions: compares a token with the hashes, which API roles cannot read
    'private.admit_edge(text)',
    -- read and store responses, which API roles must not read or forge: only those of the caller's own account
    'private.first_answer(jsonb, text)',
    'private.keep_answer(jsonb, text, jsonb)',
    -- called by runners, whose machine token is not a session: the first statement of each checks the token
    'public.check_out_key(text, text, uuid, jsonb, text, jsonb)',
    'public.list_runner_bots(text, integer, uuid)', 'public.get_runner_bot(text, uuid)',
    'public.report_runner_refusal(text, text, uuid, text, text)',
    'public.record_heartbeat(text, uuid, text, text, jsonb, jsonb)',
    'public.report_signing_failure(text, text, uuid, text)',
    -- called by the cron job, in the same way
    'public.monitor_bots(text, integer)',
    'public.list_envelopes_to_rewrap(text, text, text[], integer)',
    'public.rewrap_keys(text, text, jsonb)',
    'public.count_keys_to_rewrap(text)',
    'public.chain_queued_events(text, integer)',
    'public.list_unsigned_heads(text, integer)',
    'public.store_checkpoints(text, text, jsonb)',
    -- called by anyone, like GET /ready: returns only a number
    'public.count_unopenable_envelopes(text[])',
    -- called by anyone: returns only whether the edge and the database have the same settings
    'public.step_up_agrees(boolean, integer)',
    -- called by anyone: returns only whether the edge token is valid
    'public.edge_token_valid(text)'
  ], 'only these functions run with the rights of the owner');
create view tests.other_definers as
select found from tests.definer_functions where found not in (
  'public.check_out_key(text, text, uuid, jsonb, text, jsonb)', 'public.list_runner_bots(text, integer, uuid)', 'public.get_runner_bot(text, uuid)',
  'public.record_heartbeat(text, uuid, text, text, jsonb, jsonb)',
  'public.report_signing_failure(text, text, uuid, text)',
  'public.report_runner_refusal(text, text, uuid, text, text)',
  'public.monitor_bots(text, integer)',
  'public.list_envelopes_to_rewrap(text, text, text[], integer)', 'public.rewrap_keys(text, text, jsonb)',
  'public.count_keys_to_rewrap(text)', 'public.count_unopenable_envelopes(text[])',
  'public.chain_queued_events(text, integer)', 'public.list_unsigned_heads(text, integer)',
  'public.store_checkpoints(text, text, jsonb)', 'public.step_up_agrees(boolean, integer)',
  'public.edge_token_valid(text)');
select is_empty($$select found from tests.other_definers where found like 'public.%'$$,
  'in the API, only functions for machine tokens and readiness run with the rights of the owner');
create view tests.callable_definers as
select f.found from tests.other_definers as f join tests.function_grants as g on g.found like f.found || ' to %'
where f.found not in (
  'private.first_answer(jsonb, text)', 'private.keep_answer(jsonb, text, jsonb)',
  'private.chain_own_key_events(uuid)', 'private.queued_events_json(uuid, text, integer)',
  'private.record_refusal(uuid, uuid, text, text)', 'private.tokens_of_client(uuid)', 'private.admit_edge(text)',
  'private.token_json(uuid)', 'private.end_token_for_own_bots(uuid)', 'private.is_admin()', 'private.own_client_id()',
  'private.link_account_by_admin(uuid)')
  and g.found <> 'private.before_user_created_hook(jsonb) to supabase_auth_admin';
select is_empty('select * from tests.callable_definers',
  'apart from the listed exceptions, nobody can call a private function that runs with the rights of the owner');

create view tests.locks_without_a_kind as
select found from tests.bodies
where (code ~ '\mpg_\w*advisory\w*\M' or code ~ '\mprivate\.(try_lock|wait_for_lock)\M' or code ~ '\mhashtextextended\M')
  and code !~ '\mprivate\.lock_of(_\w+)?\('
  -- These functions take the number of a lock from their callers, and the same rule applies to the callers.
  and found not in ('private.try_lock(bigint, boolean)');
select is_empty('select * from tests.locks_without_a_kind',
  'the name of every lock contains its kind, so that a caller cannot choose a lock of another kind');

create function tests.ids_in_order() returns boolean language plpgsql as $$
declare
  earlier uuid := private.uuid_v7();
  later uuid;
begin
  for i in 1..200 loop
    perform pg_sleep(0.00001);
    later := private.uuid_v7();
    if later <= earlier or later::text !~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]' then return false; end if;
    earlier := later;
  end loop;
  return true;
end $$;
select ok(tests.ids_in_order(), 'ids of version 7 sort in the order of creation, also within a millisecond');

-- The guards find bad functions.
create function public.careless() returns int language sql security definer return 1;
create function private.misled() returns int language sql set search_path = public return 1;
create function private.unkind(id text) returns void language sql set search_path = '' as $$
  select pg_advisory_xact_lock(hashtextextended(id, 0)) $$;
grant execute on function public.careless() to anon;

select results_eq('select * from tests.functions_without_search_path order by 1',
  array['private.misled()', 'public.careless()'], 'a function without search_path, or with a non-empty one, is found');
select results_eq($$select found from tests.other_definers where found like 'public.%'$$,
  array['public.careless()'], 'a function of the API that runs with the rights of the owner is found');
select is((select count(*) from tests.definer_functions), 61::bigint, 'this function is not in the list');
select results_eq('select * from tests.locks_without_a_kind', array['private.unkind(text)'],
  'a lock whose name a caller chooses is found');
select isnt_empty('select * from tests.callable_definers',
  'a private function that somebody can call is found');

select * from finish();
rollback;
