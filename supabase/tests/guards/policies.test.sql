begin;
\ir ../people.psql
\ir guards.psql
select plan(11);

select is_empty('select * from tests.loose_policies', 'every policy is for one verb and to authenticated');
select is_empty('select * from tests.policies_evaluated_for_each_row',
  'every policy calls functions about the caller once for each statement, as (select ...)');
select is_empty($$select policyname from pg_policies where schemaname in ('public', 'private')
    and concat_ws(' ', qual, with_check) ~ '\mauth\.'$$,
  'no policy calls auth.uid(), which also returns the account for a token of another program');
select is_empty('select * from tests.policies_that_let_anything_be_written', 'no policy lets a caller write any row');
select bag_eq(
  'select format(''%s %s.%s'', lower(cmd), schemaname, tablename) from pg_policies
    where schemaname in (''public'', ''private'') and permissive = ''PERMISSIVE''',
  array[
    'select private.admins', 'select private.settings', 'select private.monitor_settings',
    'select public.clients', 'insert public.clients', 'update public.clients',
    'select public.bot_types',
    'select public.bots', 'insert public.bots', 'update public.bots',
    'select public.bot_health_logs', 'select private.queued_key_events',
    'select public.trading_keys', 'insert public.trading_keys', 'update public.trading_keys',
    'delete public.trading_keys',
    'select public.bot_wallets', 'insert public.bot_wallets',
    'select public.key_events', 'select public.audit_checkpoints',
    'select public.machine_tokens', 'insert public.machine_tokens', 'delete public.machine_tokens',
    'select public.machine_token_bots', 'insert public.machine_token_bots',
    'select public.bot_policies', 'insert public.bot_policies', 'update public.bot_policies',
    'select public.value_reservations', 'select public.bot_heartbeats',
    'select private.monitor_state', 'select public.bot_signing_failures'],
  'these are all permissive policies, one for each verb of a table');
select bag_eq(
  'select format(''%s %s.%s'', lower(cmd), schemaname, tablename) from pg_policies
    where schemaname in (''public'', ''private'') and permissive = ''RESTRICTIVE''
      and with_check like ''%private.require_step_up()%'' and qual is null',
  'select format(''%s %s.%s'', lower(cmd), schemaname, tablename) from pg_policies
    where schemaname in (''public'', ''private'') and permissive = ''PERMISSIVE''
      and cmd in (''INSERT'', ''UPDATE'', ''ALL'') and tablename <> ''clients''',
  'each permissive policy for writing has a restrictive policy beside it, except the one for the name of a client');

-- The guards find bad policies.
create table public.loose (id int primary key, user_id uuid);
create policy "to everybody" on public.loose for select using (user_id = (select auth.uid()));
create policy "for all" on public.loose for all to authenticated using (user_id = (select auth.uid()));
create policy "row by row" on public.loose for delete to authenticated using (user_id = auth.uid());
create policy "anything" on public.loose for insert to authenticated with check (true);
create policy "once" on public.loose for update to authenticated using (user_id = (select auth.uid()));

select results_eq('select * from tests.loose_policies order by 1',
  array['public.loose: for all', 'public.loose: to everybody'], 'a policy for all verbs or all roles is found');
select results_eq('select * from tests.policies_evaluated_for_each_row',
  array['public.loose: row by row'], 'a policy that is evaluated for each row is found');
select results_eq('select * from tests.policies_that_let_anything_be_written',
  array['public.loose: anything'], 'a policy that lets a caller write any row is found');
create policy "half" on public.loose for update to authenticated
  using (user_id = (select auth.uid()) or private.is_admin());
select ok('public.loose: half' = any (array(select found from tests.policies_evaluated_for_each_row)),
  'a policy that is only partly evaluated once is found');
create policy "anon" on public.loose for select to anon using (false);
select ok('public.loose: anon' = any (array(select found from tests.loose_policies)), 'a policy to anon is found');

select * from finish();
rollback;
