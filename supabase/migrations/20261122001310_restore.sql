create function private.after_restore() returns jsonb
language plpgsql set search_path = '' as $$
declare
  stopped integer;
  ended integer;
  unlinked integer;
  without_account integer;
begin
  -- Signatures that have begun are given before this goes on, and none begins meanwhile: tokens are read first.
  lock table public.machine_tokens, public.bots in access exclusive mode;
  -- Rows of the queue came with their numbers; a dump by COPY does not tell how far these had gone.
  perform setval(pg_get_serial_sequence('private.queued_key_events', 'number'), max(queued.number))
    from private.queued_key_events as queued;
  -- The time is written here too: while a dump is loaded the triggers are off.
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
  return jsonb_build_object(
    'bots_stopped', stopped, 'tokens_ended', ended, 'clients_unlinked', unlinked,
    'admins_without_account', without_account,
    'admins', (
      select coalesce(jsonb_agg(users.email order by users.email), '[]')
      from private.admins join auth.users on users.id = admins.user_id),
    'clients_with_key', (select count(*) from public.trading_keys),
    'last_key_event', (select private.rfc3339(max(events.created_at)) from private.every_key_event as events));
end $$;
comment on function private.after_restore() is
  'For the operator, in the transaction that loads a backup. A backup knows nothing of what was revoked after it: so every bot stops until somebody starts it, and every machine token ends. Answers what to look through.';
