-- The shapes of responses, and the checks that every use case makes first.

-- shapes of responses -----------------------------------------------------------------------------------------

create function private.client_json(client public.clients) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', client.id, 'name', client.name, 'email', client.email,
    'linked', client.user_id is not null,
    'created_at', private.rfc3339(client.created_at));
end $$;

create function private.wallets_of(client_id uuid, bot_ids uuid[]) returns table (bot_id uuid, wallets jsonb)
language plpgsql stable set search_path = '' as $$
begin
  return query
    select held.bot_id, jsonb_agg(jsonb_build_object(
      'id', held.id, 'address', held.address, 'chain', held.chain,
      'key_source', case
        when held.key_id is null then null
        when held.key_id = trading_keys.key_id then 'trading'
        else 'own' end,
      'key_id', held.key_id,
      'created_at', private.rfc3339(held.created_at)) order by held.id)
    from public.bot_wallets as held
    left join public.trading_keys on trading_keys.client_id = held.client_id
    where held.client_id = wallets_of.client_id and held.bot_id = any (wallets_of.bot_ids)
    group by held.bot_id;
end $$;
comment on function private.wallets_of(uuid, uuid[]) is
  'The wallets of many bots of one client, in one query, so that policies are evaluated once for all of them.';

create function private.wallets_json(bot public.bots) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return coalesce((select held.wallets from private.wallets_of(bot.client_id, array[bot.id]) as held), '[]');
end $$;

create function private.bot_json(bot public.bots, wallets jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', bot.id, 'client_id', bot.client_id, 'bot_type', bot.bot_type, 'name', bot.name,
    'status', bot.status, 'stop_reason', bot.stop_reason,
    'started_at', private.rfc3339(bot.started_at), 'stopped_at', private.rfc3339(bot.stopped_at),
    'created_at', private.rfc3339(bot.created_at),
    'wallets', bot_json.wallets);
end $$;
comment on function private.bot_json(public.bots, jsonb) is
  'A bot as lists show it, without its config. A page of 100 configs could use all memory of an isolate.';

create function private.bot_json(bot public.bots) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return private.bot_json(bot, private.wallets_json(bot)) || jsonb_build_object('config', bot.config);
end $$;
comment on function private.bot_json(public.bots) is 'One bot, with its config.';

create function private.replayed_bot(answer jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return replayed_bot.answer || jsonb_build_object('config', coalesce(
    (select bots.config from public.bots where bots.id = (replayed_bot.answer ->> 'id')::uuid), '{}'));
end $$;
comment on function private.replayed_bot(jsonb) is
  'A stored response that contains a bot, with the current config of the bot added, because stored responses contain no config.';

create function private.trading_key_json(key_of uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_build_object(
      'client_id', client_id, 'address', address, 'chain', chain, 'key_id', key_id, 'version', version,
      'master_key_id', master_key_id,
      'created_at', private.rfc3339(created_at), 'rotated_at', private.rfc3339(rotated_at),
      'age_seconds', greatest(0, floor(extract(epoch from now() - rotated_at)))::bigint)
    from public.trading_keys where client_id = key_of);
end $$;

create function private.require_page_size(page_size integer) returns void
language plpgsql immutable set search_path = '' as $$
begin
  if page_size between 1 and 100 then return; end if;
  raise sqlstate 'PT422' using message = 'The page size must be 1 to 100 items.', hint = 'validation_failed';
end $$;
comment on function private.require_page_size(integer) is 'The same limit as at the edge, for callers that call the REST API directly.';

create function private.page_json(rows jsonb, page_size integer, cursor text default 'id') returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  most_bytes constant integer := 524288;
  shown integer := page_size;
begin
  if octet_length(rows::text) > most_bytes then
    select greatest(count(*), 1) into shown from (
      select sum(octet_length(item::text)) over (order by place) as bytes
      from jsonb_array_elements(rows) with ordinality as items (item, place)
      where place <= page_size) as read
    where read.bytes <= most_bytes;
  end if;
  return case
    when jsonb_array_length(rows) > shown then jsonb_build_object(
      'items', jsonb_path_query_array(rows, 'strict $[0 to $last]', jsonb_build_object('last', shown - 1)),
      'next_cursor', rows -> (shown - 1) ->> page_json.cursor)
    else jsonb_build_object('items', rows, 'next_cursor', null) end;
end $$;
comment on function private.page_json(jsonb, integer, text) is
  'Makes a page. `rows` has one row more than the page size if there is a next page. The page ends early when its items exceed 512 KiB, so that no page uses up the memory of an isolate, but it has at least one item. The cursor is the last id or seq on the page.';

-- guards ------------------------------------------------------------------------------------------------------

create function private.raise_not_found() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT404' using message = 'The resource does not exist, or you have no access to it.', hint = 'resource_not_found';
end $$;

create function private.raise_trading_key_missing() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT404' using message = 'The client has no trading key.', hint = 'trading_key_missing';
end $$;

create function private.require_admin() returns void
language plpgsql stable set search_path = '' as $$
begin
  if not private.is_admin() then
    raise sqlstate 'PT403' using message = 'Only an admin can do this.', hint = 'admin_required';
  end if;
end $$;

create function private.require_client(client_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  perform from public.clients where clients.id = require_client.client_id;
  if not found then perform private.raise_not_found(); end if;
end $$;

create function private.lock_client(client_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  -- First check that the caller can see the client, so that nobody can delay the signing of another client.
  perform private.require_client(lock_client.client_id);
  perform private.share_gate(lock_client.client_id);
  perform private.lock_keys(lock_client.client_id);
end $$;
comment on function private.lock_client(uuid) is
  'The first step of functions that add a key. Functions that change or delete the trading key use lock_trading_key instead.';

grant execute on function
  private.client_json(public.clients), private.wallets_of(uuid, uuid[]), private.wallets_json(public.bots),
  private.bot_json(public.bots, jsonb), private.bot_json(public.bots), private.replayed_bot(jsonb),
  private.trading_key_json(uuid),
  private.require_page_size(integer), private.page_json(jsonb, integer, text),
  private.raise_not_found(), private.raise_trading_key_missing(),
  private.require_admin(), private.require_client(uuid), private.lock_client(uuid),
  private.name_of_lock(text, text), private.try_lock(bigint, boolean), private.wait_for_lock(bigint, boolean, uuid, boolean),
  private.raise_busy(), private.lock_of_keys(uuid), private.lock_keys(uuid, boolean), private.share_keys(uuid),
  private.lock_of_gate(uuid), private.share_gate(uuid), private.lock_gate(uuid),
  private.require_current_snapshot(uuid),
  private.lock_turn(uuid, boolean), private.lock_trading_key(uuid, boolean), private.lock_addresses(text[])
to authenticated;
