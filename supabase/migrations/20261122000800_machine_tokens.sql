create table public.machine_tokens (
  id uuid primary key default private.uuid_v7(),
  client_id uuid,
  bot_id uuid,
  name text not null,
  token_hash bytea not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint "a machine token is found by its hash" unique (token_hash),
  constraint "a machine token's hash is a SHA-256" check (octet_length(token_hash) = 32),
  constraint "a machine token's name has 1 to 200 characters" check (length(name) between 1 and 200),
  constraint "a machine token may be of a client" foreign key (client_id) references public.clients (id),
  constraint "a machine token may be of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id)
);
comment on table public.machine_tokens is 'What runners sign in with; only the hash is kept.';
create index machine_tokens_by_client on public.machine_tokens (client_id);
create index machine_tokens_by_bot on public.machine_tokens (bot_id, client_id);

alter table public.machine_tokens enable row level security;
alter table public.machine_tokens force row level security;
create policy "a client sees its own machine tokens, an admin all" on public.machine_tokens
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
grant select (id, client_id, bot_id, name, created_at, expires_at, last_used_at, revoked_at)
  on public.machine_tokens to authenticated;
