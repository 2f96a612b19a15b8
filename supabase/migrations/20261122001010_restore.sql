create function private.after_restore() returns jsonb
language plpgsql set search_path = '' as $$
declare
  -- Read before this function records an event. All events of an earlier restore have the time of its transaction, which is
  -- also the time of its event 'restored'.
  newest constant timestamptz := (
    select max(events.created_at) from private.every_key_event as events
    where events.created_at <> date_trunc('milliseconds', now())
      and events.created_at not in (
        select earlier.created_at from private.every_key_event as earlier
        where earlier.client_id = private.deployment() and earlier.event = 'restored'));
  stopped integer;
  ended integer;
  unlinked integer;
  without_account integer;
begin
  -- Waits for signatures that have begun. No signature begins meanwhile, because signing reads the token first.
  lock table public.machine_tokens, public.bots in access exclusive mode;
  -- The backup contains the numbers of queued events, but not the state of their sequence.
  perform setval(pg_get_serial_sequence('private.queued_key_events', 'number'), max(queued.number))
    from private.queued_key_events as queued;
  -- The time is set here, because triggers may be off while rows are loaded.
  update public.bots set status = 'stopped', stop_reason = 'restored', stopped_at = now()
    where bots.status = 'running';
  get diagnostics stopped = row_count;
  update public.machine_tokens set expires_at = now()
    where machine_tokens.expires_at is null or machine_tokens.expires_at > now();
  get diagnostics ended = row_count;
  update public.clients set user_id = null
    where clients.user_id is not null and not exists (select from auth.users where users.id = clients.user_id);
  get diagnostics unlinked = row_count;
  delete from private.admins where not exists (select from auth.users where users.id = admins.user_id);
  get diagnostics without_account = row_count;
  perform private.record_event('restored', private.deployment(), detail => jsonb_build_object(
    'bots_stopped', stopped, 'tokens_ended', ended, 'clients_unlinked', unlinked, 'admins_without_account', without_account));
  return jsonb_build_object(
    'bots_stopped', stopped, 'tokens_ended', ended, 'clients_unlinked', unlinked,
    'admins_without_account', without_account,
    'admins', (
      select coalesce(jsonb_agg(users.email order by users.email), '[]')
      from private.admins join auth.users on users.id = admins.user_id),
    'clients_with_key', (select count(*) from public.trading_keys),
    'last_key_event', private.rfc3339(newest));
end $$;
comment on function private.after_restore() is
  'The operator calls it in the transaction that loads a backup. A backup does not show which keys and tokens were revoked after it was made. So every bot is stopped until somebody starts it, and every machine token expires. Records the event ''restored'' in the chain of the deployment. Returns what the operator must check. last_key_event is the time of the newest event of any kind in the backup, queued events included, events of restores excluded.';
