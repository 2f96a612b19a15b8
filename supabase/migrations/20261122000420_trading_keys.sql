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
  constraint "a trading key is of a known chain family" check (chain = any (private.chain_families())),
  constraint "a trading key's address is letters and digits" check (length(address) <= 64 and address ~ '^[0-9A-Za-z]+$'),
  constraint "a trading key's envelope names its own row"
    check (private.envelope_names(encrypted_key, client_id, chain, address, key_id)),
  constraint "its times can be shown" check (private.is_shown_time(created_at) and private.is_shown_time(rotated_at))
);
comment on table public.trading_keys is
  'The current private key of a client, sealed. This table is the source of truth: an UPDATE rotates the key and a DELETE revokes it. Triggers do the rest.';
comment on column public.trading_keys.encrypted_key is
  'The envelope. API roles can write it but cannot read it.';
comment on column public.trading_keys.created_at is 'When the client got its first trading key since the last revocation. A rotation does not change it.';
comment on column public.trading_keys.rotated_at is 'When the current private key was stored.';
create unique index trading_keys_by_address on public.trading_keys (private.address_key(address));

alter table public.trading_keys enable row level security;
alter table public.trading_keys force row level security;

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

grant
  select (id, client_id, address, chain, key_id, version, master_key_id, created_at, rotated_at),
  insert (client_id, address, chain, key_id, encrypted_key),
  update (address, chain, key_id, encrypted_key),
  delete
on public.trading_keys to authenticated;

create function private.raise_trading_key_missing() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT404' using message = 'The client has no trading key.', hint = 'trading_key_missing';
end $$;

grant execute on function private.raise_trading_key_missing() to authenticated;

-- triggers ----------------------------------------------------------------------------------------------------

-- The triggers of keys, wallets and bots enforce the rules of keys for every writer: the functions of the API, a session
-- that calls the REST API directly, and the operator's SQL. They are security definer, because API roles cannot read an
-- envelope and can only add wallets.

create function private.before_trading_key_write() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  new_key constant boolean := tg_op = 'INSERT' or new.key_id <> old.key_id;
  done boolean;
begin
  if tg_op = 'INSERT' then
    done := private.require_own_client(new.client_id);
  elsif new.client_id <> old.client_id then
    raise sqlstate 'PT422' using message = 'A trading key cannot move to another client.', hint = 'envelope_row_mismatch';
  end if;
  if new_key then
    -- lock_keys_for_change without its UPDATE, because the last statement below writes a new version of the client's row.
    done := private.wait_for_lock(private.lock_of_keys(new.client_id), false, new.client_id);
    perform from public.clients where clients.id = new.client_id for no key update;
  else
    done := private.lock_keys_for_change(new.client_id);
  end if;
  -- Checked before the key gets its version number, because "on conflict do nothing" would not undo the new number.
  if tg_op = 'INSERT' and exists (select from public.trading_keys where trading_keys.client_id = new.client_id) then
    raise sqlstate 'PT409' using message = 'The client already has a trading key. Rotate it instead.', hint = 'value_not_unique';
  end if;
  done := private.require_bound_envelope(new.encrypted_key, new.client_id, new.chain, new.address, new.key_id);
  if not new_key then
    if (new.address, new.chain) is distinct from (old.address, old.chain) then
      raise sqlstate 'PT422' using message = 'A different private key needs a new key id.', hint = 'envelope_row_mismatch';
    end if;
    return new;
  end if;
  done := private.claim_address(new.address, new.client_id);
  update public.clients set key_version = clients.key_version + 1
    where clients.id = new.client_id returning clients.key_version into new.version;
  new.rotated_at := now();
  return new;
end $$;
comment on function private.before_trading_key_write() is
  'Locks the client, checks the envelope and the address, and sets the version number of the key. An UPDATE with the same key id is a rewrap: same private key, newer master key.';

create function private.after_trading_key_write() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  wallets integer;
  bots_with_wallet integer;
  event_id uuid;
begin
  -- A write that changes nothing is not recorded.
  if tg_op = 'UPDATE' and new is not distinct from old then return null; end if;
  if tg_op = 'UPDATE' and new.key_id = old.key_id then
    update public.bot_wallets set encrypted_key = new.encrypted_key
      where bot_wallets.client_id = new.client_id and bot_wallets.key_id = new.key_id;
  else
    -- Counted first, because a statement fires its triggers even if it matches no row.
    select count(*), count(distinct bot_wallets.bot_id) into wallets, bots_with_wallet
      from public.bot_wallets where bot_wallets.client_id = new.client_id;
    if wallets > bots_with_wallet then
      delete from public.bot_wallets as later
        where later.client_id = new.client_id and exists (
          select from public.bot_wallets as earlier
          where earlier.client_id = new.client_id and earlier.bot_id = later.bot_id and earlier.id < later.id);
    end if;
    if wallets > 0 then
      update public.bot_wallets
        set address = new.address, chain = new.chain, key_id = new.key_id, encrypted_key = new.encrypted_key
        where bot_wallets.client_id = new.client_id;
      if exists (
        select from public.bots join public.bot_types on bot_types.id = bots.bot_type
        where bots.client_id = new.client_id and bots.status = 'running' and bot_types.chain <> new.chain)
      then
        update public.bots set status = 'stopped', stop_reason = 'chain_mismatch'
          where bots.client_id = new.client_id and bots.status = 'running'
            and bots.bot_type in (select bot_types.id from public.bot_types where bot_types.chain <> new.chain);
      end if;
    end if;
    if tg_op = 'UPDATE' then perform private.end_key_id(old.key_id); end if;
  end if;
  event_id := private.record_key_event(
    case when tg_op = 'INSERT' then 'key_added' when new.key_id = old.key_id then 'key_rewrapped' else 'key_rotated' end,
    new.client_id, null, new.address, new.chain, new.key_id, new.version);
  return null;
end $$;
comment on function private.after_trading_key_write() is
  'Writes the new key to every wallet of every bot of the client. If wallets of a bot become equal, only the first one stays.';

create function private.before_trading_key_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  locked constant boolean := private.lock_keys_for_change(old.client_id, urgent => true);
begin
  return old;
end $$;
comment on function private.before_trading_key_delete() is
  'Locks the client for every writer. A revocation always waits for the lock, however many other transactions wait.';

create function private.after_trading_key_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  event_id uuid;
begin
  perform private.end_tokens_of_client(old.client_id);
  if exists (select from public.bots where bots.client_id = old.client_id and bots.status = 'running') then
    update public.bots set status = 'stopped', stop_reason = 'key_revoked'
      where bots.client_id = old.client_id and bots.status = 'running';
  end if;
  update public.bot_wallets set key_id = null, encrypted_key = null
    where bot_wallets.client_id = old.client_id and bot_wallets.encrypted_key is not null;
  perform private.end_key_id(old.key_id);
  event_id := private.record_key_event(
    'key_revoked', old.client_id, null, old.address, old.chain, old.key_id, old.version);
  return null;
end $$;
comment on function private.after_trading_key_delete() is
  'Stops every bot of the client, removes every ciphertext of its wallets (own keys included), and ends every machine token that signs only for its bots.';
create trigger a_admit_edge before insert or update on public.trading_keys
  for each statement execute function private.require_edge();
create trigger a_lock_own_client before insert or update or delete on public.trading_keys
  for each statement execute function private.lock_own_client();
create trigger before_write before insert or update on public.trading_keys
  for each row execute function private.before_trading_key_write();
create trigger after_write after insert or update on public.trading_keys
  for each row execute function private.after_trading_key_write();
create trigger before_delete before delete on public.trading_keys
  for each row execute function private.before_trading_key_delete();
create trigger after_delete after delete on public.trading_keys
  for each row execute function private.after_trading_key_delete();
create trigger never_truncated before truncate on public.trading_keys
  for each statement execute function private.refuse_truncate();
