begin;
\ir ../people.psql
\ir auth_server.psql
select plan(44);

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
select is(tests.linked_to('carla'), null, 'signing up links nothing');
select tests.owner_confirms('carla');
select is(tests.linked_to('carla'), tests.account_id('carla'), 'the first confirmation of the client''s address links');
select is(tests.password_of('carla'), null, 'and ends the password that was set before it');
select is(tests.sessions_of('carla'), 2::bigint, 'the session of the click itself is the only one');
select tests.act_as('carla');
select is((public.get_own_client() ->> 'id')::uuid, tests.client_id('carla'), 'the account acts for the client');

select tests.act_as('operator');
select tests.create_client('dora');
select tests.act_as_auth_server();
select tests.admin_creates('dora', 'given by the operator');
select is(tests.linked_to('dora'), tests.account_id('dora'), 'an account that is created as confirmed is linked');
select is(tests.password_of('dora'), 'given by the operator',
  'and keeps its password: who created it vouches for the address');

select tests.act_as('operator');
select tests.create_client('emil'), tests.create_client('nora');
select tests.act_as_auth_server();
select tests.invites('emil');
select is(tests.linked_to('emil'), null, 'an invitation links nothing');
select tests.accepts_invitation('emil');
select is(tests.linked_to('emil'), tests.account_id('emil'), 'accepting it does');
select tests.signs_up('nora', 'a stranger''s');
update auth.users set invited_at = now() where id = tests.account_id('nora');
select tests.accepts_invitation('nora');
select is(tests.password_of('nora'), null, 'a password that a stranger set before the invitation ends too');

select tests.act_as('operator');
select tests.create_client('felix');
select tests.act_as_auth_server();
select tests.signs_in_by('google', 'felix');
select is(tests.linked_to('felix'), tests.account_id('felix'),
  'an identity provider that verified the address confirms it with the account');

-- A stranger's identity, whose provider did not verify the address, waits in an account that the owner confirms.
select tests.act_as('operator');
select tests.create_client('gitta');
select tests.act_as_auth_server();
select tests.creates_account('gitta', null, 'github');
select tests.next_transaction();
select tests.owner_confirms('gitta');
select is(tests.linked_to('gitta'), tests.account_id('gitta'), 'the owner of the address is linked');
select is((select count(*) from auth.identities where user_id = tests.account_id('gitta')), 0::bigint,
  'and the stranger''s identity is gone');

-- A sign-up by password that the owner completes by a provider that verified the address.
select tests.act_as('operator');
select tests.create_client('hanno');
select tests.act_as_auth_server();
select tests.signs_up('hanno');
insert into auth.identities (id, provider, provider_id, user_id, identity_data)
values (gen_random_uuid(), 'google', 'sub', tests.account_id('hanno'),
  jsonb_build_object('email', upper(tests.email('hanno')), 'email_verified', true));
select tests.owner_confirms('hanno');
select bag_eq($$select provider from auth.identities where user_id = tests.account_id('hanno')$$, array['email', 'google'],
  'an identity whose provider vouches for this address stays');

-- what links nothing ------------------------------------------------------------------------------------------

select tests.act_as('operator');
select tests.sign_up('ida', confirmed => false);
select tests.next_transaction();
select tests.create_client('ida', linked => false);
update auth.users set last_sign_in_at = now() where id = tests.account_id('ida');
select is(tests.linked_to('ida'), null, 'neither creating a client nor a sign-in links an account');
select tests.act_as_auth_server();
select tests.owner_confirms('ida');
select is(tests.linked_to('ida'), null, 'an account that somebody was in before its confirmation is not linked');

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

-- The first address of an account that signed up by phone, or without anything.
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
select is(tests.linked_to('lena'), null, 'nor is an account by phone whose first address this is');
select is(tests.linked_to('mia'), null, 'nor an anonymous one');

-- An account falls back to the unverified address of an identity, and that is confirmed.
select tests.act_as('operator');
select tests.create_client('nils');
select tests.act_as_auth_server();
update auth.users set email = tests.email('nils'), email_confirmed_at = null, last_sign_in_at = now()
  where id = tests.account_id('eve');
select tests.owner_confirms('eve');
select is(tests.linked_to('nils'), null, 'nor one whose address was confirmed before and changed');

-- In one statement.
select tests.act_as('operator');
select tests.create_client('olga');
select tests.act_as_auth_server();
select tests.signs_up('mover');
update auth.users set email = tests.email('olga'), email_confirmed_at = now() where id = tests.account_id('mover');
select is(tests.linked_to('olga'), null, 'nor one whose address changes as it is confirmed');

select tests.act_as('operator');
select tests.create_client('paul');
select tests.act_as_auth_server();
select tests.signs_in_by('sso:0b1d3f77-0000-4000-8000-000000000000', 'by single sign-on', tests.email('paul'));
select is(tests.linked_to('paul'), null, 'nor an account whose address a single sign-on provider asserts');
select tests.signs_up('paul');
select tests.owner_confirms('paul');
select is(tests.linked_to('paul'), tests.account_id('paul'), 'which does not keep the owner of the address out');

-- one account, one client -------------------------------------------------------------------------------------

select tests.act_as('operator');
update auth.users set email = 'was-anna@pgtap.test' where id = tests.account_id('anna');
select tests.act_as_auth_server();
select tests.creates_account('second', null, email => tests.email('anna'));
select tests.next_transaction();
select tests.owner_confirms('second');
select is(tests.linked_to('anna'), tests.account_id('anna'), 'a second account never takes over');
select tests.act_as('operator');
select tests.create_client('quinn');
update auth.users set email = tests.email('quinn'), email_confirmed_at = null, last_sign_in_at = null
  where id = tests.account_id('boris');
update auth.users set email_confirmed_at = now() where id = tests.account_id('boris');
select is(tests.linked_to('quinn'), null, 'an account of one client is not linked to a second');
delete from auth.users where id = tests.account_id('dora');
select is(tests.linked_to('dora'), null, 'a deleted account leaves its client unlinked');

-- by an admin -------------------------------------------------------------------------------------------------

select tests.sign_up('Rosa'), tests.sign_up('sven', confirmed => false), tests.sign_up('tina');
update auth.users set encrypted_password = 'set by nobody knows whom', email_change_token_new = 'pending'
  where id = tests.account_id('Rosa');
insert into auth.identities (id, provider, provider_id, user_id, identity_data)
values (gen_random_uuid(), 'github', 'another address', tests.account_id('Rosa'),
  '{"email": "stranger@pgtap.test", "email_verified": true}');
insert into auth.flow_state (id, user_id, auth_code, authentication_method, provider_type, code_challenge_method, auth_code_issued_at)
values (gen_random_uuid(), tests.account_id('Rosa'), 'code', 'oauth', 'github', 's256', now());
select tests.starts_session('Rosa');
select tests.act_as('ada');
select is(public.create_client('Rosa', 'rosa@pgtap.test', link_account => true) -> 'linked', 'true',
  'an admin links an older account and says so; e-mails compare without case');
select is(tests.sessions_of('Rosa'), 0::bigint, 'which ends its sessions');
select tests.act_as('operator');
select is(tests.password_of('Rosa'), null, 'and its password');
select ok(not exists (select from auth.identities where user_id = tests.account_id('Rosa'))
  and not exists (select from auth.flow_state where user_id = tests.account_id('Rosa'))
  and exists (select from auth.users where id = tests.account_id('Rosa') and email_change_token_new = ''),
  'and what was pending, or came by another address');
select tests.act_as('ada');
select is(tests.refusal($$select public.create_client('Sven', 'sven@pgtap.test', link_account => true)$$), 'PT422 account_not_found',
  'not one that is unconfirmed');
select is(tests.refusal($$select public.create_client('Ada', 'ada@pgtap.test', link_account => true)$$), 'PT422 account_not_found',
  'nor an admin''s');
select is(tests.refusal($$select public.create_client('Nobody', 'nobody@pgtap.test', link_account => true)$$), 'PT422 account_not_found',
  'nor one that does not exist');
select tests.act_as('eve');
select is(tests.refusal($$select public.create_client('Tina', 'tina@pgtap.test', link_account => true)$$), 'PT403 admin_required',
  'who is no admin links nothing');
select is(tests.refusal($$select private.link_account_by_admin(tests.client_id('paul'))$$), 'PT403 admin_required',
  'not even where it is done');
select is(tests.refusal($$select private.link_account(tests.client_id('lena'), 'tina@pgtap.test')$$), '42501',
  'nor the operator''s way');
select tests.act_as('anna');
select is(tests.refusal($$select email from auth.users$$), '42501', 'a client reads no account');
select is(tests.refusal($$update auth.users set email = 'boris@pgtap.test'$$), '42501',
  'a client cannot give itself a confirmed e-mail');

-- events ------------------------------------------------------------------------------------------------------

select tests.act_as('operator');
select is(tests.link_events('carla'), array['account_linked by operator true'], 'a link by confirmation is an event');
select is(tests.link_events('dora'), array['account_linked by operator true', 'account_unlinked by operator'],
  'and so is its end');
select tests.sign_up('uwe');
update public.clients set user_id = tests.account_id('uwe') where id = tests.client_id('anna');
select is(tests.link_events('anna'),
  array['account_unlinked by operator', 'account_linked by operator false'],
  'a change by the operator''s SQL is two');
update public.clients set user_id = tests.account_id('uwe'), name = 'Anna' where id = tests.client_id('anna');
select is(cardinality(tests.link_events('anna')), 2, 'what changes nothing is none');
select is(
  (select concat_ws(' ', event, actor, actor_id) from private.queued_key_events
    join public.clients on clients.id = client_id
    where clients.email = 'rosa@pgtap.test' and event like 'account%'),
  'account_linked admin ' || tests.account_id('ada'), 'an admin''s link names the admin');

select * from finish();
rollback;
