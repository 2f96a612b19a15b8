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
      where bot_wallets.client_id = new.client_id and bot_wallets.bot_id = new.id
        and bot_wallets.encrypted_key is not null
    ) then
      raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_has_no_key';
    end if;
    if not exists (
      select from public.bot_wallets join public.bot_types on bot_types.chain = bot_wallets.chain
      where bot_wallets.client_id = new.client_id and bot_wallets.bot_id = new.id
        and bot_wallets.encrypted_key is not null and bot_types.id = new.bot_type
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
