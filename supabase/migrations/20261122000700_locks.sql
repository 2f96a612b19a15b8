-- Order of locks, everywhere: by who changes or deletes the trading key, one's turn and its row, as PostgreSQL locks a row
-- before it asks the row's triggers; then the lock of the client's keys, the client's row, its bots and wallets, and addresses.

create function private.name_of_lock(kind text, id text) returns bigint
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  -- SHA-256, since callers choose ids too: hashtextextended is run backwards in seconds, to an address that is called
  -- as the lock of another client's keys.
  return ('x' || left(encode(sha256(convert_to(kind || ' ' || id, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end $$;

create function private.lock_keys(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  -- Signing takes the shared form of this lock. Not of a row's lock: who shares a row's lock with others may pass
  -- by who waits to have it alone, so that a bot that signs without end could hold off its revocation for ever.
  -- Here they stand in one queue.
  perform pg_advisory_xact_lock(private.name_of_lock('keys of client', lock_keys.client_id::text));
  perform from public.clients where clients.id = lock_keys.client_id for no key update;
end $$;
comment on function private.lock_keys(uuid) is 'What keeps signatures, and other key changes, out of a key change of a client.';

create function private.take_turn(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  -- A queue before the row: of a row that was changed meanwhile whoever comes last may be the first to have the new version,
  -- so that a session that rotates without end could hold off a revocation.
  perform pg_advisory_xact_lock(private.name_of_lock('key changes of client', take_turn.client_id::text));
end $$;
comment on function private.take_turn(uuid) is 'Who changes or deletes a trading key waits for the others who do.';

create function private.lock_trading_key(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  perform private.take_turn(lock_trading_key.client_id);
  perform from public.trading_keys where trading_keys.client_id = lock_trading_key.client_id for update;
  if not found then perform private.raise_trading_key_missing(); end if;
  perform private.lock_keys(lock_trading_key.client_id);
end $$;
comment on function private.lock_trading_key(uuid) is
  'What a rotation or revocation does first. Where there is no key it ends at once: one that came later would be locked out of order.';

create function private.lock_own_client() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  client_id uuid := private.own_client_id();
begin
  if client_id is null or private.is_admin() then return null; end if;
  if tg_op = 'INSERT' then perform private.lock_keys(client_id); else perform private.take_turn(client_id); end if;
  return null;
end $$;
comment on function private.lock_own_client() is
  'Runs before a statement touches any row, so that a client''s own session, too, locks in order. Not for admins: they may hold another client''s lock by then, and waiting for a second is how deadlocks are made.';

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
  perform private.lock_keys(take_client.client_id);
  -- Once in a transaction is enough; every further version would make the next longer to find.
  update public.clients set key_version = clients.key_version
    where clients.id = take_client.client_id and clients.xmin <> pg_current_xact_id()::xid;
end $$;
comment on function private.take_client(uuid) is
  'Locks a client for a change of its keys by a new version of its row: a transaction with an older snapshot (repeatable read, serializable) then fails on it instead of acting on what it saw before.';
