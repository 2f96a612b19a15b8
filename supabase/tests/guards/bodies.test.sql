-- What the body of a function may contain. The guards read the bodies in the catalog, without comments and strings.
begin;
\ir ../people.psql
\ir guards.psql
select plan(39);

select is_empty('select * from tests.functions_that_cannot_be_scanned', 'no function executes SQL within a string');
select is_empty('select * from tests.functions_that_share_rows', 'no function locks rows for share');
select is_empty('select * from tests.functions_with_atomic_body', 'no function has a "begin atomic" body');
select is_empty('select * from tests.functions_in_sql', 'every function is in plpgsql');
select is_empty('select * from tests.functions_with_bare_writes', 'every UPDATE and DELETE has a WHERE');
select is_empty('select * from tests.readers_that_write', 'STABLE and IMMUTABLE functions only read, and call only functions that read');
select is_empty('select * from tests.settings_that_may_be_null', 'no function compares a setting that may be null');
select is_empty('select * from tests.envelopes_without_edge',
  'every definer function of the API that reaches an envelope takes the edge token');
select is_empty('select * from tests.tokens_that_nobody_checks', 'every function that takes a token checks it');
select bag_eq(
  $$select found from tests.bodies where nspname = 'public' and 'edge_token' = any (proargnames)$$,
  array[
    'public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb)',
    'public.setup_bot(text, uuid, text, text, jsonb, jsonb, jsonb)',
    'public.add_wallet(text, uuid, jsonb, jsonb)',
    'public.rotate_key(text, uuid, text, text, uuid, text, jsonb)',
    'public.revoke_key_at_edge(text, uuid)',
    'public.check_out_key(text, text, uuid, jsonb, text, jsonb)',
    'public.report_signing_failure(text, text, uuid, text)',
    'public.report_refusal(text, text, text, uuid, uuid, uuid)',
    'public.report_runner_refusal(text, text, uuid, text, text)',
    'public.list_envelopes_to_rewrap(text, text, text[], integer)',
    'public.rewrap_keys(text, text, jsonb)',
    'public.store_checkpoints(text, text, jsonb)',
    'public.edge_token_valid(text)'
  ], 'only these functions take the edge token');

-- The guards find bad functions.
create function tests.bad(name text, body text, volatility text default 'volatile') returns void language plpgsql as $f$
begin
  execute format('create function private.%I() returns void language plpgsql %s set search_path = '''' as %L', name, volatility, body);
end $f$;
select tests.bad('shares', 'begin perform from public.clients for share; end');
select tests.bad('shares_keys', e'begin perform from public.clients FOR KEY\n  SHARE; end');
select tests.bad('shares_within_a_string', 'begin execute ''select from public.clients for share''; end');
select tests.bad('speaks_of_it', e'begin -- for share\n /* for key share */ perform 1; end');
select results_eq('select found from tests.functions_that_share_rows order by 1', array[
  'private.shares()', 'private.shares_keys()', 'private.shares_within_a_string()'],
  'a lock of rows for share is found in code and in strings, and ignored in comments');
select results_eq('select found from tests.functions_that_cannot_be_scanned', array['private.shares_within_a_string()'],
  'SQL within a string is found');

create function private.is_atomic() returns void language sql set search_path = ''
begin atomic
  select 1;
end;
select bag_eq('select found from tests.functions_in_sql', array['private.is_atomic()'], 'a function in SQL is found');
create function private.returns() returns integer language sql set search_path = '' return 1;
select results_eq('select found from tests.functions_with_atomic_body', array['private.is_atomic()'],
  'a "begin atomic" body is found, and a "return" body is not');

create function tests.bare(code text) returns bigint language sql as $$
  select count(*) from tests.bare_writes(tests.code_of(code)) $$;
select is(tests.bare(code), 0::bigint, 'not a bare write: ' || code)
from unnest(array[
  'update t set a = 1 where b;',
  'delete from t where b;',
  'update t set a = (select 1 from u where c) where b;',
  'with gone as (delete from t where b returning *) select * from gone;',
  'insert into t values (1) on conflict do update set a = 1;',
  'perform from t for update; perform from t for no key update;',
  'for a in delete from t where b returning * loop c := d; end loop;',
  $$a := 'update t set a = 1'; -- delete from t$$,
  'update t set a = case when b then c else d end where e;'
]) as code;
select is(tests.bare(code), 1::bigint, 'a bare write: ' || code)
from unnest(array[
  -- It was in monitor_bots: the health monitor never ran on hosted Supabase.
  'update private.monitor_state set checked_up_to = case when full then bot_ids[batch] end, heartbeat_limit = seconds; return b;',
  'delete from t;',
  e'DELETE\n  FROM t; select 1 from u where c;',
  'update t set a = (select 1 from u where c);',
  'with gone as (delete from t returning *) select * from gone where b;',
  'with gone as (update t set a = 1 returning *) insert into u select * from gone where b;',
  'for a in delete from t returning * loop b := (select 1 from u where c); end loop;',
  'if a then update t set b = 1; end if;',
  $$update t set a = 'where';$$,
  'update t set a = 1 /* where b */;',
  'insert into t values (1) on conflict do update set a = 1; delete from u;'
]) as code;
select tests.bad('clears', 'begin delete from private.imported_rows; end');
select results_eq('select * from tests.functions_with_bare_writes', $$values ('private.clears()', 'delete from private.imported_rows')$$,
  'a function with a bare write is found');

select tests.bad('reads_only', 'begin perform from public.clients; perform private.own_client_id(); end', 'stable');
select tests.bad('writes', 'begin insert into private.imported_rows default values; end', 'stable');
select tests.bad('writes_itself', 'begin insert into private.imported_rows default values; end');
select tests.bad('goes_on', 'begin perform private.writes_itself(); end');
select tests.bad('calls_a_writer', 'begin perform private.goes_on(); end', 'stable');
select tests.bad('locks', 'begin perform pg_advisory_xact_lock(1); end', 'stable');
select results_eq($$select distinct found from tests.readers_that_write order by 1$$, array[
  'private.calls_a_writer()', 'private.locks()', 'private.writes()'],
  'a STABLE function is found that writes, locks, or calls a function that writes');

create function public.leaks(token text) returns text language plpgsql security definer set search_path = '' as $$
begin
  return (select encrypted_key from public.bot_wallets limit 1);
end $$;
select results_eq('select * from tests.envelopes_without_edge', array['public.leaks(text)'],
  'a function that returns an envelope without the edge token is found');
select results_eq('select * from tests.tokens_that_nobody_checks', $$values ('public.leaks(text)', 'token')$$,
  'a function that does not check its token is found');

select tests.bad('compares', $$begin if current_setting('trading_keys.x', true) = 'y' then raise 'z'; end if; end$$);
select results_eq('select * from tests.settings_that_may_be_null', array['private.compares()'],
  'a function that compares a setting that may be null is found');

select * from finish();
rollback;
