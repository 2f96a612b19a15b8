-- These triggers are the law of keys: they hold for the API's functions, for a client's own session straight at
-- the REST API, and for the operator's SQL alike. They are security definer because the API roles can neither
-- read an envelope nor write wallets of bots other than by adding one.
--
-- Order of locks, everywhere: one's turn to change the client's keys, the row of the trading key, the lock of the
-- client's keys, the client's row, then its bots and wallets, then addresses.

create function private.name_of_lock(kind text, id text) returns bigint
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  -- SHA-256, since callers choose ids too: hashtextextended is run backwards in seconds, to an address that is called
  -- as the lock of another client's keys.
  return ('x' || left(encode(sha256(convert_to(kind || ' ' || id, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end $$;

create function private.hold_keys(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  -- The row first, as an UPDATE or DELETE by anybody's SQL does: PostgreSQL locks a row before it asks a row's trigger.
  perform from public.trading_keys where trading_keys.client_id = hold_keys.client_id for update;
  -- Signing takes the shared form of this lock. Not of a row's lock: who shares a row's lock with others may pass
  -- by who waits to have it alone, so that a bot that signs without end could hold off its revocation for ever.
  -- Here they stand in one queue.
  perform pg_advisory_xact_lock(private.name_of_lock('keys of client', hold_keys.client_id::text));
  perform from public.clients where clients.id = hold_keys.client_id for no key update;
end $$;
comment on function private.hold_keys(uuid) is
  'What lock_keys does when it is its turn; alone for the triggers of rows, since whoever came past lock_keys has the row by then.';

create function private.lock_keys(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  -- In a queue before the row: of a row that was changed meanwhile whoever comes last may be the first to have the new
  -- version, so that a session that rotates without end could hold off a revocation. And whoever finds no row to lock
  -- has no one beside them who finds the one that came then.
  perform pg_advisory_xact_lock(private.name_of_lock('key changes of client', lock_keys.client_id::text));
  perform private.hold_keys(lock_keys.client_id);
end $$;
comment on function private.lock_keys(uuid) is 'What every key change of a client does first.';

create function private.lock_own_client() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.lock_keys(clients.id) from public.clients
    where clients.user_id = (select auth.uid()) and not (select private.is_admin());
  return null;
end $$;
comment on function private.lock_own_client() is
  'Runs before a statement touches any row, so that a client''s own session, too, locks its client first. Not for admins: they may hold another client''s lock by then, and waiting for a second is how deadlocks are made.';

create function private.lock_addresses(addresses text[]) returns void
language sql set search_path = ''
begin atomic
  -- Of a kind of their own: as they come from the caller they could be called as another's lock is.
  select pg_advisory_xact_lock(locks.lock) from (
    select distinct private.name_of_lock('address', private.address_key(address)) as lock
    from unnest(addresses) as address order by lock) as locks;
end;
comment on function private.lock_addresses(text[]) is
  'All in one order: two clients that bring the same addresses in different orders would wait for each other.';

create function private.claim_address(address text, client_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  -- Two clients that bring the same address at once meet here, whichever table they write.
  perform private.lock_addresses(array[claim_address.address]);
  if exists (
    select from public.trading_keys
    where private.address_key(trading_keys.address) = private.address_key(claim_address.address) and trading_keys.client_id <> claim_address.client_id
    union all
    select from public.bot_wallets
    where private.address_key(bot_wallets.address) = private.address_key(claim_address.address) and bot_wallets.client_id <> claim_address.client_id
      and bot_wallets.encrypted_key is not null
  ) then
    raise sqlstate 'PT409' using message = 'This address belongs to another client.', hint = 'address_taken';
  end if;
end $$;
comment on function private.claim_address(text, uuid) is
  'Refuses an address whose key another client holds. A revoked or rotated key holds its address no longer.';

create function private.require_bound_envelope(
  envelope text, client_id uuid, chain text, address text, key_id uuid
) returns void
language plpgsql set search_path = '' as $$
begin
  if length(address) <= 64 and address ~ '^[0-9A-Za-z]+$'
    and private.envelope_names(envelope, client_id, chain, address, key_id)
  then return; end if;
  raise sqlstate 'PT422' using
    message = 'The envelope names another client, chain, address or key.', hint = 'envelope_not_bound';
end $$;
comment on function private.require_bound_envelope(text, uuid, text, text, uuid) is
  'The CHECK of both key tables, with a code of its own.';

create function private.require_own_client(client_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  if auth.uid() is not null
    and require_own_client.client_id is distinct from private.own_client_id() and not private.is_admin()
  then
    raise sqlstate 'PT404' using message = 'There is no such thing, or it is not yours.', hint = 'not_found';
  end if;
end $$;
comment on function private.require_own_client(uuid) is
  'What the policies say of a new row, said first: triggers run before policies, and their answers would tell of another client''s keys.';

create function private.take_client(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform private.hold_keys(take_client.client_id);
  -- Once in a transaction is enough; every further version would make the next longer to find.
  update public.clients set key_version = clients.key_version
    where clients.id = take_client.client_id and clients.xmin <> pg_current_xact_id()::xid;
end $$;
comment on function private.take_client(uuid) is
  'Locks a client for a change of its keys by a new version of its row: a transaction with an older snapshot (repeatable read, serializable) then fails on it instead of acting on what it saw before.';

-- trading_keys ------------------------------------------------------------------------------------------------

create function private.before_trading_key_write() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    perform private.require_own_client(new.client_id);
  elsif new.client_id <> old.client_id then
    raise sqlstate 'PT422' using message = 'A trading key stays with its client.', hint = 'envelope_not_bound';
  end if;
  perform private.take_client(new.client_id);
  -- Before a number is given out: "on conflict do nothing" would keep it.
  if tg_op = 'INSERT' and exists (select from public.trading_keys where trading_keys.client_id = new.client_id) then
    raise sqlstate 'PT409' using message = 'The client has a trading key: rotate it.', hint = 'conflict';
  end if;
  perform private.require_bound_envelope(new.encrypted_key, new.client_id, new.chain, new.address, new.key_id);
  if tg_op = 'UPDATE' and new.key_id = old.key_id then
    if (new.address, new.chain) is distinct from (old.address, old.chain) then
      raise sqlstate 'PT422' using message = 'Another private key needs a new key id.', hint = 'envelope_not_bound';
    end if;
    return new;
  end if;
  perform private.claim_address(new.address, new.client_id);
  update public.clients set key_version = clients.key_version + 1
    where clients.id = new.client_id returning clients.key_version into new.version;
  new.rotated_at := now();
  return new;
end $$;
comment on function private.before_trading_key_write() is
  'Locks the client, checks the envelope and the address, numbers the key. The same key id means a rewrap: same private key, newer master key.';

create function private.after_trading_key_write() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and new.key_id = old.key_id then
    update public.bot_wallets set encrypted_key = new.encrypted_key
      where bot_wallets.client_id = new.client_id and bot_wallets.key_id = new.key_id;
  else
    delete from public.bot_wallets as later
      where later.client_id = new.client_id and exists (
        select from public.bot_wallets as earlier
        where earlier.client_id = new.client_id and earlier.bot_id = later.bot_id and earlier.id < later.id);
    update public.bot_wallets
      set address = new.address, chain = new.chain, key_id = new.key_id, encrypted_key = new.encrypted_key
      where bot_wallets.client_id = new.client_id;
    update public.bots set status = 'stopped', stop_reason = 'chain_mismatch'
      from public.bot_types
      where bots.client_id = new.client_id and bots.status = 'running'
        and bot_types.id = bots.bot_type and bot_types.chain <> new.chain;
  end if;
  perform private.record_key_event(
    case when tg_op = 'INSERT' then 'key_added' when new.key_id = old.key_id then 'key_rewrapped' else 'key_rotated' end,
    new.client_id, null, new.address, new.chain, new.key_id, new.version);
  return null;
end $$;
comment on function private.after_trading_key_write() is
  'Every wallet of every bot of the client takes the key that was written; a bot whose wallets become the same keeps the first.';

create function private.before_trading_key_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.take_client(old.client_id);
  return old;
end $$;
comment on function private.before_trading_key_delete() is 'Locks the client, whoever deletes.';

create function private.after_trading_key_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.bots set status = 'stopped', stop_reason = 'key_revoked'
    where bots.client_id = old.client_id and bots.status = 'running';
  update public.bot_wallets set key_id = null, encrypted_key = null
    where bot_wallets.client_id = old.client_id and bot_wallets.encrypted_key is not null;
  perform private.record_key_event(
    'key_revoked', old.client_id, null, old.address, old.chain, old.key_id, old.version);
  return null;
end $$;
comment on function private.after_trading_key_delete() is
  'Stops every bot of the client and removes every ciphertext of its wallets, keys of their own included.';

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

create function private.refuse_truncate() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT405' using message = 'Delete rows instead: truncation skips the triggers.', hint = 'append_only';
end $$;
create trigger never_truncated before truncate on public.trading_keys
  for each statement execute function private.refuse_truncate();

-- bot_wallets -------------------------------------------------------------------------------------------------

create function private.before_wallet_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  trading public.trading_keys;
  bot_chain text;
begin
  perform private.require_own_client(new.client_id);
  perform private.take_client(new.client_id);
  select bot_types.chain into bot_chain
    from public.bots join public.bot_types on bot_types.id = bots.bot_type
    where bots.id = new.bot_id and bots.client_id = new.client_id;
  if not found then
    raise sqlstate 'PT404' using message = 'There is no such thing, or it is not yours.', hint = 'not_found';
  end if;
  if (select count(*) from public.bot_wallets where bot_wallets.bot_id = new.bot_id) >= 100 then
    raise sqlstate 'PT409' using message = 'The bot has as many wallets as a bot can have.', hint = 'wallets_full';
  end if;
  if auth.uid() is not null
    and (select count(*) from public.bot_wallets where bot_wallets.client_id = new.client_id) >= 10000
  then
    raise sqlstate 'PT409' using message = 'The client has as many wallets as one can have.', hint = 'wallets_full';
  end if;
  select * into trading from public.trading_keys where trading_keys.client_id = new.client_id;
  if not found then
    raise sqlstate 'PT409' using message = 'The client has no trading key.', hint = 'trading_key_required';
  end if;
  if new.encrypted_key is null then
    if new.address <> trading.address then
      raise sqlstate 'PT422' using
        message = 'Without a private key the address can only be that of the trading key.', hint = 'address_mismatch';
    end if;
    if new.chain <> trading.chain then
      raise sqlstate 'PT422' using message = 'The trading key is of another chain family.', hint = 'chain_mismatch';
    end if;
    new.address := trading.address;
  end if;
  if new.address = trading.address then
    new.chain := trading.chain;
    new.key_id := trading.key_id;
    new.encrypted_key := trading.encrypted_key;
  else
    perform private.require_bound_envelope(new.encrypted_key, new.client_id, new.chain, new.address, new.key_id);
    if new.key_id = trading.key_id then
      raise sqlstate 'PT422' using message = 'Another private key needs a new key id.', hint = 'envelope_not_bound';
    end if;
    perform private.claim_address(new.address, new.client_id);
  end if;
  if bot_chain <> new.chain then
    raise sqlstate 'PT422' using
      message = 'The bot trades on another chain family than this key.', hint = 'chain_mismatch';
  end if;
  if exists (
    select from public.bot_wallets
    where bot_wallets.bot_id = new.bot_id and bot_wallets.address = new.address
  ) then
    raise sqlstate 'PT409' using message = 'The bot has a wallet with this address.', hint = 'wallet_exists';
  end if;
  return new;
end $$;
comment on function private.before_wallet_insert() is
  'A wallet without a key, or with the trading key''s address, takes a copy of the trading key; any other key is its own.';

create function private.after_wallet_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_key_event(
    'wallet_added', new.client_id, new.bot_id, new.address, new.chain, new.key_id, null);
  return null;
end $$;
comment on function private.after_wallet_insert() is 'Writes the event.';

create function private.stop_bots_without_key() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from gone) then return null; end if;
  update public.bots set status = 'stopped', stop_reason = 'key_revoked'
    where bots.status = 'running' and bots.id in (select gone.bot_id from gone)
      and not exists (
        select from public.bot_wallets
        where bot_wallets.bot_id = bots.id and bot_wallets.encrypted_key is not null);
  return null;
end $$;
comment on function private.stop_bots_without_key() is
  'For the operator''s SQL: whoever takes a bot''s last key away, the bot stops.';
create trigger after_delete after delete on public.bot_wallets
  referencing old table as gone
  for each statement execute function private.stop_bots_without_key();
create trigger after_update after update on public.bot_wallets
  referencing old table as gone
  for each statement execute function private.stop_bots_without_key();
create trigger never_truncated before truncate on public.bot_wallets
  for each statement execute function private.refuse_truncate();

create trigger a_lock_own_client before insert on public.bot_wallets
  for each statement execute function private.lock_own_client();
create trigger before_insert before insert on public.bot_wallets
  for each row execute function private.before_wallet_insert();
create trigger after_insert after insert on public.bot_wallets
  for each row execute function private.after_wallet_insert();

-- bots --------------------------------------------------------------------------------------------------------

create function private.share_own_client() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform from public.clients
    where clients.user_id = (select auth.uid()) and not (select private.is_admin()) for share;
  return null;
end $$;
comment on function private.share_own_client() is
  'Before a client''s own session starts or stops a bot: the client''s row first, as for keys.';

create function private.before_bot_status_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.status = 'running' and (new.status, new.bot_type) is distinct from (old.status, old.bot_type) then
    perform from public.clients where clients.id = new.client_id for share;
    if not exists (
      select from public.bot_wallets
      where bot_wallets.bot_id = new.id and bot_wallets.encrypted_key is not null
    ) then
      raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_has_no_key';
    end if;
    if not exists (
      select from public.bot_wallets join public.bot_types on bot_types.chain = bot_wallets.chain
      where bot_wallets.bot_id = new.id and bot_wallets.encrypted_key is not null and bot_types.id = new.bot_type
    ) then
      raise sqlstate 'PT422' using
        message = 'The bot trades on another chain family than its key.', hint = 'chain_mismatch';
    end if;
    new.stop_reason := null;
    new.started_at := now();
  elsif new.status = 'stopped' and old.status <> 'stopped' then
    if new.stop_reason is null or new.stop_reason = 'quarantined' then
      -- The signatures that have begun are given, and none begins after: signing takes the shared form. A change of
      -- the client's keys, which brings a reason, has them all locked already.
      perform pg_advisory_xact_lock(private.name_of_lock('bot', new.id::text));
      new.stop_reason := coalesce(new.stop_reason, 'requested');
    end if;
    new.stopped_at := now();
  end if;
  return new;
end $$;
comment on function private.before_bot_status_change() is
  'The state machine: a bot without a key, or with one of another chain family, cannot run.';

create function private.limit_bots() returns trigger
language plpgsql set search_path = '' as $$
begin
  if auth.uid() is null then return new; end if;
  -- One at a time: what others add meanwhile counts too. By the caller's own rights: it learns nothing of a client that
  -- it may not see.
  perform from public.clients where clients.id = new.client_id for no key update;
  if (select count(*) from public.bots where bots.client_id = new.client_id) >= 1000 then
    raise sqlstate 'PT409' using message = 'The client has as many bots as one can have.', hint = 'bots_full';
  end if;
  return new;
end $$;
comment on function private.limit_bots() is
  'A revocation stops every bot and clears every wallet in one statement, and a statement has seconds: whoever took over a session must not be able to add so many that it never ends.';
create trigger before_insert before insert on public.bots
  for each row execute function private.limit_bots();

create trigger a_share_own_client before update of status on public.bots
  for each statement execute function private.share_own_client();
create trigger before_status_change before insert or update of status, bot_type on public.bots
  for each row execute function private.before_bot_status_change();
