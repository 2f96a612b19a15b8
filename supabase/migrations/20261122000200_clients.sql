create table private.admins (
  user_id uuid primary key references auth.users (id) on delete cascade,
  created_at timestamptz not null default now()
);
comment on table private.admins is 'Accounts that run the platform. Written by the operator only.';

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
  constraint "an e-mail is in lower case" check (email = lower(email collate "C") and length(email) between 3 and 320)
);
comment on table public.clients is
  'A tenant. Its row is the lock of its keys: every key change takes it first, signing takes the shared form.';
comment on column public.clients.key_version is 'Number of the newest trading key, over all that the client ever had.';

alter table private.admins enable row level security;
alter table private.admins force row level security;
alter table public.clients enable row level security;
alter table public.clients force row level security;

create policy "an account sees whether it is an admin" on private.admins
  for select to authenticated using (user_id = (select auth.uid()));
grant select on private.admins to authenticated;

create function private.is_admin() returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (select from private.admins where admins.user_id = (select auth.uid()));
end $$;
comment on function private.is_admin() is 'Whether the caller is an admin.';

create function private.own_client_id() returns uuid
language plpgsql stable set search_path = '' as $$
begin
  return (select clients.id from public.clients where clients.user_id = (select auth.uid()));
end $$;
comment on function private.own_client_id() is 'The client that the caller''s account is linked to, if any.';

create policy "a client sees itself, an admin every client" on public.clients
  for select to authenticated
  using (user_id = (select auth.uid()) or (select private.is_admin()));
create policy "an admin creates clients" on public.clients
  for insert to authenticated
  with check ((select private.is_admin()));
create policy "a client renames itself, an admin any client" on public.clients
  for update to authenticated
  using (user_id = (select auth.uid()) or (select private.is_admin()))
  with check (user_id = (select auth.uid()) or (select private.is_admin()));

-- The right to rename is also what lets a function run by the caller lock the row.
grant select, insert (name, email), update (name) on public.clients to authenticated;

-- An account with a client's confirmed e-mail is linked, once: at sign-up, confirmation or sign-in, or when the
-- client is created after the account. A linked client is never linked anew by e-mail. Only A to Z are folded: by the
-- rules of Unicode the Kelvin sign is a k, and its owner would be somebody else's.

create function private.link_account_to_client() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.email_confirmed_at is not null then
    update public.clients set user_id = new.id
    where clients.email = lower(new.email collate "C") and clients.user_id is null
      and not exists (select from public.clients as linked where linked.user_id = new.id);
  end if;
  return new;
end $$;
comment on function private.link_account_to_client() is
  'Definer: the Auth server, which fires it, has no rights on clients.';
create trigger link_account_to_client
  after insert or update of email, email_confirmed_at, last_sign_in_at on auth.users
  for each row execute function private.link_account_to_client();

create function private.link_client_to_account() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.user_id := (
    select users.id from auth.users
    where lower(users.email collate "C") = new.email and users.email_confirmed_at is not null
      and not exists (select from public.clients as linked where linked.user_id = users.id)
    order by users.created_at limit 1);
  return new;
end $$;
comment on function private.link_client_to_account() is 'Definer: admins have no rights on auth.users.';
create trigger link_client_to_account
  before insert on public.clients
  for each row execute function private.link_client_to_account();

grant execute on function private.is_admin(), private.own_client_id() to authenticated;
