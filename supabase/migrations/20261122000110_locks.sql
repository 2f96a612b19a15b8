-- The lock order. Every transaction takes its locks in the order of this list, from top to bottom.
--
--   1. gate of the client      advisory. Exclusive: a revocation, a stop or the end of a token. Shared: signing, and every
--                              other change by a function or by the client's own session
--   2. turn of the client      advisory, exclusive: a change or deletion of the trading key
--   3. row of the trading key  by that statement, because PostgreSQL locks a row before it runs the row's triggers
--   4. keys of the client      advisory. Exclusive: every change of keys. Shared: signing, and every other change of the
--                              client's bots, policies and tokens
--   5. row of the client       no key update: changes of keys, new bots
--   6. bot                     advisory. Exclusive: a stop. Shared: signing. Then rows of bots, wallets and policies
--   7. addresses               advisory, exclusive, in sorted order
--   8. token                   advisory. Exclusive: the end of the token. Shared: signing. Then the row of the token
--   9. count of events         row of the client in private.event_counts
--  10. chain of the client     advisory, exclusive. Code that holds a lock listed above tries this lock and never waits
--
-- The gate bounds how long a revocation, a stop or the end of a token waits. A statement of a session can hold any of the
-- other locks until its time limit. Without the gate, a new statement could take one lock while a revocation waits for
-- another. With the gate, a revocation waits only for statements that began before it, and no statement begins after it.
-- So it waits at most as long as one statement may run, however many statements there are: 5 seconds for most statements, 7
-- seconds for a stop or the end of a token. A revocation by the edge may run for 9 seconds, and only the edge can send it. A
-- revocation by a session may run for 5 seconds, so that slow revocations cannot hold the gate longer.
--
-- One exception: if a statement changes the row of a bot or token directly, PostgreSQL locks the row before the trigger
-- takes the advisory lock. So code that holds the advisory lock of a bot or token only reads these rows, or skips locked
-- rows. Idempotency keys have their own locks. A transaction takes them before all locks of this list.
--
-- Names. An advisory lock has a kind, which is its name in the list, and the id of what it locks. A variable or parameter `lock`
-- holds the number of a lock.
--
--   lock_of(kind, id)          the number of a lock. If several functions need it, lock_of_gate(client_id) and so on
--   lock_gate, share_gate      takes the exclusive or the shared form, and waits for it. The functions of
--                              the other kinds do the same
--   try_lock…                  takes it only if it is free
--   lock_client, share_client  the shared gate, and then the keys: exclusive or shared. The triggers lock_own_client and
--                              share_own_client do the same for statements of a client's own session
--   lock_trading_key           the gate, the turn, the row of the trading key, and the keys
--   lock_keys_for_change       the keys, and writes a new version of the client's row
--
-- claim_address takes the lock of an address and checks that no other client has a key with it.
--
-- A function that takes locks returns true, so that its callers can assign the result: see the first migration. If a
-- transaction takes a lock that it already has, PostgreSQL finds it in the memory of the process. So nothing has to remember
-- which locks a transaction has, and no setting makes a transaction skip a lock that it does not have.
--
-- Only advisory locks are shared. With row locks, PostgreSQL grants a new FOR SHARE lock even if another transaction
-- already waits for the row exclusively. So shared row locks could delay a revocation forever. Advisory locks are granted
-- in the order of arrival.

-- locks of any kind -------------------------------------------------------------------------------------------

create function private.lock_of(kind text, id text) returns bigint
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  -- SHA-256, because callers choose some of the ids. hashtextextended can be inverted in seconds: a caller could compute an
  -- address whose lock has the same number as the lock of another client.
  return ('x' || left(encode(sha256(convert_to(kind || ' ' || id, 'UTF8')), 'hex'), 16))::bit(64)::bigint;
end $$;
comment on function private.lock_of(text, text) is 'The number of the advisory lock of this kind for this id.';

create function private.try_lock(lock bigint, shared boolean) returns boolean
language plpgsql set search_path = '' as $$
begin
  -- Neither form is granted while another transaction waits for the lock.
  if shared then return pg_try_advisory_xact_lock_shared(lock); end if;
  return pg_try_advisory_xact_lock(lock);
end $$;
comment on function private.try_lock(bigint, boolean) is 'Takes an advisory lock if it is free. Returns whether the lock was taken.';

create function private.wait_for_lock(
  lock bigint, shared boolean, client_id uuid default null, urgent boolean default false
) returns boolean
language plpgsql set search_path = '' as $$
declare
  most_waiters integer;
  queue text;
  has_place boolean := urgent;
begin
  if private.try_lock(lock, shared) then return true; end if;
  -- A small hosted project has 60 connections, of which the REST API uses about 10 for all clients.
  most_waiters := greatest(4, current_setting('max_connections')::integer / 8);
  queue := coalesce(wait_for_lock.client_id::text, lock::text);
  for place in 1 .. most_waiters loop
    exit when has_place;
    has_place := pg_try_advisory_xact_lock(private.lock_of('place in the queue ' || place, queue));
  end loop;
  if not has_place then perform private.raise_busy(); end if;
  if shared then perform pg_advisory_xact_lock_shared(lock); else perform pg_advisory_xact_lock(lock); end if;
  return true;
end $$;
comment on function private.wait_for_lock(bigint, boolean, uuid, boolean) is
  'Takes an advisory lock, and waits until it is free. At most an eighth of the server''s connections (7 on a small hosted project) may wait for locks of one client, or for one lock that belongs to no client, so that one client cannot use up all connections. A further transaction fails at once with database_busy, and the edge retries it. An urgent transaction, such as a revocation, always waits.';

create function private.raise_busy() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT503' using message = 'Too many other requests wait for the same locks. Retry the request.', hint = 'database_busy';
end $$;

-- gate, turn and keys of a client -----------------------------------------------------------------------------

create function private.lock_of_gate(client_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return private.lock_of('gate of client', client_id::text);
end $$;

create function private.share_gate(client_id uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  return private.wait_for_lock(private.lock_of_gate(share_gate.client_id), true, share_gate.client_id);
end $$;
comment on function private.share_gate(uuid) is 'The first lock of every change that a session or a runner makes to a client, and of signing.';

create function private.lock_gate(client_id uuid) returns boolean
language plpgsql set search_path = '' as $$
declare
  locked constant boolean :=
    private.wait_for_lock(private.lock_of_gate(lock_gate.client_id), false, lock_gate.client_id, urgent => true);
  -- For has_gate.
  marked constant text := set_config('trading_keys.gate', lock_gate.client_id::text, true);
begin
  return true;
end $$;
comment on function private.lock_gate(uuid) is
  'The first lock of a revocation, a stop or the end of a token. It waits for the statements that have begun, and no other statement begins until this transaction ends. The functions that call it have a longer time limit than those statements. Each client has its own gate, so that a session cannot delay the revocation of another client.';

create function private.has_gate(client_id uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  return current_setting('trading_keys.gate', true) is not distinct from has_gate.client_id::text
    and private.try_lock(private.lock_of_gate(has_gate.client_id), false);
end $$;
comment on function private.has_gate(uuid) is
  'Whether this transaction has the exclusive gate of a client, from lock_gate. It takes the lock again, which always succeeds then, also while others wait. So a session that sets the setting itself gets nothing but the lock, if it is free.';

create function private.share_gate_of_row() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  client_id uuid;
begin
  if not private.is_admin() then return case tg_op when 'DELETE' then old else new end; end if;
  if tg_table_name = 'clients' then client_id := case tg_op when 'DELETE' then old.id else new.id end;
  else client_id := case tg_op when 'DELETE' then old.client_id else new.client_id end; end if;
  if client_id is not null and not private.has_gate(client_id)
    and not private.try_lock(private.lock_of_gate(client_id), true)
  then
    perform private.raise_busy();
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
comment on function private.share_gate_of_row() is
  'Takes the gate for each row that a statement of an admin writes directly, because such a statement can change several clients and takes no gate before it begins. It does not wait: PostgreSQL has locked the row, which a revocation may wait for. While a revocation waits for the gate, the statement fails, so that statements of admins cannot delay it one after the other.';

create function private.lock_turn(client_id uuid, urgent boolean default false) returns boolean
language plpgsql set search_path = '' as $$
begin
  -- A queue before the row lock. After a row changes, PostgreSQL does not grant the row in the order in which transactions
  -- waited for it. Without the queue, a session that rotates in a loop could delay a revocation forever.
  return private.wait_for_lock(
    private.lock_of('turn of client', lock_turn.client_id::text), false, lock_turn.client_id, urgent);
end $$;
comment on function private.lock_turn(uuid, boolean) is 'Changes and deletions of a client''s trading key run one at a time, in the order of arrival.';

create function private.lock_of_keys(client_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return private.lock_of('keys of client', client_id::text);
end $$;

create function private.lock_keys(client_id uuid, urgent boolean default false) returns boolean
language plpgsql set search_path = '' as $$
declare
  locked constant boolean :=
    private.wait_for_lock(private.lock_of_keys(lock_keys.client_id), false, lock_keys.client_id, urgent);
begin
  perform from public.clients where clients.id = lock_keys.client_id for no key update;
  return locked;
end $$;
comment on function private.lock_keys(uuid, boolean) is
  'Takes the exclusive lock of a client''s keys. Until the end of the transaction, nobody else can sign with the client''s keys, change them, or change the client''s bots, policies and tokens. It locks the row of the client with the rights of its caller, so triggers use lock_keys_for_change.';

create function private.require_current_snapshot(client_id uuid) returns boolean
language plpgsql set search_path = '' as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    perform from public.clients where clients.id = require_current_snapshot.client_id for no key update;
  end if;
  return true;
end $$;
comment on function private.require_current_snapshot(uuid) is
  'Call this after the shared lock of a client''s keys. A transaction whose snapshot is older than the last key change (repeatable read, serializable) would read the old key. Every key change writes a new version of the client''s row, so locking the row fails with 40001 in such a transaction.';

create function private.lock_keys_for_change(client_id uuid, urgent boolean default false) returns boolean
language plpgsql set search_path = '' as $$
declare
  locked constant boolean := private.wait_for_lock(
    private.lock_of_keys(lock_keys_for_change.client_id), false, lock_keys_for_change.client_id, urgent);
begin
  -- The update also locks the row. If this transaction has already written a version, it has the lock. One new version in a
  -- transaction is enough: each further version would make the row slower to find.
  update public.clients set key_version = clients.key_version
    where clients.id = lock_keys_for_change.client_id and clients.xmin <> pg_current_xact_id()::xid;
  return locked;
end $$;
comment on function private.lock_keys_for_change(uuid, boolean) is
  'Locks a client for a change of its keys, and writes a new version of its row. So a transaction with an older snapshot (repeatable read, serializable) fails when it locks the row, and does not act on old data.';

create function private.try_lock_keys(client_id uuid, patient boolean) returns boolean
language plpgsql set search_path = '' as $$
begin
  if patient then
    -- New signatures wait for this transaction, as for a rotation. Continuous signing cannot delay it forever, because
    -- advisory locks are granted in the order of arrival.
    perform set_config('lock_timeout', '500ms', true);
    perform private.lock_turn(try_lock_keys.client_id, urgent => true);
    perform from public.trading_keys where trading_keys.client_id = try_lock_keys.client_id for update;
    perform private.lock_keys(try_lock_keys.client_id, urgent => true);
    return true;
  end if;
  perform from public.trading_keys where trading_keys.client_id = try_lock_keys.client_id for update nowait;
  if not private.try_lock(private.lock_of_keys(try_lock_keys.client_id), false) then
    -- An error and not false, so that the lock of the row is released too.
    raise lock_not_available;
  end if;
  perform from public.clients where clients.id = try_lock_keys.client_id for no key update nowait;
  return found;
exception when lock_not_available then
  return false;
end $$;
comment on function private.try_lock_keys(uuid, boolean) is
  'Like lock_keys, for work that can be done later. It takes the locks only if they are free, or, if patient, waits half a second for each. Returns whether it has all locks.';

-- several locks in order --------------------------------------------------------------------------------------

create function private.share_client(client_id uuid) returns boolean
language plpgsql set search_path = '' as $$
declare
  gate constant boolean := private.share_gate(share_client.client_id);
  keys constant boolean :=
    private.wait_for_lock(private.lock_of_keys(share_client.client_id), true, share_client.client_id);
  snapshot constant boolean := private.require_current_snapshot(share_client.client_id);
begin
  return true;
end $$;
comment on function private.share_client(uuid) is 'The first step of signing, and of every change of a client''s bots, policies and tokens. It takes the shared locks of the client''s gate and keys: see lock_keys.';

create function private.lock_client(client_id uuid) returns boolean
language plpgsql set search_path = '' as $$
declare
  -- First check that the caller can see the client, so that nobody can delay the signing of another client.
  seen constant boolean := private.require_client(lock_client.client_id);
  gate constant boolean := private.share_gate(lock_client.client_id);
  keys constant boolean := private.lock_keys(lock_client.client_id);
begin
  return true;
end $$;
comment on function private.lock_client(uuid) is
  'The first step of functions that add a key. Functions that change or delete the trading key use lock_trading_key instead.';

create function private.lock_trading_key(client_id uuid, urgent boolean default false) returns boolean
language plpgsql set search_path = '' as $$
declare
  gate constant boolean := case
    when urgent then private.lock_gate(lock_trading_key.client_id)
    else private.share_gate(lock_trading_key.client_id) end;
  turn constant boolean := private.lock_turn(lock_trading_key.client_id, urgent);
begin
  perform from public.trading_keys where trading_keys.client_id = lock_trading_key.client_id for update;
  if not found then perform private.raise_trading_key_missing(); end if;
  return private.lock_keys(lock_trading_key.client_id, urgent);
end $$;
comment on function private.lock_trading_key(uuid, boolean) is
  'The first step of a rotation or revocation. If the client has no trading key, it fails at once, because it would otherwise lock a key that is added later in the wrong order.';

create function private.client_of_session() returns uuid
language plpgsql stable set search_path = '' as $$
declare
  caller constant uuid := private.caller_id();
begin
  if caller is null then return null; end if;
  return (
    select clients.id from public.clients
    where clients.user_id = caller and not exists (select from private.admins where admins.user_id = caller));
end $$;
comment on function private.client_of_session() is
  'The client whose locks a statement of this session takes. Null for an admin, a runner and the operator. It is own_client_id and is_admin in one query. Only definer triggers call it.';

create function private.lock_own_client() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  client_id constant uuid := private.client_of_session();
  locked boolean;
begin
  if client_id is null then return null; end if;
  -- Not urgent: a DELETE that matches no row revokes nothing, and a caller could repeat it in a loop. revoke_key is urgent.
  locked := private.wait_for_lock(private.lock_of_gate(client_id), tg_op <> 'DELETE', client_id);
  if tg_op = 'INSERT' then locked := private.wait_for_lock(private.lock_of_keys(client_id), false, client_id);
  else locked := private.lock_turn(client_id); end if;
  return null;
end $$;
comment on function private.lock_own_client() is
  'Runs before a statement of a client''s own session changes a row of keys, so that locks are taken in order. Not for admins: a statement of an admin may change several clients, and waiting for the locks of a second client can deadlock.';

create function private.share_own_client() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  client_id constant uuid := private.client_of_session();
  locked boolean;
begin
  -- A stop or an end of a token has closed the gate for all others, and must not fail here because too many transactions wait.
  if client_id is null or private.has_gate(client_id) then return null; end if;
  locked := private.share_client(client_id);
  return null;
end $$;
comment on function private.share_own_client() is
  'Runs before a statement of a client''s own session changes the row of the client or a row of its bots, policies or tokens, so that locks are taken in order. Not for a statement of a trigger, because the statement that fired the trigger has the locks. Not for admins: see lock_own_client.';

-- bots, addresses, tokens and chains ---------------------------------------------------------------------------

create function private.lock_of_bot(bot_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return private.lock_of('bot', bot_id::text);
end $$;

create function private.lock_address(address text) returns boolean
language plpgsql set search_path = '' as $$
begin
  return private.wait_for_lock(private.lock_of('address', private.address_key(address)), false);
end $$;

create function private.lock_addresses(addresses text[]) returns boolean
language plpgsql set search_path = '' as $$
declare
  lock bigint;
  locked boolean;
begin
  if cardinality(addresses) = 1 then return addresses[1] is null or private.lock_address(addresses[1]); end if;
  for lock in
    select distinct private.lock_of('address', private.address_key(address)) as lock
    from unnest(addresses) as address where address is not null order by lock
  loop
    locked := private.wait_for_lock(lock, false);
  end loop;
  return true;
end $$;
comment on function private.lock_addresses(text[]) is
  'Locks addresses in sorted order. In another order, two clients that submit the same addresses could deadlock.';

create function private.lock_of_token(token_id uuid) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return private.lock_of('token', token_id::text);
end $$;

create function private.lock_chain(client_id uuid, waits boolean) returns boolean
language plpgsql set search_path = '' as $$
declare
  lock constant bigint := private.lock_of('chain of client', lock_chain.client_id::text);
begin
  -- A snapshot that is older than the lock may not show the last rows of the chain. Then the events stay in the queue.
  if current_setting('transaction_isolation') <> 'read committed' then return false; end if;
  if not waits then return private.try_lock(lock, false); end if;
  return private.wait_for_lock(lock, false, lock_chain.client_id);
end $$;
comment on function private.lock_chain(uuid, boolean) is
  'Locks a chain until the end of the transaction. Returns whether this transaction may add rows to the chain.';

grant execute on function
  private.lock_of(text, text), private.try_lock(bigint, boolean), private.wait_for_lock(bigint, boolean, uuid, boolean),
  private.raise_busy(), private.lock_of_gate(uuid), private.share_gate(uuid), private.lock_gate(uuid),
  private.lock_turn(uuid, boolean), private.lock_of_keys(uuid), private.lock_keys(uuid, boolean),
  private.require_current_snapshot(uuid), private.share_client(uuid), private.lock_client(uuid),
  private.lock_trading_key(uuid, boolean), private.lock_address(text), private.lock_addresses(text[]), private.lock_of_token(uuid)
to authenticated;
