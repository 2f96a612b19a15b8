create table private.admins (
  user_id uuid primary key references auth.users (id) on delete cascade,
  created_at timestamptz not null default now()
);
comment on table private.admins is 'Accounts of admins, who run the platform. Only the operator writes this table.';

create function private.deployment() returns uuid
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return '00000000-0000-0000-0000-000000000000'::uuid;
end $$;
comment on function private.deployment() is
  'The id of the deployment''s chain, used in place of a client id for events that belong to no client. No client has this id, and chains have no foreign key to clients.';

create table public.clients (
  id uuid primary key default private.uuid_v7(),
  name text not null,
  email text not null,
  user_id uuid,
  key_version integer not null default 0,
  created_at timestamptz not null default now(),
  constraint "one client for each e-mail" unique (email),
  constraint "one client for each account" unique (user_id),
  constraint "the account exists" foreign key (user_id) references auth.users (id) on delete set null,
  constraint "a client's name is a name" check (private.is_name(name)),
  constraint "an e-mail is in lower case" check (email = lower(email collate "C") and length(email) between 3 and 320),
  constraint "no client has the id of the deployment's chain" check (id <> private.deployment()),
  constraint "its times can be shown" check (private.is_shown_time(created_at))
);
comment on table public.clients is
  'A client of the platform (a tenant). It has at most one trading key and any number of bots up to a limit.';
comment on column public.clients.key_version is 'How many trading keys the client has had so far: the version number of the newest one.';

alter table private.admins enable row level security;
alter table private.admins force row level security;
alter table public.clients enable row level security;
alter table public.clients force row level security;

create function private.caller_id() returns uuid
language plpgsql stable set search_path = '' as $$
begin
  -- Supabase's OAuth 2.1 server issues tokens to other programs that an account has authorized. Such a token has the role of
  -- the account, and without this check it would have all rights of the account. The edge rejects it: oauth_token_rejected.
  if auth.jwt() ? 'client_id' then return null; end if;
  return auth.uid();
end $$;
comment on function private.caller_id() is
  'The account that signed in. Null for a token that the account gave to another program (OAuth). Policies and functions that grant something use this function and not auth.uid().';

create policy "an account sees whether it is an admin" on private.admins
  for select to authenticated using (user_id = (select private.caller_id()));

grant select on private.admins to authenticated;

-- These two functions are definer, so that they always run in one role. A plan that reads a table with row-level security is
-- valid for one role only. Policies call them in the role of the caller and triggers as the owner, in turns, and PostgreSQL
-- would plan their queries again each time. They take no argument, and find only what belongs to the caller.

create function private.is_admin() returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare
  caller constant uuid := private.caller_id();
begin
  if caller is null then return false; end if;
  return exists (select from private.admins where admins.user_id = caller);
end $$;
comment on function private.is_admin() is
  'Whether the caller is an admin. Definer: see above.';

create function private.own_client_id() returns uuid
language plpgsql stable security definer set search_path = '' as $$
declare
  caller constant uuid := private.caller_id();
begin
  if caller is null then return null; end if;
  return (select clients.id from public.clients where clients.user_id = caller);
end $$;
comment on function private.own_client_id() is
  'The client that the caller''s account is linked to, if any. Definer: see is_admin.';

create policy "a client sees itself, an admin every client" on public.clients
  for select to authenticated
  using (user_id = (select private.caller_id()) or (select private.is_admin()));
create policy "an admin creates clients" on public.clients
  for insert to authenticated
  with check ((select private.is_admin()));
create policy "a client renames itself, an admin any client" on public.clients
  for update to authenticated
  using (user_id = (select private.caller_id()) or (select private.is_admin()))
  with check (user_id = (select private.caller_id()) or (select private.is_admin()));

-- A security invoker function can lock the row because the caller has the right to update the name.
grant select, insert (name, email), update (name) on public.clients to authenticated;
grant execute on function private.caller_id(), private.is_admin(), private.own_client_id() to authenticated;

-- who may do what ---------------------------------------------------------------------------------------------

create function private.require_admin() returns boolean
language plpgsql stable set search_path = '' as $$
begin
  if not private.is_admin() then
    raise sqlstate 'PT403' using message = 'Only an admin can do this.', hint = 'admin_required';
  end if;
  return true;
end $$;

create function private.require_own_client(client_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  if auth.uid() is not null
    and require_own_client.client_id is distinct from private.own_client_id() and not private.is_admin()
  then
    raise sqlstate 'PT404' using message = 'The resource does not exist, or you have no access to it.', hint = 'resource_not_found';
  end if;
  return true;
end $$;
comment on function private.require_own_client(uuid) is
  'Applies the rule of the policies before any other check of a new row. Triggers run before policies, and their errors would otherwise reveal the keys of another client.';

create function private.require_client(client_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  perform from public.clients where clients.id = require_client.client_id;
  if not found then perform private.raise_not_found(); end if;
  return true;
end $$;

-- triggers ----------------------------------------------------------------------------------------------------

create trigger a_share_own_client before update on public.clients
  for each statement when (pg_trigger_depth() = 0) execute function private.share_own_client();

grant execute on function private.require_admin(), private.require_client(uuid), private.deployment() to authenticated;
