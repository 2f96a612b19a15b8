begin;
\ir ../people.psql
\ir auth_server.psql
select plan(46);

create function tests.linked_to(person text) returns uuid language sql stable security definer as $$
select user_id from public.clients where id = tests.client_id(person) $$;
create function tests.sessions_of(person text) returns bigint language sql stable security definer as $$
select (select count(*) from auth.sessions where user_id = tests.account_id(person))
  + (select count(*) from auth.refresh_tokens where user_id::text = tests.account_id(person)::text) $$;
create function tests.link_events(person text) returns text[] language sql stable security definer as $$
select coalesce(array_agg(concat_ws(' ', event, 'by', actor, detail ->> 'by_confirmation') order by number), '{}')
from private.queued_key_events
where client_id = tests.client_id(person) and event in ('account_linked', 'account_unlinked', 'factor_reset') $$;
grant execute on all functions in schema tests to public;

-- the first confirmation --------------------------------------------------------------------------------------

select tests.create_client('carla');
select tests.act_as_auth_server();
select tests.signs_up('carla', 'a stranger''s');
select is(tests.linked_to('carla'), null, 'a sign-up links nothing');
select tests.owner_confirms('carla');
select is(tests.linked_to('carla'), tests.account_id('carla'), 'the first confirmation of the client''s address links the account');
select is(tests.password_of('carla'), null, 'the link removes the password that was set before');
select is(tests.sessions_of('carla'), 2::bigint, 'only the session of the click itself remains');
select tests.act_as('carla');
select is((public.get_own_client() ->> 'id')::uuid, tests.client_id('carla'), 'the account has access to the client');

select tests.act_as('operator');
select tests.create_client('dora');
select tests.act_as_auth_server();
select tests.admin_creates('dora', 'given by the operator');
select is(tests.linked_to('dora'), tests.account_id('dora'), 'an account that is created as confirmed is linked');
select is(tests.password_of('dora'), 'given by the operator',
  'an account that is created as confirmed keeps its password');

select tests.act_as('operator');
select tests.create_client('emil'), tests.create_client('nora');
select tests.act_as_auth_server();
select tests.invites('emil');
select is(tests.linked_to('emil'), null, 'an invitation links nothing');
select tests.accepts_invitation('emil');
select is(tests.linked_to('emil'), tests.account_id('emil'), 'accepting the invitation links the account');
select tests.signs_up('nora', 'a stranger''s');
update auth.users set invited_at = now() where id = tests.account_id('nora');
select tests.accepts_invitation('nora');
select is(tests.password_of('nora'), null, 'a password that somebody else set before the invitation is removed too');

select tests.act_as('operator');
select tests.create_client('felix');
select tests.act_as_auth_server();
select tests.signs_in_by('google', 'felix');
select is(tests.linked_to('felix'), tests.account_id('felix'),
  'an account from an identity provider that verified the address is linked');

-- Somebody else's identity, with an unverified address, is in an account that the owner of the address confirms.
select tests.act_as('operator');
select tests.create_client('gitta');
select tests.act_as_auth_server();
select tests.creates_account('gitta', null, 'github');
select tests.next_transaction();
select tests.owner_confirms('gitta');
select is(tests.linked_to('gitta'), tests.account_id('gitta'), 'the owner of the address is linked');
select is((select count(*) from auth.identities where user_id = tests.account_id('gitta')), 0::bigint,
  'the identity with the unverified address is removed');

-- A sign-up with a password, which the owner completes with a provider that verified the address.
select tests.act_as('operator');
select tests.create_client('hanno');
select tests.act_as_auth_server();
select tests.signs_up('hanno');
insert into auth.identities (id, provider, provider_id, user_id, identity_data)
values (gen_random_uuid(), 'google', 'sub', tests.account_id('hanno'),
  jsonb_build_object('email', upper(tests.email('hanno')), 'email_verified', true));
select tests.owner_confirms('hanno');
select bag_eq($$select provider from auth.identities where user_id = tests.account_id('hanno')$$, array['email', 'google'],
  'an identity whose provider verified this address stays');

-- what links nothing ------------------------------------------------------------------------------------------

select tests.act_as('operator');
select tests.sign_up('ida', confirmed => false);
select tests.next_transaction();
select tests.create_client('ida', linked => false);
update auth.users set last_sign_in_at = now() where id = tests.account_id('ida');
select is(tests.linked_to('ida'), null, 'neither a new client nor a sign-in links an existing account');
select tests.act_as_auth_server();
select tests.owner_confirms('ida');
select is(tests.linked_to('ida'), null, 'an account that somebody signed in to before its confirmation is not linked');

select tests.act_as('operator');
select tests.sign_up('jan');
select tests.next_transaction();
select tests.create_client('jan', linked => false);
update auth.users set last_sign_in_at = now(), email_confirmed_at = now() where id = tests.account_id('jan');
select is(tests.linked_to('jan'), null, 'a confirmed account that is older than its client is not linked');

select tests.create_client('karl');
select tests.act_as_auth_server();
select tests.changes_email('eve', tests.email('karl'));
select is(tests.linked_to('karl'), null, 'an account whose e-mail is changed to the client''s is not linked');

-- The first address of an account that signed up by phone, or anonymously.
select tests.act_as('operator');
select tests.create_client('lena'), tests.create_client('mia');
select tests.act_as_auth_server();
insert into auth.users (id, aud, role, phone, phone_confirmed_at)
  values (tests.account_id('by phone'), 'authenticated', 'authenticated', '4900000001', now());
insert into auth.users (id, aud, role, is_anonymous)
  values (tests.account_id('anonymous'), 'authenticated', 'authenticated', true);
select tests.starts_session('by phone'), tests.starts_session('anonymous');
select tests.next_transaction();
select tests.changes_email('by phone', tests.email('lena'));
update auth.users set is_anonymous = false where id = tests.account_id('anonymous');
select tests.changes_email('anonymous', tests.email('mia'));
select is(tests.linked_to('lena'), null, 'an account that signed up by phone and adds this address is not linked');
select is(tests.linked_to('mia'), null, 'an anonymous account that adds this address is not linked');

-- An account changes to the unverified address of an identity, and then confirms it.
select tests.act_as('operator');
select tests.create_client('nils');
select tests.act_as_auth_server();
update auth.users set email = tests.email('nils'), email_confirmed_at = null, last_sign_in_at = now()
  where id = tests.account_id('eve');
select tests.owner_confirms('eve');
select is(tests.linked_to('nils'), null, 'an account whose earlier address was confirmed is not linked');

-- Both changes in one statement.
select tests.act_as('operator');
select tests.create_client('olga');
select tests.act_as_auth_server();
select tests.signs_up('mover');
update auth.users set email = tests.email('olga'), email_confirmed_at = now() where id = tests.account_id('mover');
select is(tests.linked_to('olga'), null, 'an account whose address changes and is confirmed in one statement is not linked');

select tests.act_as('operator');
select tests.create_client('paul');
select tests.act_as_auth_server();
select tests.signs_in_by('sso:0b1d3f77-0000-4000-8000-000000000000', 'by single sign-on', tests.email('paul'));
select is(tests.linked_to('paul'), null, 'an account of a single sign-on provider is not linked');
select tests.signs_up('paul');
select tests.owner_confirms('paul');
select is(tests.linked_to('paul'), tests.account_id('paul'), 'the owner of the address is linked although an account of a single sign-on provider has the address');

-- one account, one client -------------------------------------------------------------------------------------

select tests.act_as('operator');
update auth.users set email = 'was-anna@pgtap.test' where id = tests.account_id('anna');
select tests.act_as_auth_server();
select tests.creates_account('second', null, email => tests.email('anna'));
select tests.next_transaction();
select tests.owner_confirms('second');
select is(tests.linked_to('anna'), tests.account_id('anna'), 'a second account with the address does not replace the linked one');
select tests.act_as('operator');
select tests.create_client('quinn');
update auth.users set email = tests.email('quinn'), email_confirmed_at = null, last_sign_in_at = null
  where id = tests.account_id('boris');
update auth.users set email_confirmed_at = now() where id = tests.account_id('boris');
select is(tests.linked_to('quinn'), null, 'an account that is linked to a client is not linked to a second client');
delete from auth.users where id = tests.account_id('dora');
select is(tests.linked_to('dora'), null, 'a deleted account leaves its client unlinked');

-- by an admin -------------------------------------------------------------------------------------------------

select tests.sign_up('Rosa'), tests.sign_up('sven', confirmed => false), tests.sign_up('tina');
update auth.users set encrypted_password = 'set by nobody knows whom', email_change_token_new = 'pending',
    phone = '4900000002', phone_confirmed_at = now(), phone_change_token = 'pending'
  where id = tests.account_id('Rosa');
insert into auth.identities (id, provider, provider_id, user_id, identity_data)
values (gen_random_uuid(), 'github', 'another address', tests.account_id('Rosa'),
  '{"email": "stranger@pgtap.test", "email_verified": true}');
insert into auth.flow_state (id, user_id, auth_code, authentication_method, provider_type, code_challenge_method, auth_code_issued_at)
values (gen_random_uuid(), tests.account_id('Rosa'), 'code', 'oauth', 'github', 's256', now());
insert into auth.flow_state (id, auth_code, authentication_method, provider_type, code_challenge_method, linking_target_id)
values (gen_random_uuid(), 'later', 'oauth', 'github', 's256', tests.account_id('Rosa')),
  (gen_random_uuid(), 'another''s', 'oauth', 'github', 's256', tests.account_id('tina'));
select tests.starts_session('Rosa');
-- A refresh token without a session, as old versions of Supabase Auth stored it.
update auth.refresh_tokens set session_id = null where user_id::text = tests.account_id('Rosa')::text;
select tests.starts_session('Rosa'), tests.starts_session('tina');
select tests.act_as('ada');
select is(public.create_client('Rosa', 'rosa@pgtap.test', link_account => true) -> 'linked', 'true',
  'create_client with link_account links an older account; e-mail addresses compare without case');
select is(tests.sessions_of('Rosa'), 0::bigint, 'the link by an admin ends the sessions');
select tests.act_as('operator');
select is(tests.password_of('Rosa'), null, 'the link by an admin removes the password');
select ok(not exists (select from auth.identities where user_id = tests.account_id('Rosa'))
  and exists (select from auth.users where id = tests.account_id('Rosa') and email_change_token_new = ''
    and phone is null and phone_confirmed_at is null and phone_change_token = ''),
  'the link by an admin removes the phone, pending changes and identities of other addresses');
select results_eq('select auth_code from auth.flow_state', array['another''s'], 'the link by an admin removes sign-ins in progress');
select is(tests.sessions_of('tina'), 2::bigint, 'the link by an admin changes no other account');
select tests.act_as('ada');
select is(tests.refusal($$select public.create_client('Sven', 'sven@pgtap.test', link_account => true)$$), 'PT422 account_not_found',
  'link_account with an unconfirmed account -> 422');
select is(tests.refusal($$select public.create_client('Ada', 'ada@pgtap.test', link_account => true)$$), 'PT422 account_not_found',
  'nor an admin''s');
select is(tests.refusal($$select public.create_client('Nobody', 'nobody@pgtap.test', link_account => true)$$), 'PT422 account_not_found',
  'link_account with an account that does not exist -> 422');
select tests.act_as('eve');
select is(tests.refusal($$select public.create_client('Tina', 'tina@pgtap.test', link_account => true)$$), 'PT403 admin_required',
  'a client cannot call create_client with link_account');
select is(tests.refusal($$select private.link_account_by_admin(tests.client_id('paul'))$$), 'PT403 admin_required',
  'a client cannot call link_account_by_admin');
select is(tests.refusal($$select private.link_account(tests.client_id('lena'), 'tina@pgtap.test')$$), '42501',
  'a client cannot call link_account');
select tests.act_as('anna');
select is(tests.refusal($$select email from auth.users$$), '42501', 'a client cannot read accounts');
select is(tests.refusal($$update auth.users set email = 'boris@pgtap.test'$$), '42501',
  'a client cannot give itself a confirmed e-mail');

-- events ------------------------------------------------------------------------------------------------------

select tests.act_as('operator');
select is(tests.link_events('carla'), array['account_linked by operator true'], 'a link by confirmation is an event');
select is(tests.link_events('dora'), array['account_linked by operator true', 'account_unlinked by operator'],
  'the end of the link is an event');
select tests.sign_up('uwe');
update public.clients set user_id = tests.account_id('uwe') where id = tests.client_id('anna');
select is(tests.link_events('anna'),
  array['account_unlinked by operator', 'account_linked by operator false'],
  'a change of the account by the operator''s SQL is two events');
update public.clients set user_id = tests.account_id('uwe'), name = 'Anna' where id = tests.client_id('anna');
select is(cardinality(tests.link_events('anna')), 2, 'an UPDATE that changes nothing is not an event');
select is(
  (select concat_ws(' ', event, actor, actor_id) from private.queued_key_events
    join public.clients on clients.id = client_id
    where clients.email = 'rosa@pgtap.test' and event like 'account%'),
  'account_linked admin ' || tests.account_id('ada'), 'the event of a link by an admin names the admin');

select * from finish();
rollback;
