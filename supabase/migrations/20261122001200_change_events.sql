-- Every change of a client, wallet, bot, token, policy, admin or setting is recorded as an event, whoever makes it. The
-- triggers below record the events. They are definer, because API roles cannot write events. Keys have their own triggers.
-- The guard supabase/tests/guards/events.test.sql lists every table and verb. The file comes after all tables that it
-- records, so that one file says which change is which event.

-- clients -----------------------------------------------------------------------------------------------------

create function private.after_client_write() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    perform private.record_event('client_removed', old.id);
  elsif tg_op = 'INSERT' then
    perform private.record_event('client_created', new.id);
  else
    perform private.record_event('client_changed', new.id, detail => jsonb_build_object('fields', to_jsonb(
      case when new.name <> old.name then '{name}'::text[] else '{}' end
      || case when new.email <> old.email then '{email}'::text[] else '{}' end)));
  end if;
  return null;
end $$;
create trigger record_created after insert on public.clients
  for each row execute function private.after_client_write();
create trigger record_changed after update of name, email on public.clients
  for each row when (old.name is distinct from new.name or old.email is distinct from new.email)
  execute function private.after_client_write();
create trigger record_removed after delete on public.clients
  for each row execute function private.after_client_write();

-- bots --------------------------------------------------------------------------------------------------------

create function private.after_bots_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_events('bot_created', added.client_id, added.bot_ids, added.details)
  from (
    select made.client_id, array_agg(made.id order by made.id) as bot_ids,
      array_agg(jsonb_build_object('bot_type', made.bot_type) order by made.id) as details
    from made group by made.client_id order by made.client_id) as added;
  return null;
end $$;
create trigger record_created after insert on public.bots referencing new table as made
  for each statement execute function private.after_bots_insert();

create function private.after_bots_update() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_events(changed.event, changed.client_id, changed.bot_ids, changed.details)
  from (
    select status.client_id, status.event, array_agg(status.id order by status.id) as bot_ids,
      array_agg(status.detail order by status.id) as details
    from (
      select after.id, after.client_id,
        case after.status when 'running' then 'bot_started' else 'bot_stopped' end as event,
        case when after.stop_reason is not null then jsonb_build_object('reason', after.stop_reason) end as detail
      from after join before on before.id = after.id
      -- A quarantine records its own event, with its reason.
      where after.status <> before.status and after.stop_reason is distinct from 'quarantined') as status
    group by status.client_id, status.event order by status.client_id, status.event) as changed;
  return null;
end $$;
create trigger record_status after update on public.bots referencing old table as before new table as after
  for each statement execute function private.after_bots_update();

create function private.after_bot_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    perform private.record_event('bot_removed', old.client_id, old.id);
    return null;
  end if;
  perform private.record_event('bot_changed', new.client_id, new.id, jsonb_build_object('fields', to_jsonb(
    case when new.name <> old.name then '{name}'::text[] else '{}' end
    || case when new.config <> old.config then '{config}'::text[] else '{}' end
    || case when new.bot_type <> old.bot_type then '{bot_type}'::text[] else '{}' end
    || case when new.client_id <> old.client_id then '{client_id}'::text[] else '{}' end)));
  return null;
end $$;
create trigger record_changed after update of name, config, bot_type, client_id on public.bots
  for each row when (
    (old.name, old.config, old.bot_type, old.client_id) is distinct from
    (new.name, new.config, new.bot_type, new.client_id))
  execute function private.after_bot_change();
create trigger record_removed after delete on public.bots
  for each row execute function private.after_bot_change();

-- wallets -----------------------------------------------------------------------------------------------------

create function private.after_wallets_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    perform private.record_event('wallet_removed', gone.client_id, gone.bot_id,
      jsonb_build_object('wallet_id', gone.id, 'address', gone.address)) from gone;
  else
    perform private.record_event('wallet_changed', after.client_id, after.bot_id, jsonb_build_object(
      'wallet_id', after.id, 'address', after.address, 'key_id', after.key_id))
    from after join gone on gone.id = after.id
    where (after.bot_id, after.client_id, after.address, after.chain, after.key_id, after.encrypted_key)
      is distinct from (gone.bot_id, gone.client_id, gone.address, gone.chain, gone.key_id, gone.encrypted_key);
  end if;
  return null;
end $$;
-- Only for statements that change wallets directly. A change of the trading key also changes wallets, at a greater trigger
-- depth, and its own event covers that. A rewrap records its own event too.
create trigger record_changed after update on public.bot_wallets referencing old table as gone new table as after
  for each statement when (
    pg_trigger_depth() = 0 and current_setting('trading_keys.rewrap', true) is distinct from 'true')
  execute function private.after_wallets_change();
create trigger record_removed after delete on public.bot_wallets referencing old table as gone
  for each statement when (pg_trigger_depth() = 0) execute function private.after_wallets_change();

-- tokens ------------------------------------------------------------------------------------------------------

create function private.record_token_event(
  event text, token_id uuid, client_id uuid, bot_ids uuid[], more jsonb default '{}', actor text default null
) returns void
language plpgsql set search_path = '' as $$
declare
  detail jsonb := jsonb_build_object('token_id', record_token_event.token_id, 'bot_ids', to_jsonb(bot_ids)) || more;
begin
  -- The operator's SQL may give a token any number of bots. If the event were too long, its insert would fail, and the token
  -- could neither be used nor revoked.
  if not private.is_event_detail(detail) then
    detail := detail - 'bot_ids' || jsonb_build_object(
      'bots', cardinality(bot_ids),
      'bots_sha256', encode(sha256(convert_to(array_to_string(bot_ids, ','), 'UTF8')), 'hex'));
  end if;
  perform private.record_event(
    record_token_event.event, record_token_event.client_id, case when cardinality(bot_ids) = 1 then bot_ids[1] end,
    detail, record_token_event.actor);
end $$;
comment on function private.record_token_event(text, uuid, uuid, uuid[], jsonb, text) is
  'Records an event about a token and bots that it signs for.';

create function private.after_token_bots_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event(
    case tg_op when 'INSERT' then 'token_issued' else 'token_revoked' end, token.token_id, token.client_id, token.bot_ids,
    case when tg_op = 'INSERT' then jsonb_build_object('expires_at', (
      select private.rfc3339(tokens.expires_at) from public.machine_tokens as tokens
      where tokens.id = token.token_id)) else '{}' end)
  from (
    select changed.token_id, changed.client_id, array_agg(changed.bot_id order by changed.bot_id) as bot_ids
    from changed group by changed.token_id, changed.client_id order by changed.client_id, changed.token_id
  ) as token;
  return null;
end $$;
comment on function private.after_token_bots_change() is
  'Records that a token now signs for these bots, or that it no longer does, in most cases because the token was deleted.';
create trigger record_issued after insert on public.machine_token_bots referencing new table as changed
  for each statement execute function private.after_token_bots_change();
create trigger record_revoked after delete on public.machine_token_bots referencing old table as changed
  for each statement execute function private.after_token_bots_change();
create trigger record_moved after update on public.machine_token_bots referencing new table as changed
  for each statement execute function private.refuse_change();

create function private.chain_of_token(token public.machine_tokens) returns uuid
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce(token.client_id, private.deployment());
end $$;
comment on function private.chain_of_token(public.machine_tokens) is
  'The chain for events of a token without bots: the chain of its client, or of the deployment.';

create function private.record_token_without_bots() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  token constant public.machine_tokens := case tg_op when 'INSERT' then new else old end;
begin
  if exists (select from public.machine_token_bots as signs where signs.token_id = token.id) then
    return null;
  end if;
  perform private.record_event(
    case tg_op when 'INSERT' then 'token_issued' else 'token_revoked' end, private.chain_of_token(token),
    detail => jsonb_build_object('token_id', token.id, 'scope', token.scope)
      || case when tg_op = 'INSERT'
        then jsonb_build_object('expires_at', private.rfc3339(token.expires_at)) else '{}' end);
  return null;
end $$;
-- Deferred to the commit: if the token has bots, their rows have recorded the event by then.
create constraint trigger record_issued after insert on public.machine_tokens deferrable initially deferred
  for each row execute function private.record_token_without_bots();
-- Runs after the rows, when the statement has all its locks of tokens. Its name in capital letters sorts before the names of
-- the triggers that delete the rows of the token's bots, so it runs before them.
create trigger "RECORD_REVOKED" after delete on public.machine_tokens
  for each row execute function private.record_token_without_bots();

create function private.after_token_update() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_event('token_changed', chain.id, detail => jsonb_build_object(
    'token_id', new.id, 'expires_at', private.rfc3339(new.expires_at), 'fields', to_jsonb(
      case when new.token_hash <> old.token_hash then '{token}'::text[] else '{}' end
      || case when new.scope <> old.scope then '{scope}'::text[] else '{}' end
      || case when new.client_id is distinct from old.client_id then '{client_id}'::text[] else '{}' end
      || case when new.name <> old.name then '{name}'::text[] else '{}' end
      || case when new.expires_at is distinct from old.expires_at then '{expires_at}'::text[] else '{}' end)))
  from (
    select signs.client_id as id from public.machine_token_bots as signs where signs.token_id = new.id
    union select private.chain_of_token(new) where not exists (
      select from public.machine_token_bots as signs where signs.token_id = new.id)
    order by id) as chain;
  return null;
end $$;
create trigger record_changed after update on public.machine_tokens
  for each row when (
    (old.token_hash, old.scope, old.client_id, old.name, old.expires_at, old.master_key_id) is distinct from
    (new.token_hash, new.scope, new.client_id, new.name, new.expires_at, new.master_key_id))
  execute function private.after_token_update();

create function private.after_token_first_used() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event('token_first_used', new.id, used.client_id, used.bot_ids, actor => 'runner')
  from (
    select signs.client_id, array_agg(signs.bot_id order by signs.bot_id) as bot_ids
    from public.machine_token_bots as signs
    where signs.token_id = new.id group by signs.client_id order by signs.client_id
  ) as used;
  return null;
end $$;
comment on function private.after_token_first_used() is
  'Records the first successful use of a token. Later uses appear in the events of signatures, which name the token.';
create trigger record_first_used after update of last_used_at on public.machine_tokens
  for each row when (old.last_used_at is null and new.last_used_at is not null)
  execute function private.after_token_first_used();

-- policies ----------------------------------------------------------------------------------------------------

create function private.policy_detail(policy public.bot_policies) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  detail constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'kinds', to_jsonb(policy.kinds), 'chain_ids', to_jsonb(policy.chain_ids), 'recipients', to_jsonb(policy.recipients),
    'max_value', policy.max_value::text, 'max_value_24h', policy.max_value_24h::text,
    'quarantine_after', policy.quarantine_after));
begin
  -- All lists together can be longer than an event may be.
  if not private.is_event_detail(detail) then
    return jsonb_build_object('policy_sha256', encode(sha256(convert_to(detail::text, 'UTF8')), 'hex'));
  end if;
  return detail;
end $$;
comment on function private.policy_detail(public.bot_policies) is
  'A policy as its event shows it. If the policy is longer than an event may be, the event contains its SHA-256.';

create function private.after_policies_write() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'DELETE' then
    perform private.record_events('policy_removed', gone.client_id, gone.bot_ids, '{}')
    from (
      select before.client_id, array_agg(before.bot_id order by before.bot_id) as bot_ids
      from before group by before.client_id order by before.client_id) as gone;
  elsif tg_op = 'INSERT' then
    perform private.record_events('policy_set', put.client_id, put.bot_ids, put.details)
    from (
      select after.client_id, array_agg(after.bot_id order by after.bot_id) as bot_ids,
        array_agg(private.policy_detail(after) order by after.bot_id) as details
      from after group by after.client_id order by after.client_id) as put;
  else
    perform private.record_events('policy_set', put.client_id, put.bot_ids, put.details)
    from (
      select after.client_id, array_agg(after.bot_id order by after.bot_id) as bot_ids,
        array_agg(private.policy_detail(after) order by after.bot_id) as details
      from after join before on before.bot_id = after.bot_id
      where (after.client_id, private.policy_detail(after)) is distinct from
        (before.client_id, private.policy_detail(before))
      group by after.client_id order by after.client_id) as put;
  end if;
  return null;
end $$;
comment on function private.after_policies_write() is
  'Records the new policy. A write that changes nothing is not recorded.';
create trigger record_set after insert on public.bot_policies referencing new table as after
  for each statement execute function private.after_policies_write();
create trigger record_changed after update on public.bot_policies referencing old table as before new table as after
  for each statement execute function private.after_policies_write();
create trigger record_removed after delete on public.bot_policies referencing old table as before
  for each statement execute function private.after_policies_write();

-- the deployment ----------------------------------------------------------------------------------------------

create function private.after_admins_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op <> 'INSERT' then
    perform private.record_event('admin_removed', private.deployment(), detail => jsonb_build_object('user_id', old.user_id));
  end if;
  if tg_op <> 'DELETE' then
    perform private.record_event('admin_added', private.deployment(), detail => jsonb_build_object('user_id', new.user_id));
  end if;
  return null;
end $$;
create trigger record_changed after insert or update or delete on private.admins
  for each row execute function private.after_admins_change();

create function private.after_settings_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  setting jsonb := case tg_op when 'DELETE' then '{}' else to_jsonb(new) - 'only_row' end;
begin
  perform private.record_event('settings_changed', private.deployment(),
    detail => jsonb_build_object('table', tg_table_name) || jsonb_strip_nulls(setting));
  return null;
end $$;
create trigger record_changed after insert or delete on private.monitor_settings
  for each row execute function private.after_settings_change();
create trigger record_updated after update on private.monitor_settings
  for each row when (old is distinct from new) execute function private.after_settings_change();
create trigger record_changed after insert or delete on private.settings
  for each row execute function private.after_settings_change();
create trigger record_updated after update on private.settings
  for each row when (old is distinct from new) execute function private.after_settings_change();

create function private.after_bot_type_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_event(
    case tg_op when 'INSERT' then 'bot_type_added' when 'UPDATE' then 'bot_type_changed' else 'bot_type_removed' end,
    private.deployment(),
    detail => case tg_op when 'DELETE' then jsonb_build_object('bot_type', old.id)
      else jsonb_build_object('bot_type', new.id, 'chain', new.chain, 'enabled', new.enabled) end);
  return null;
end $$;
create trigger record_changed after insert or delete on public.bot_types
  for each row execute function private.after_bot_type_change();
create trigger record_updated after update on public.bot_types
  for each row when (old is distinct from new) execute function private.after_bot_type_change();

-- no TRUNCATE, which skips triggers ---------------------------------------------------------------------------

do $$
declare
  changed text;
begin
  foreach changed in array array[
    'public.clients', 'public.bots', 'public.machine_tokens', 'public.machine_token_bots', 'public.bot_policies',
    'public.bot_types', 'private.admins', 'private.monitor_settings', 'private.settings']
  loop
    execute format(
      'create trigger never_truncated before truncate on %s for each statement execute function private.refuse_truncate()',
      changed);
  end loop;
end $$;
