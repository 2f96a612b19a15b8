create table public.machine_tokens (
  id uuid primary key default private.uuid_v7(),
  client_id uuid,
  name text not null,
  token_hash bytea not null,
  scope text not null default 'bots',
  master_key_id text,
  created_by uuid default auth.uid(),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  constraint "a machine token is found by its hash" unique (token_hash),
  constraint "a machine token's hash is a SHA-256" check (octet_length(token_hash) = 32),
  constraint "a machine token's name is a name" check (private.is_name(name)),
  constraint "a machine token expires between the years 2000 and 9999" check (private.is_shown_time(expires_at)),
  constraint "a machine token may be of a client" foreign key (client_id) references public.clients (id),
  constraint "a machine token is for bots or for one kind of cron work" check (scope in ('bots', 'monitor', 'rewrap')),
  constraint "a machine token for cron work is of no client" check (scope = 'bots' or client_id is null),
  constraint "a machine token for rewrapping names the new master key and ends within a week" check (
    case when scope = 'rewrap'
      then coalesce(master_key_id ~ '^[0-9A-Za-z_-]{1,64}$' and expires_at <= created_at + interval '7 days', false)
      else master_key_id is null end)
);
comment on table public.machine_tokens is
  'What runners sign in with; only the hash is kept. A token without a client is an admin''s, for bots of any.';
comment on column public.machine_tokens.scope is
  'API roles make tokens for bots alone; those for cron work are the operator''s to make.';
comment on column public.machine_tokens.master_key_id is
  'Of a token for rewrapping: the master key that envelopes are moved to. It lets out none that this key sealed.';
create index machine_tokens_by_client on public.machine_tokens (client_id);

create table public.machine_token_bots (
  token_id uuid not null,
  bot_id uuid not null,
  client_id uuid not null,
  primary key (token_id, bot_id),
  constraint "a token that is deleted signs for no bot"
    foreign key (token_id) references public.machine_tokens (id) on delete cascade,
  constraint "a token signs for a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id)
);
comment on table public.machine_token_bots is 'The bots that a machine token signs for.';
create index machine_token_bots_by_bot on public.machine_token_bots (bot_id, client_id);
create index machine_token_bots_by_client on public.machine_token_bots (client_id);

alter table public.machine_tokens enable row level security;
alter table public.machine_tokens force row level security;
alter table public.machine_token_bots enable row level security;
alter table public.machine_token_bots force row level security;

create policy "a client sees which tokens sign for its bots, an admin all" on public.machine_token_bots
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client lets its own tokens sign for its own bots, an admin any" on public.machine_token_bots
  for insert to authenticated
  with check (
    (select private.is_admin())
    or (client_id = (select private.own_client_id()) and token_id in (
      select id from public.machine_tokens where machine_tokens.client_id = (select private.own_client_id()))));

create policy "a client sees its own machine tokens, an admin all" on public.machine_tokens
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client makes tokens of its own, an admin any" on public.machine_tokens
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client revokes its own tokens, an admin any" on public.machine_tokens
  for delete to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant
  select (id, client_id, name, created_by, created_at, expires_at, last_used_at),
  insert (id, client_id, name, token_hash, expires_at),
  delete
on public.machine_tokens to authenticated;
grant select, insert on public.machine_token_bots to authenticated;
