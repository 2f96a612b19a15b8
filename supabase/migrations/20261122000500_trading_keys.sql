create table public.trading_keys (
  id uuid primary key default private.uuid_v7(),
  client_id uuid not null,
  address text not null,
  chain text not null,
  key_id uuid not null,
  version integer not null,
  encrypted_key text not null,
  -- The header before the id is the same in every envelope: 66 bytes, which are 88 characters in base64.
  master_key_id text not null generated always as (
    split_part(encode(decode(substr(encrypted_key, 89, 88), 'base64'), 'escape'), '"', 1)) stored,
  created_at timestamptz not null default now(),
  rotated_at timestamptz not null default now(),
  constraint "one trading key for each client" unique (client_id),
  constraint "a trading key belongs to a client" foreign key (client_id) references public.clients (id),
  constraint "a trading key is of a known chain family" check (chain in ('evm', 'solana')),
  constraint "a trading key's address is letters and digits" check (length(address) <= 64 and address ~ '^[0-9A-Za-z]+$'),
  constraint "a trading key's envelope names its own row"
    check (private.envelope_names(encrypted_key, client_id, chain, address, key_id))
);
comment on table public.trading_keys is
  'The current private key of a client, sealed. This table is the source of truth: an UPDATE rotates the key and a DELETE revokes it. Triggers do the rest.';
comment on column public.trading_keys.encrypted_key is
  'The envelope. API roles can write it but cannot read it.';
comment on column public.trading_keys.created_at is 'When the client got its first trading key since the last revocation. A rotation does not change it.';
comment on column public.trading_keys.rotated_at is 'When the current private key was stored.';

create unique index trading_keys_by_address on public.trading_keys (private.address_key(address));

create table public.bot_wallets (
  id uuid primary key default private.uuid_v7(),
  bot_id uuid not null,
  client_id uuid not null,
  address text not null,
  chain text not null,
  key_id uuid,
  encrypted_key text,
  master_key_id text generated always as (
    split_part(encode(decode(substr(encrypted_key, 89, 88), 'base64'), 'escape'), '"', 1)) stored,
  created_at timestamptz not null default now(),
  -- client_id comes first, so that this index also finds the wallets of a client. A second index would make rotations
  -- slower, because a rotation writes to each index for each wallet.
  constraint "a bot has a wallet once" unique (client_id, bot_id, address),
  constraint "a wallet belongs to a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id),
  constraint "a wallet is of a known chain family" check (chain in ('evm', 'solana')),
  constraint "a wallet's address is letters and digits" check (length(address) <= 64 and address ~ '^[0-9A-Za-z]+$'),
  constraint "a wallet has a key and its id, or neither" check ((key_id is null) = (encrypted_key is null)),
  constraint "a wallet's envelope names its own row"
    check (encrypted_key is null or private.envelope_names(encrypted_key, client_id, chain, address, key_id))
);
comment on table public.bot_wallets is
  'The keys that signing reads: each bot''s copy of the trading key, or an own key, which the next rotation replaces.';
create index bot_wallets_by_address on public.bot_wallets (private.address_key(address));

alter table public.trading_keys enable row level security;
alter table public.trading_keys force row level security;
alter table public.bot_wallets enable row level security;
alter table public.bot_wallets force row level security;

create policy "a client sees its own trading key, an admin all" on public.trading_keys
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client puts in its own trading key, an admin any" on public.trading_keys
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client rotates its own trading key only, an admin any" on public.trading_keys
  for update to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()))
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client revokes its own trading key only, an admin any" on public.trading_keys
  for delete to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

create policy "a client sees its own wallets, an admin all" on public.bot_wallets
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client adds wallets to its own bots, an admin to any" on public.bot_wallets
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant
  select (id, client_id, address, chain, key_id, version, master_key_id, created_at, rotated_at),
  insert (client_id, address, chain, key_id, encrypted_key),
  update (address, chain, key_id, encrypted_key),
  delete
on public.trading_keys to authenticated;
grant
  select (id, bot_id, client_id, address, chain, key_id, master_key_id, created_at),
  insert (bot_id, client_id, address, chain, key_id, encrypted_key)
on public.bot_wallets to authenticated;
