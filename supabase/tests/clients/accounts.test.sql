begin;
\ir ../people.psql
\ir auth_server.psql
select plan(37);

create function tests.linked_to(person text) returns uuid language sql stable security definer as $$
select user_id from public.clients where id = tests.client_id(person) $$;
create function tests.events_of(person text) returns text[] language sql stable security definer as $$
select coalesce(array_agg(event || ' ' || detail order by number), '{}') from private.queued_key_events
where client_id = tests.client_id(person) and event ~ '^(account|factor)_' $$;

-- the account of an address ----------------------------------------------------------------------------------

insert into auth.users (id, aud, role, email, email_confirmed_at, is_sso_user)
values (gen_random_uuid(), 'authenticated', 'authenticated', tests.email('ada'), now(), true);
select is(private.account_with_email('Ada@pgtap.test'), tests.account_id('ada'),
  'an address belongs to the account that confirmed it, and not to an account of a single sign-on provider');
select tests.sign_up('unsure', confirmed => false);
select is(private.account_with_email('unsure@pgtap.test'), null, 'an address that nobody confirmed belongs to no account');
select is(private.account_with_email(null), null, 'a null address belongs to no account');

-- account:link and account:unlink -----------------------------------------------------------------------------

select tests.create_client('carla'), tests.sign_up('carl');
select tests.next_transaction();
update auth.users set encrypted_password = 'set by nobody knows whom' where id = tests.account_id('carl');
select tests.starts_session('carl');
select is(private.link_account(tests.client_id('carla'), 'CARL@pgtap.test'), tests.account_id('carl'),
  'the operator links an account with another address than the client''s');
select is(tests.linked_to('carla'), tests.account_id('carl'), 'the account is linked to the client');
select is(tests.password_of('carl'), null, 'linking removes the password');
select is_empty($$select from auth.sessions where user_id = tests.account_id('carl')$$, 'linking ends the sessions');
select is(tests.refusal($$select private.link_account(tests.client_id('carla'), 'eve@pgtap.test')$$), 'PT409 value_not_unique',
  'a client that is already linked -> 409');
select is(tests.refusal($$select private.link_account(gen_random_uuid(), 'eve@pgtap.test')$$), 'PT409 value_not_unique',
  'a client that does not exist -> 409');
select tests.create_client('dora', linked => false);
select is(tests.refusal($$select private.link_account(tests.client_id('dora'), 'anna@pgtap.test')$$), 'PT422 account_not_found',
  'an account that is linked to another client -> 422');
select is(tests.refusal($$select private.link_account(tests.client_id('dora'), null)$$), 'PT422 account_not_found',
  'a null address -> 422');
insert into auth.users (id, aud, role, email, email_confirmed_at) values
  (gen_random_uuid(), 'authenticated', 'authenticated', 'twice@pgtap.test', now()),
  (gen_random_uuid(), 'authenticated', 'authenticated', 'TWICE@pgtap.test', now());
select is(tests.refusal($$select private.link_account(tests.client_id('dora'), 'twice@pgtap.test')$$), 'PT422 account_not_found',
  'an address that two accounts confirmed -> 422');
select is(tests.linked_to('dora'), null, 'the rejected calls linked no account');

select is(private.unlink_account(tests.client_id('carla')), tests.account_id('carl'), 'unlink_account returns the id of the account');
select is(private.unlink_account(tests.client_id('carla')), null, 'unlink_account of an unlinked client returns null');
select is(tests.events_of('carla'), array[
    'account_linked {"account_id": "' || tests.account_id('carl') || '", "by_confirmation": false}',
    'account_unlinked {"account_id": "' || tests.account_id('carl') || '"}'],
  'each link and unlink is an event with the id of the account');
select tests.act_as('carl');
select is(tests.refusal('select public.get_own_client()'), 'PT404 account_not_linked', 'an account that was unlinked has no client');
select tests.act_as('operator');

-- factor:reset ------------------------------------------------------------------------------------------------

insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
  select gen_random_uuid(), tests.account_id(person), 'totp'::auth.factor_type, 'verified'::auth.factor_status, now(), now()
  from unnest('{anna, boris, eve}'::text[]) as person;
select tests.starts_session('anna'), tests.starts_session('boris');
select is(private.reset_factors('Anna@pgtap.test'), jsonb_build_object('account_id', tests.account_id('anna'),
    'client_id', tests.client_id('anna'), 'factors', 1, 'sessions', 1),
  'reset_factors removes the factors of an account and ends its sessions');
select results_eq($$select user_id from auth.mfa_factors order by user_id = tests.account_id('eve')$$,
  array[tests.account_id('boris'), tests.account_id('eve')], 'reset_factors keeps the factors of other accounts');
select results_eq('select user_id from auth.sessions', array[tests.account_id('boris')], 'reset_factors keeps the sessions of other accounts');
select is(private.reset_factors('anna@pgtap.test') -> 'factors', '0', 'a second reset_factors removes nothing');
select is(tests.events_of('anna'), array[
    'factor_reset {"factors": 1, "sessions": 1, "account_id": "' || tests.account_id('anna') || '"}'],
  'only the reset that changed something is an event');
select is(private.reset_factors('eve@pgtap.test') ->> 'client_id', null, 'reset_factors works for an account without a client');
select is(tests.refusal($$select private.reset_factors('nobody@pgtap.test')$$), 'PT404 account_not_found',
  'reset_factors of an account that does not exist -> 404');

-- the hook of Supabase Auth -----------------------------------------------------------------------------------

create function tests.hook(email text) returns text language sql stable as $$
select coalesce(answer #>> '{error,http_code}', case answer when '{}' then 'allowed' end)
from private.before_user_created_hook(jsonb_build_object(
  'metadata', jsonb_build_object('name', 'before-user-created'),
  'user', jsonb_build_object('id', gen_random_uuid(), 'email', email, 'phone', ''))) as answer $$;
grant execute on function tests.hook(text) to public;
select tests.act_as_auth_server();
select is(tests.hook('dora@pgtap.test'), 'allowed', 'the address of a client without an account can sign up');
select is(tests.hook('DORA@pgtap.test'), 'allowed', 'the address can be in upper case');
select is(tests.hook('anna@pgtap.test'), '403', 'the address of a client with an account cannot sign up');
select is(tests.hook('stranger@pgtap.test'), '403', 'an unknown address cannot sign up');
select is(tests.hook(''), '403', 'an empty address (a sign-up by phone) cannot sign up');
select is(tests.hook(null), '403', 'a null address cannot sign up');
select is(private.before_user_created_hook('{}') #>> '{error,http_code}', '403', 'an event without a user cannot sign up');
select is(tests.hook(e'dora@pgtap.test\n'), '403', 'an address that differs by a line break cannot sign up');

create function tests.refusals_of(person text) returns text[] language plpgsql as $$
begin
  perform tests.act_as(person);
  return array[
    tests.refusal($q$select private.before_user_created_hook('{}')$q$),
    tests.refusal($q$select private.unlink_account(gen_random_uuid())$q$),
    tests.refusal($q$select private.reset_factors('x')$q$),
    tests.refusal($q$select private.end_sign_ins(gen_random_uuid())$q$),
    tests.refusal($q$select private.account_with_email('x')$q$)];
end $$;
grant execute on function tests.refusals_of(text) to public;
select is(tests.refusals_of('ada'), array_fill('42501'::text, array[5]), 'an admin cannot call these functions');
select is(tests.refusals_of('anna'), array_fill('42501'::text, array[5]), 'a client cannot call these functions');
select is(tests.refusals_of('anon'), array_fill('42501'::text, array[5]), 'a caller without a session cannot call these functions');

select tests.act_as('operator');
select is(
  (select array_agg(p.oid::regprocedure::text order by 1) from pg_proc as p
    where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace) and exists (
      select from pg_roles where rolname = 'supabase_auth_admin' and has_function_privilege(oid, p.oid, 'execute'))),
  (select array['private.before_user_created_hook(jsonb)'] from pg_roles where rolname = 'supabase_auth_admin'),
  'the role of the Auth server, if it exists, can only execute the hook');
select is_empty($$select c.oid::regclass from pg_class as c, pg_roles
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and rolname = 'supabase_auth_admin'
      and c.relkind in ('r', 'v') and has_table_privilege(pg_roles.oid, c.oid, 'select, insert, update, delete')$$,
  'the role of the Auth server can read and write no table');

select * from finish();
rollback;
