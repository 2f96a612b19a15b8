begin;
\ir ../people.psql
\ir guards.psql
select plan(8);

select is_empty('select * from tests.functions_without_search_path', 'every function has an empty search_path');
select bag_eq('select * from tests.definer_functions', array[
    -- fired by the Auth server, which has no rights on clients
    'private.link_account_to_client()',
    -- fired by an admin, who has no rights on auth.users
    'private.link_client_to_account()',
    -- lock a row that an account may see and not always update
    'private.lock_own_client()',
    'private.share_own_client()',
    -- has to see the addresses of every client
    'private.claim_address(text, uuid)',
    -- number keys, which API roles must not
    'private.before_trading_key_write()',
    'private.before_trading_key_delete()',
    -- write wallets, bots and events, which API roles must not
    'private.after_trading_key_write()',
    'private.after_trading_key_delete()',
    'private.after_wallet_insert()',
    'private.stop_bots_without_key()',
    -- copies an envelope, which API roles cannot read
    'private.before_wallet_insert()',
    -- sees whether a wallet has an envelope
    'private.before_bot_status_change()',
    -- reads a token's hash, which API roles cannot
    'private.before_token_delete()',
    -- called by runners, whose machine token is no session: the token decides, in each one's first statement
    'public.check_out_key(text, uuid, jsonb, text)',
    'public.list_runner_bots(text)',
    'public.record_heartbeat(text, uuid, text, text, jsonb)',
    -- asked without a session: whether the edge and the database require the same
    'public.step_up_agrees(boolean, integer)'
  ], 'these functions run with the owner''s rights, and no other');
create view tests.other_definers as
select found from tests.definer_functions where found not in (
  'public.check_out_key(text, uuid, jsonb, text)', 'public.list_runner_bots(text)',
  'public.record_heartbeat(text, uuid, text, text, jsonb)', 'public.step_up_agrees(boolean, integer)');
select is_empty($$select found from tests.other_definers where found like 'public.%'$$,
  'no function of the API runs with the owner''s rights, but the runners'' and what /ready asks');
select is_empty(
  'select f.found from tests.other_definers as f join tests.function_grants as g on g.found like f.found || '' to %''',
  'nobody can call one that does');

-- The guards bite.
create function public.careless() returns int language sql security definer return 1;
create function private.misled() returns int language sql set search_path = public return 1;
grant execute on function public.careless() to anon;

select results_eq('select * from tests.functions_without_search_path order by 1',
  array['private.misled()', 'public.careless()'], 'a function without search_path, or with another, is found');
select results_eq($$select found from tests.other_definers where found like 'public.%'$$,
  array['public.careless()'], 'a function of the API that runs with the owner''s rights is found');
select is((select count(*) from tests.definer_functions), 19::bigint, 'and stands outside the list');
select isnt_empty(
  'select f.found from tests.other_definers as f join tests.function_grants as g on g.found like f.found || '' to %''',
  'and so is that somebody can call it');

select * from finish();
rollback;
