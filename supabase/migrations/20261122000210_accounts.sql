-- Which account is linked to a client. The linked account acts for the client.
--
-- An account is linked when its e-mail address is confirmed for the first time, if a client with this address has no account
-- yet. At that moment the user has proved that the mailbox is theirs. In all other cases an admin or the operator links the
-- account explicitly. A sign-in, a later change of the address, or an address from a single sign-on provider links nothing.
--
-- Anybody can sign up with somebody else's address. So linking removes every sign-in method that was set up before.

-- sign-in methods of an account -------------------------------------------------------------------------------

create function private.end_sessions(account_id uuid) returns integer
language plpgsql set search_path = '' as $$
declare
  ended integer;
begin
  -- Supabase Auth stores this account id as text. Older versions stored refresh tokens without a session.
  delete from auth.refresh_tokens where refresh_tokens.user_id::text = end_sessions.account_id::text;
  delete from auth.sessions where sessions.user_id = end_sessions.account_id;
  get diagnostics ended = row_count;
  return ended;
end $$;
comment on function private.end_sessions(uuid) is
  'Ends the sessions of an account, so that no session can be refreshed. Access tokens stay valid until they expire.';

create function private.end_sign_ins(account_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform private.end_sessions(end_sign_ins.account_id);
  update auth.users
    set encrypted_password = null, email_change = '', email_change_token_new = '', email_change_token_current = '',
      phone = null, phone_confirmed_at = null, phone_change = '', phone_change_token = ''
    where users.id = end_sign_ins.account_id;
  -- An identity stays if its provider has verified the same address that the account has.
  delete from auth.identities
    where identities.user_id = end_sign_ins.account_id and identities.provider <> 'email'
      and not exists (
        select from auth.users
        where users.id = end_sign_ins.account_id
          and lower(users.email collate "C") = lower((identities.identity_data ->> 'email') collate "C")
          and identities.identity_data -> 'email_verified' = 'true');
  -- Sign-ins that already have their code, and identities that are about to be added. The columns are read through JSON,
  -- because not every version of Supabase Auth has them.
  delete from auth.flow_state
    where to_jsonb(flow_state) ->> 'linking_target_id' = end_sign_ins.account_id::text
      or flow_state.user_id = end_sign_ins.account_id and to_jsonb(flow_state) ->> 'auth_code_issued_at' is not null;
  -- Not every version of Supabase Auth has these tables.
  if to_regclass('auth.one_time_tokens') is not null then
    delete from auth.one_time_tokens where one_time_tokens.user_id = end_sign_ins.account_id;
  end if;
  if to_regclass('auth.webauthn_credentials') is not null then
    delete from auth.webauthn_credentials where webauthn_credentials.user_id = end_sign_ins.account_id;
  end if;
end $$;
comment on function private.end_sign_ins(uuid) is
  'Removes every sign-in method of an account except its mailbox: password, phone, sessions, pending changes, passkeys, and identities under other addresses. Second factors stay.';

-- linking -----------------------------------------------------------------------------------------------------

create function private.after_account_confirmed() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  -- An admin or an identity provider creates an account and confirms its address in one transaction.
  this_creation constant text := new.id || ' in transaction ' || pg_current_xact_id();
  created_here constant boolean :=
    -- Null on a connection that never set it.
    tg_op = 'INSERT' or coalesce(current_setting('trading_keys.created_account', true), '') = this_creation;
begin
  if tg_op = 'INSERT' then perform set_config('trading_keys.created_account', this_creation, true); end if;
  if new.email_confirmed_at is null or new.is_sso_user then return null; end if;
  if tg_op = 'UPDATE' then
    if old.email_confirmed_at is not null or old.email is distinct from new.email then return null; end if;
    -- Somebody who signed in to the account earlier may have a valid access token and may have changed the address.
    if not created_here and old.last_sign_in_at is not null then return null; end if;
  end if;
  begin
    -- Only A to Z become lower case. In Unicode the Kelvin sign becomes a k, and that mailbox belongs to somebody else.
    update public.clients set user_id = new.id
      where clients.email = lower(new.email collate "C") and clients.user_id is null
        -- If the account is older than the client, only an admin or the operator can link it.
        and clients.created_at <= new.created_at
        and not exists (select from public.clients as linked where linked.user_id = new.id);
    if found and not created_here then perform private.end_sign_ins(new.id); end if;
  exception when insufficient_privilege or undefined_table or undefined_column then
    -- The tables of this version of Supabase Auth differ from what this file expects. The client stays unlinked.
    raise warning 'An account was confirmed but could not be linked: %', sqlerrm;
  end;
  return null;
end $$;
comment on function private.after_account_confirmed() is
  'Links an account when its address is confirmed for the first time. Definer: the Auth server, whose statement fires this trigger, has no rights on clients.';
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
  'The account that confirmed this address, or null if no account or more than one did. Accounts of a single sign-on provider do not count, because the provider can claim any address.';

create function private.link_account(client_id uuid, email text) returns uuid
language plpgsql set search_path = '' as $$
declare
  account_id constant uuid := private.account_with_email(link_account.email);
begin
  perform from auth.users where users.id = account_id for update;
  if not found or exists (select from public.clients where clients.user_id = account_id) then
    raise sqlstate 'PT422' using message = 'No account with this confirmed e-mail address can be linked.', hint = 'account_not_found';
  end if;
  update public.clients set user_id = account_id where clients.id = link_account.client_id and clients.user_id is null;
  if not found then
    raise sqlstate 'PT409' using message = 'The client does not exist, or it is already linked to an account.', hint = 'value_not_unique';
  end if;
  perform private.end_sign_ins(account_id);
  return account_id;
end $$;
comment on function private.link_account(uuid, text) is
  'Links the account that confirmed this address to a client, and removes its other sign-in methods, because somebody else may have set its password. For the operator.';

create function private.link_account_by_admin(client_id uuid) returns uuid
language plpgsql security definer set search_path = '' as $$
declare
  email text;
begin
  perform private.require_admin();
  select clients.email into email from public.clients where clients.id = link_account_by_admin.client_id;
  -- Linking ends the account's sign-ins. An admin cannot do that to another admin.
  if private.account_with_email(email) in (select admins.user_id from private.admins) then
    raise sqlstate 'PT422' using message = 'No account with this confirmed e-mail address can be linked.', hint = 'account_not_found';
  end if;
  return private.link_account(link_account_by_admin.client_id, email);
end $$;
comment on function private.link_account_by_admin(uuid) is
  'Links the account that has the client''s e-mail address. Definer: admins have no rights on auth.users. The first statement rejects every caller who is not an admin.';

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
  'Unlinks a client from its account and returns the id of the account. From then on sessions of the account see nothing of the client. For the operator.';

create function private.reset_factors(email text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  account_id constant uuid := private.account_with_email(reset_factors.email);
  client_id constant uuid := (select clients.id from public.clients where clients.user_id = account_id);
  factors integer := 0;
  sessions integer;
begin
  if account_id is null then
    raise sqlstate 'PT404' using message = 'No account has this confirmed e-mail address.', hint = 'account_not_found';
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
    -- Only the link at confirmation is made by a trigger, so its depth is greater than 1.
    perform private.record_event('account_linked', new.id, detail =>
      jsonb_build_object('account_id', new.user_id, 'by_confirmation', pg_trigger_depth() > 1));
  end if;
  return null;
end $$;
comment on function private.after_client_link_change() is
  'Records when an account is linked or unlinked, also when the link ends because the account was deleted. Definer: API roles cannot write events.';
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
    'http_code', 403, 'message', 'Sign-up is only possible with the e-mail address of a client that has no account yet.'));
end $$;
comment on function private.before_user_created_hook(jsonb) is
  'The before-user-created hook of Supabase Auth. It allows a sign-up only with the address of a client that has no account yet. Definer: the Auth server has no rights on clients.';

do $$
begin
  -- Supabase Auth calls the hook in this role. Servers without Supabase Auth do not have the role and call no hooks.
  if exists (select from pg_catalog.pg_roles where rolname = 'supabase_auth_admin') then
    grant usage on schema private to supabase_auth_admin;
    grant execute on function private.before_user_created_hook(jsonb) to supabase_auth_admin;
  end if;
end $$;
