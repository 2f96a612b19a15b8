-- The triggers of keys, wallets and bots enforce the rules of keys for every writer: the functions of the API, a session
-- that calls the REST API directly, and the operator's SQL. They are security definer, because API roles cannot read an
-- envelope and can only add wallets.

create function private.before_trading_key_write() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    perform private.require_own_client(new.client_id);
  elsif new.client_id <> old.client_id then
    raise sqlstate 'PT422' using message = 'A trading key cannot move to another client.', hint = 'envelope_not_bound';
  end if;
  perform private.take_client(new.client_id);
  -- Checked before the key gets its version number, because "on conflict do nothing" would not undo the new number.
  if tg_op = 'INSERT' and exists (select from public.trading_keys where trading_keys.client_id = new.client_id) then
    raise sqlstate 'PT409' using message = 'The client already has a trading key. Rotate it instead.', hint = 'value_taken';
  end if;
  perform private.require_bound_envelope(new.encrypted_key, new.client_id, new.chain, new.address, new.key_id);
  if tg_op = 'UPDATE' and new.key_id = old.key_id then
    if (new.address, new.chain) is distinct from (old.address, old.chain) then
      raise sqlstate 'PT422' using message = 'A different private key needs a new key id.', hint = 'envelope_not_bound';
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
  'Locks the client, checks the envelope and the address, and sets the version number of the key. An UPDATE with the same key id is a rewrap: same private key, newer master key.';

create function private.after_trading_key_write() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  -- A write that changes nothing is not recorded.
  if tg_op = 'UPDATE' and new is not distinct from old then return null; end if;
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
      where bots.client_id = new.client_id and bots.status = 'running'
        and bots.bot_type in (select bot_types.id from public.bot_types where bot_types.chain <> new.chain);
  end if;
  perform private.record_key_event(
    case when tg_op = 'INSERT' then 'key_added' when new.key_id = old.key_id then 'key_rewrapped' else 'key_rotated' end,
    new.client_id, null, new.address, new.chain, new.key_id, new.version);
  return null;
end $$;
comment on function private.after_trading_key_write() is
  'Writes the new key to every wallet of every bot of the client. If wallets of a bot become equal, only the first one stays.';

create function private.before_trading_key_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.take_client(old.client_id, urgent => true);
  return old;
end $$;
comment on function private.before_trading_key_delete() is
  'Locks the client for every writer. A revocation always waits for the lock, however many other transactions wait.';

create function private.after_trading_key_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.end_tokens_of_client(old.client_id);
  update public.bots set status = 'stopped', stop_reason = 'key_revoked'
    where bots.client_id = old.client_id and bots.status = 'running';
  update public.bot_wallets set key_id = null, encrypted_key = null
    where bot_wallets.client_id = old.client_id and bot_wallets.encrypted_key is not null;
  perform private.record_key_event(
    'key_revoked', old.client_id, null, old.address, old.chain, old.key_id, old.version);
  return null;
end $$;
comment on function private.after_trading_key_delete() is
  'Stops every bot of the client, removes every ciphertext of its wallets (own keys included), and ends every machine token that signs only for its bots.';

-- PostgreSQL runs triggers in the order of their names, so those that begin with "a_" run first.
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

create function private.refuse_truncate() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT405' using message = 'Use DELETE instead. TRUNCATE does not run the triggers of rows.', hint = 'append_only';
end $$;
create trigger never_truncated before truncate on public.trading_keys
  for each statement execute function private.refuse_truncate();
