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
  constraint "a wallet is of a known chain family" check (chain = any (private.chain_families())),
  constraint "a wallet's address is letters and digits" check (length(address) <= 64 and address ~ '^[0-9A-Za-z]+$'),
  constraint "a wallet has a key and its id, or neither" check ((key_id is null) = (encrypted_key is null)),
  constraint "a wallet's envelope names its own row"
    check (encrypted_key is null or private.envelope_names(encrypted_key, client_id, chain, address, key_id)),
  -- Written without is_shown_time for speed, because a rotation checks it for each wallet.
  constraint "its times can be shown" check (
    created_at between '2000-01-01 00:00:00+00' and '9999-12-31 23:59:59.999+00')
);
comment on table public.bot_wallets is
  'The keys that signing reads: each bot''s copy of the trading key, or an own key, which the next rotation replaces.';
create index bot_wallets_by_address on public.bot_wallets (private.address_key(address));

alter table public.bot_wallets enable row level security;
alter table public.bot_wallets force row level security;

create policy "a client sees its own wallets, an admin all" on public.bot_wallets
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client adds wallets to its own bots, an admin to any" on public.bot_wallets
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant
  select (id, bot_id, client_id, address, chain, key_id, master_key_id, created_at),
  insert (bot_id, client_id, address, chain, key_id, encrypted_key)
on public.bot_wallets to authenticated;

-- triggers ----------------------------------------------------------------------------------------------------

create function private.before_wallet_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  trading public.trading_keys;
  bot_chain text;
  addresses text[];
  done boolean;
begin
  done := private.require_own_client(new.client_id);
  done := private.lock_keys_for_change(new.client_id);
  select bot_types.chain into bot_chain
    from public.bots join public.bot_types on bot_types.id = bots.bot_type
    where bots.id = new.bot_id and bots.client_id = new.client_id;
  if not found then
    raise sqlstate 'PT404' using message = 'The resource does not exist, or you have no access to it.', hint = 'resource_not_found';
  end if;
  addresses := array(
    select bot_wallets.address from public.bot_wallets
    where bot_wallets.client_id = new.client_id and bot_wallets.bot_id = new.bot_id);
  if cardinality(addresses) >= 100 then
    raise sqlstate 'PT409' using message = 'The bot has the maximum number of wallets.', hint = 'wallet_limit_reached';
  end if;
  if auth.uid() is not null
    and (select count(*) from public.bot_wallets where bot_wallets.client_id = new.client_id) >= 10000
  then
    raise sqlstate 'PT409' using message = 'The client has the maximum number of wallets.', hint = 'wallet_limit_reached';
  end if;
  select * into trading from public.trading_keys where trading_keys.client_id = new.client_id;
  if not found then
    raise sqlstate 'PT409' using message = 'The client has no trading key.', hint = 'private_key_required';
  end if;
  if new.encrypted_key is null then
    if new.address <> trading.address then
      raise sqlstate 'PT422' using
        message = 'Without a private key, the address must be the address of the trading key.', hint = 'address_mismatch';
    end if;
    if new.chain <> trading.chain then
      raise sqlstate 'PT422' using message = 'The trading key belongs to another chain family.', hint = 'chain_mismatch';
    end if;
    new.address := trading.address;
  end if;
  if new.address = trading.address then
    new.chain := trading.chain;
    new.key_id := trading.key_id;
    new.encrypted_key := trading.encrypted_key;
  else
    done := private.require_bound_envelope(new.encrypted_key, new.client_id, new.chain, new.address, new.key_id);
    if new.key_id = trading.key_id then
      raise sqlstate 'PT422' using message = 'A different private key needs a new key id.', hint = 'envelope_row_mismatch';
    end if;
    done := private.claim_address(new.address, new.client_id);
  end if;
  if bot_chain <> new.chain then
    raise sqlstate 'PT422' using
      message = 'The bot and the key belong to different chain families.', hint = 'chain_mismatch';
  end if;
  if new.address = any (addresses) then
    raise sqlstate 'PT409' using message = 'The bot already has a wallet with this address.', hint = 'wallet_exists';
  end if;
  return new;
end $$;
comment on function private.before_wallet_insert() is
  'If a wallet is added without a key, or with the address of the trading key, it gets a copy of the trading key. Any other key becomes the own key of the wallet.';

create function private.after_wallet_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  event_id constant uuid := private.record_key_event(
    'wallet_added', new.client_id, new.bot_id, new.address, new.chain, new.key_id, null);
begin
  return null;
end $$;
comment on function private.after_wallet_insert() is 'Records the event.';

create function private.stop_bot_without_key() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- Checked first, because an UPDATE fires statement triggers even if it matches no row. After a revocation, no bot runs.
  if exists (select from public.bots where bots.id = old.bot_id and bots.status = 'running')
    and not exists (
      select from public.bot_wallets
      where bot_wallets.client_id = old.client_id and bot_wallets.bot_id = old.bot_id
        and bot_wallets.encrypted_key is not null)
  then
    update public.bots set status = 'stopped', stop_reason = 'key_revoked' where bots.id = old.bot_id;
  end if;
  return null;
end $$;
comment on function private.stop_bot_without_key() is
  'Stops a bot when its last key is removed, also if the operator removes it by SQL.';
create trigger after_delete after delete on public.bot_wallets
  for each row when (old.encrypted_key is not null)
  execute function private.stop_bot_without_key();
-- With a condition, so that a rotation does not call the function for each wallet. Each of them still has a key. A revocation
-- has stopped every bot before it clears the wallets, so the condition also excludes statements of triggers. If a trigger of the
-- operator clears a wallet, its bot keeps running without a key, and signs nothing.
create trigger after_update after update on public.bot_wallets
  for each row when (
    old.encrypted_key is not null and (new.encrypted_key is null or new.bot_id <> old.bot_id)
    and pg_trigger_depth() = 0)
  execute function private.stop_bot_without_key();
create trigger never_truncated before truncate on public.bot_wallets
  for each statement execute function private.refuse_truncate();
create trigger a_lock_own_client before insert on public.bot_wallets
  for each statement execute function private.lock_own_client();
create trigger a_admit_edge before insert on public.bot_wallets
  for each row when (new.encrypted_key is not null and current_user in ('anon', 'authenticated'))
  execute function private.require_edge();
create trigger before_insert before insert on public.bot_wallets
  for each row execute function private.before_wallet_insert();
create trigger after_insert after insert on public.bot_wallets
  for each row execute function private.after_wallet_insert();
