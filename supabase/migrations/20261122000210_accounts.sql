-- Which account acts for a client.
--
-- An account is linked when its e-mail address is confirmed for the first time, if a client with this address waits for an
-- account: its owner has just proved that the mailbox is theirs. Otherwise an admin or the operator links it and says so.
-- Signing in, a later change of the address and what a single sign-on provider asserts link nothing.
--
-- Anybody can sign up with another's address. So linking ends every way into the account that was set up before.

-- ways into an account ----------------------------------------------------------------------------------------

create function private.end_sessions(account_id uuid) returns integer
language plpgsql set search_path = '' as $$
declare
  ended integer;
begin
  -- Supabase Auth stores this account id as text, and has kept refresh tokens without a session.
  delete from auth.refresh_tokens where refresh_tokens.user_id::text = end_sessions.account_id::text;
  delete from auth.sessions where sessions.user_id = end_sessions.account_id;
  get diagnostics ended = row_count;
  return ended;
end $$;
comment on function private.end_sessions(uuid) is
  'Ends the sessions of an account: none can be refreshed. Access tokens stay valid until they expire.';

create function private.end_sign_ins(account_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform private.end_sessions(end_sign_ins.account_id);
  update auth.users
    set encrypted_password = null, email_change = '', email_change_token_new = '', email_change_token_current = '',
      phone = null, phone_confirmed_at = null, phone_change = '', phone_change_token = ''
    where users.id = end_sign_ins.account_id;
  -- An identity stays if its provider vouches for the account's own address.
  delete from auth.identities
    where identities.user_id = end_sign_ins.account_id and identities.provider <> 'email'
      and not exists (
        select from auth.users
        where users.id = end_sign_ins.account_id
          and lower(users.email collate "C") = lower((identities.identity_data ->> 'email') collate "C")
          and identities.identity_data -> 'email_verified' = 'true');
  -- A sign-in that has its code already, and an identity that is about to be added. By name: versions differ in columns.
  delete from auth.flow_state
    where to_jsonb(flow_state) ->> 'linking_target_id' = end_sign_ins.account_id::text
      or flow_state.user_id = end_sign_ins.account_id and to_jsonb(flow_state) ->> 'auth_code_issued_at' is not null;
  -- Not every version has these tables.
  if to_regclass('auth.one_time_tokens') is not null then
    delete from auth.one_time_tokens where one_time_tokens.user_id = end_sign_ins.account_id;
  end if;
  if to_regclass('auth.webauthn_credentials') is not null then
    delete from auth.webauthn_credentials where webauthn_credentials.user_id = end_sign_ins.account_id;
  end if;
end $$;
comment on function private.end_sign_ins(uuid) is
  'Leaves the mailbox as the only way into an account: password, phone, sessions, pending changes, passkeys and identities under other addresses end. Second factors stay.';

-- linking -----------------------------------------------------------------------------------------------------

create function private.after_account_confirmed() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  -- An admin or an identity provider creates an account and confirms its address in one transaction.
  this_creation constant text := new.id || ' in transaction ' || pg_current_xact_id();
  created_here constant boolean :=
    tg_op = 'INSERT' or current_setting('trading_keys.created_account', true) = this_creation;
begin
  if tg_op = 'INSERT' then perform set_config('trading_keys.created_account', this_creation, true); end if;
  if new.email_confirmed_at is null or new.is_sso_user then return null; end if;
  if tg_op = 'UPDATE' then
    if old.email_confirmed_at is not null or old.email is distinct from new.email then return null; end if;
    -- Whoever was in the account before may hold a valid access token and may have changed the address.
    if not created_here and old.last_sign_in_at is not null then return null; end if;
  end if;
  begin
    -- Only A to Z are folded. By the rules of Unicode the Kelvin sign is a k, and its mailbox belongs to somebody else.
    update public.clients set user_id = new.id
      where clients.email = lower(new.email collate "C") and clients.user_id is null
        -- An account that is older than its client is linked by an admin or the operator only.
        and clients.created_at <= new.created_at
        and not exists (select from public.clients as linked where linked.user_id = new.id);
    if found and not created_here then perform private.end_sign_ins(new.id); end if;
  exception when insufficient_privilege or undefined_table or undefined_column then
    -- Supabase Auth keeps its tables in another way than this file knows: the client stays unlinked.
    raise warning 'An account was confirmed and not linked: %', sqlerrm;
  end;
  return null;
end $$;
comment on function private.after_account_confirmed() is
  'Links an account at the first confirmation of its address. Definer: the Auth server, which fires it, has no rights on clients.';
create trigger link_account_to_client
  after insert or update of email_confirmed_at on auth.users
  for each row execute function private.after_account_confirmed();

create function private.account_with_email(email text) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  found_ids uuid[];
begin
  select array_agg(users.id) into found_ids from auth.users
    where lower(users.email collate "C") = lower(account_with_email.email collate "C")
      and users.email_confirmed_at is not null and not users.is_sso_user;
  return case when cardinality(found_ids) = 1 then found_ids[1] end;
end $$;
comment on function private.account_with_email(text) is
  'The account that confirmed this address. Null if there is none, or more than one. Accounts of a single sign-on provider do not count: the provider asserts any address.';

create function private.link_account(client_id uuid, email text) returns uuid
language plpgsql set search_path = '' as $$
declare
  account_id constant uuid := private.account_with_email(link_account.email);
begin
  perform from auth.users where users.id = account_id for update;
  if not found or exists (select from public.clients where clients.user_id = account_id) then
    raise sqlstate 'PT422' using message = 'There is no such account that can be linked.', hint = 'account_not_found';
  end if;
  update public.clients set user_id = account_id where clients.id = link_account.client_id and clients.user_id is null;
  if not found then
    raise sqlstate 'PT409' using message = 'There is no such client, or it is linked to an account.', hint = 'value_taken';
  end if;
  perform private.end_sign_ins(account_id);
  return account_id;
end $$;
comment on function private.link_account(uuid, text) is
  'Links the account that confirmed this address to a client, and ends its sign-ins: nobody knows who set its password. For the operator.';

create function private.link_account_by_admin(client_id uuid) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  email text;
begin
  perform private.require_admin();
  select clients.email into email from public.clients where clients.id = link_account_by_admin.client_id;
  -- Linking ends the account's sign-ins. An admin cannot do that to another admin.
  if private.account_with_email(email) in (select admins.user_id from private.admins) then
    raise sqlstate 'PT422' using message = 'There is no such account that can be linked.', hint = 'account_not_found';
  end if;
  return private.link_account(link_account_by_admin.client_id, email);
end $$;
comment on function private.link_account_by_admin(uuid) is
  'Links the account that has the client''s own address. Definer: admins have no rights on auth.users. Its first statement rejects everybody else.';
grant execute on function private.link_account_by_admin(uuid) to authenticated;

create function private.unlink_account(client_id uuid) returns uuid
language plpgsql set search_path = '' as $$
declare
  account_id uuid;
begin
  select clients.user_id into account_id from public.clients where clients.id = unlink_account.client_id for no key update;
  update public.clients set user_id = null where clients.id = unlink_account.client_id and clients.user_id is not null;
  return account_id;
end $$;
comment on function private.unlink_account(uuid) is
  'Takes a client from its account, whose sessions see nothing from then on; which account it was. For the operator.';

create function private.reset_factors(email text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  account_id constant uuid := private.account_with_email(reset_factors.email);
  client_id constant uuid := (select clients.id from public.clients where clients.user_id = account_id);
  factors integer := 0;
  sessions integer;
begin
  if account_id is null then
    raise sqlstate 'PT404' using message = 'There is no such account.', hint = 'account_not_found';
  end if;
  if to_regclass('auth.mfa_factors') is not null then
    delete from auth.mfa_factors where mfa_factors.user_id = account_id;
    get diagnostics factors = row_count;
  end if;
  sessions := private.end_sessions(account_id);
  if factors + sessions > 0 then
    perform private.record_event('factor_reset', coalesce(client_id, private.deployment()), detail =>
      jsonb_build_object('account_id', account_id, 'factors', factors, 'sessions', sessions));
  end if;
  return jsonb_build_object('account_id', account_id, 'client_id', client_id, 'factors', factors, 'sessions', sessions);
end $$;
comment on function private.reset_factors(text) is
  'Removes the second factors of an account and ends its sessions. For the operator, who has verified the owner by other means.';

-- events ------------------------------------------------------------------------------------------------------

create function private.after_client_link_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and old.user_id is not distinct from new.user_id then return null; end if;
  if tg_op = 'UPDATE' and old.user_id is not null then
    perform private.record_event('account_unlinked', new.id, detail => jsonb_build_object('account_id', old.user_id));
  end if;
  if new.user_id is not null then
    -- A trigger links at the confirmation; everybody else does so in a statement of their own.
    perform private.record_event('account_linked', new.id, detail =>
      jsonb_build_object('account_id', new.user_id, 'by_confirmation', pg_trigger_depth() > 1));
  end if;
  return null;
end $$;
comment on function private.after_client_link_change() is
  'Writes the events, also of a link that ends because the account was deleted. Definer: API roles cannot write them.';
create trigger record_link
  after insert or update of user_id on public.clients
  for each row execute function private.after_client_link_change();

-- sign-up -----------------------------------------------------------------------------------------------------

create function private.before_user_created_hook(event jsonb) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  if exists (
    select from public.clients
    where clients.email = lower((event -> 'user' ->> 'email') collate "C") and clients.user_id is null)
  then
    return '{}';
  end if;
  return jsonb_build_object('error', jsonb_build_object(
    'http_code', 403, 'message', 'Only the e-mail address of a client that has no account yet can sign up.'));
end $$;
comment on function private.before_user_created_hook(jsonb) is
  'Supabase Auth''s before-user-created hook: sign-up is open to the addresses of unlinked clients. Definer: the Auth server has no rights on clients.';

do $$
begin
  -- The role of Supabase Auth, which calls the hook. Other servers have no such role, and call no hooks.
  if exists (select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin') then
    grant usage on schema private to supabase_auth_admin;
    grant execute on function private.before_user_created_hook(jsonb) to supabase_auth_admin;
  end if;
end $$;
