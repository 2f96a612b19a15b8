-- What is written down beside key changes and signatures: bots, tokens and policies.

-- bots --------------------------------------------------------------------------------------------------------

create function private.after_bots_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_key_event(
    'bot_created', made.client_id, made.id, null, null, null, null,
    jsonb_build_object('bot_type', made.bot_type)) from made;
  return null;
end $$;
comment on function private.after_bots_insert() is 'Writes the events. Definer: API roles cannot write them.';
create trigger record_created after insert on public.bots referencing new table as made
  for each statement execute function private.after_bots_insert();

create function private.after_bot_status_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_key_event(
    case new.status when 'running' then 'bot_started' else 'bot_stopped' end, new.client_id, new.id,
    null, null, null, null,
    case when new.stop_reason is not null then jsonb_build_object('reason', new.stop_reason) end);
  return null;
end $$;
comment on function private.after_bot_status_change() is 'Writes the event. Definer: API roles cannot write it.';
-- Of a quarantine its own event tells, with what led to it.
create trigger record_status after update of status on public.bots
  for each row when (old.status <> new.status and new.stop_reason is distinct from 'quarantined')
  execute function private.after_bot_status_change();

-- tokens ------------------------------------------------------------------------------------------------------

create function private.record_token_event(event text, token_id uuid, client_id uuid, bot_ids uuid[], more jsonb)
returns void
language plpgsql set search_path = '' as $$
declare
  detail jsonb := jsonb_build_object('token_id', record_token_event.token_id, 'bot_ids', to_jsonb(bot_ids)) || more;
begin
  -- Past the edge a token may be given any number of bots. Nothing may be too long to tell of its end.
  if not private.is_event_detail(detail) then
    detail := detail - 'bot_ids' || jsonb_build_object(
      'bots', cardinality(bot_ids),
      'bots_sha256', encode(sha256(convert_to(array_to_string(bot_ids, ','), 'UTF8')), 'hex'));
  end if;
  perform private.record_key_event(
    record_token_event.event, record_token_event.client_id,
    case when cardinality(bot_ids) = 1 then bot_ids[1] end, null, null, null, null, detail);
end $$;

create function private.after_token_bots_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event(
    case tg_op when 'INSERT' then 'token_issued' else 'token_revoked' end, token.token_id, token.client_id, token.bot_ids,
    case tg_op when 'INSERT' then jsonb_build_object('expires_at', (
      select private.rfc3339(tokens.expires_at) from public.machine_tokens as tokens where tokens.id = token.token_id))
    else '{}' end)
  from (
    select token_id, client_id, array_agg(bot_id order by bot_id) as bot_ids from changed group by token_id, client_id
  ) as token;
  return null;
end $$;
comment on function private.after_token_bots_change() is
  'A token signs for these bots from now on, or no longer, most often because it was deleted: one event for each client. Definer: API roles cannot write it.';
create trigger record_issued after insert on public.machine_token_bots referencing new table as changed
  for each statement execute function private.after_token_bots_change();
create trigger record_revoked after delete on public.machine_token_bots referencing old table as changed
  for each statement execute function private.after_token_bots_change();

create function private.after_token_first_used() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event('token_first_used', new.id, used.client_id, used.bot_ids, '{}')
  from (
    select client_id, array_agg(bot_id order by bot_id) as bot_ids from public.machine_token_bots
    where token_id = new.id group by client_id
  ) as used;
  return null;
end $$;
comment on function private.after_token_first_used() is
  'The first use that was carried out; from then on signatures name the token. Definer: API roles cannot write the event.';
create trigger record_first_used after update of last_used_at on public.machine_tokens
  for each row when (old.last_used_at is null and new.last_used_at is not null)
  execute function private.after_token_first_used();

-- policies ----------------------------------------------------------------------------------------------------

create function private.after_policy_write() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  policy jsonb := jsonb_strip_nulls(private.policy_json(new.bot_id) - array['bot_id', 'updated_at']);
begin
  -- Who writes straight to the table may store texts of any length; the chain keeps what names them.
  if not private.is_event_detail(policy) then
    policy := jsonb_build_object('policy_sha256', encode(sha256(convert_to(policy::text, 'UTF8')), 'hex'));
  end if;
  perform private.record_key_event('policy_set', new.client_id, new.bot_id, null, null, null, null, policy);
  return null;
end $$;
comment on function private.after_policy_write() is
  'Writes the event, with the policy as it is from now on. Definer: API roles cannot write it.';
create trigger record_policy after insert or update on public.bot_policies
  for each row execute function private.after_policy_write();
