create function private.before_bot_status_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.status = 'running' and (new.status, new.bot_type) is distinct from (old.status, old.bot_type) then
    -- A client's session and start_bot already hold this lock. Any other statement has locked rows of bots before this point
    -- and must not wait, because a revocation may hold the lock and wait for those rows.
    if not private.try_lock(private.lock_of_keys(new.client_id), true) then perform private.raise_busy(); end if;
    perform private.require_current_snapshot(new.client_id);
    if not exists (
      select from public.bot_wallets
      where bot_wallets.client_id = new.client_id and bot_wallets.bot_id = new.id
        and bot_wallets.encrypted_key is not null
    ) then
      raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_key_missing';
    end if;
    if not exists (
      select from public.bot_wallets join public.bot_types on bot_types.chain = bot_wallets.chain
      where bot_wallets.client_id = new.client_id and bot_wallets.bot_id = new.id
        and bot_wallets.encrypted_key is not null and bot_types.id = new.bot_type
    ) then
      raise sqlstate 'PT422' using
        message = 'The bot and its key belong to different chain families.', hint = 'chain_mismatch';
    end if;
    new.stop_reason := null;
    new.started_at := now();
  elsif new.status = 'stopped' and old.status <> 'stopped' then
    if new.stop_reason is null or new.stop_reason = 'quarantined' then
      -- Signing takes this lock shared. So signatures that have begun are finished, and none begins later. A change of the
      -- client's keys sets a reason and already blocks all signatures.
      perform private.wait_for_lock(private.name_of_lock('bot', new.id::text), false, new.client_id, urgent => true);
      new.stop_reason := coalesce(new.stop_reason, 'requested');
    end if;
    new.stopped_at := now();
  end if;
  return new;
end $$;
comment on function private.before_bot_status_change() is
  'The states of a bot: it cannot run without a key, or with a key of another chain family.';

create function private.limit_bots() returns trigger
language plpgsql set search_path = '' as $$
begin
  if auth.uid() is null then return new; end if;
  -- One transaction at a time, so that bots of concurrent transactions are counted too. The lock uses the caller's own
  -- rights, so that the caller learns nothing about a client that it may not see.
  perform from public.clients where clients.id = new.client_id for no key update;
  if (select count(*) from public.bots where bots.client_id = new.client_id) >= 1000 then
    raise sqlstate 'PT409' using message = 'The client has the maximum number of bots.', hint = 'bot_limit_reached';
  end if;
  return new;
end $$;
comment on function private.limit_bots() is
  'Limits the bots of a client. A revocation stops every bot and clears every wallet in one statement, which has a time limit. A stolen session must not be able to add so many rows that a revocation exceeds that limit.';
create trigger before_insert before insert on public.bots
  for each row execute function private.limit_bots();

create trigger a_share_own_client before insert or update on public.bots
  for each statement execute function private.share_own_client();
create trigger before_status_change before insert or update of status, bot_type on public.bots
  for each row execute function private.before_bot_status_change();
