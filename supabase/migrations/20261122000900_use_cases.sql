-- One function for each use case: one transaction, one round trip, and always the caller's own rights, so that
-- row-level security judges every statement in it. A row the caller may not see does not exist: 404. What takes
-- `once` begins by asking for its first answer; to give that again, too, the caller needs its rights.

-- shapes of answers -------------------------------------------------------------------------------------------

create function private.client_json(client public.clients) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', client.id, 'name', client.name, 'email', client.email,
    'linked', client.user_id is not null,
    'created_at', private.rfc3339(client.created_at));
end $$;

create function private.wallets_json(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', wallets.id, 'address', wallets.address, 'chain', wallets.chain,
      'key', case
        when wallets.key_id is null then null
        when wallets.key_id = trading_keys.key_id then 'trading'
        else 'own' end,
      'key_id', wallets.key_id,
      'created_at', private.rfc3339(wallets.created_at)) order by wallets.id), '[]')
    from public.bot_wallets as wallets
    left join public.trading_keys on trading_keys.client_id = wallets.client_id
    where wallets.bot_id = wallets_json.bot_id);
end $$;

create function private.bot_json(bot public.bots) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', bot.id, 'client_id', bot.client_id, 'bot_type', bot.bot_type, 'name', bot.name, 'config', bot.config,
    'status', bot.status, 'stop_reason', bot.stop_reason,
    'started_at', private.rfc3339(bot.started_at), 'stopped_at', private.rfc3339(bot.stopped_at),
    'created_at', private.rfc3339(bot.created_at),
    'wallets', private.wallets_json(bot.id));
end $$;

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

create function private.page_json(rows jsonb, page_size integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return case
    when jsonb_array_length(rows) > page_size then jsonb_build_object(
      'items', rows - page_size, 'next_cursor', rows -> (page_size - 1) ->> 'id')
    else jsonb_build_object('items', rows, 'next_cursor', null) end;
end $$;
comment on function private.page_json(jsonb, integer) is
  'A page from rows that were read one further than its size. The cursor is the last id shown: ids sort by time.';

-- guards ------------------------------------------------------------------------------------------------------

create function private.raise_not_found() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT404' using message = 'There is no such thing, or it is not yours.', hint = 'not_found';
end $$;

create function private.require_admin() returns void
language plpgsql stable set search_path = '' as $$
begin
  if not private.is_admin() then
    raise sqlstate 'PT403' using message = 'Only an admin may do this.', hint = 'admin_required';
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
  -- Seen first: a stranger must not be able to hold up another client's signing.
  perform private.require_client(lock_client.client_id);
  perform private.lock_keys(lock_client.client_id);
end $$;
comment on function private.lock_client(uuid) is 'The first statement of every key change.';

create function private.require_trading_key(client_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  perform from public.trading_keys where trading_keys.client_id = require_trading_key.client_id;
  if not found then
    raise sqlstate 'PT404' using message = 'The client has no trading key.', hint = 'trading_key_missing';
  end if;
end $$;

-- clients -----------------------------------------------------------------------------------------------------

create function public.create_client(name text, email text, once jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'create_client');
  client public.clients;
begin
  perform private.require_admin();
  if answer is not null then return answer; end if;
  insert into public.clients (name, email) values (create_client.name, lower(create_client.email collate "C"))
    on conflict on constraint "one client for each e-mail" do nothing
    returning * into client;
  if client.id is null then
    raise sqlstate 'PT409' using message = 'A client with this e-mail exists.', hint = 'email_taken';
  end if;
  return private.keep_answer(once, 'create_client', private.client_json(client));
end $$;

create function public.list_clients(page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return private.page_json((
    select coalesce(jsonb_agg(page.item order by page.id desc), '[]') from (
      select clients.id, private.client_json(clients) as item from public.clients
      where list_clients.after is null or clients.id < list_clients.after
      order by clients.id desc limit list_clients.page_size + 1) as page), page_size);
end $$;

create function public.get_client(client_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  client public.clients;
begin
  select * into client from public.clients where clients.id = get_client.client_id;
  if not found then perform private.raise_not_found(); end if;
  return private.client_json(client);
end $$;

create function public.get_own_client() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return public.get_client(private.own_client_id());
end $$;

create function public.list_bot_options(client_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_client(list_bot_options.client_id);
  return jsonb_build_object('bot_types', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', id, 'name', name, 'description', description, 'chain', chain) order by id), '[]')
    from public.bot_types where enabled));
end $$;

-- keys --------------------------------------------------------------------------------------------------------

create function private.add_wallet(bot public.bots, wallet jsonb) returns void
language plpgsql set search_path = '' as $$
begin
  if wallet ->> 'encrypted_key' is not null then
    if wallet ->> 'chain' <> (select chain from public.bot_types where id = bot.bot_type) then
      raise sqlstate 'PT422' using
        message = 'The bot trades on another chain family than this key.', hint = 'chain_mismatch';
    end if;
    -- The first key of a client is its trading key. Wallets that a revocation left empty take it at once, so the
    -- bot may have this wallet already.
    if not exists (select from public.trading_keys where client_id = bot.client_id) then
      insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
      values (
        bot.client_id, wallet ->> 'address', wallet ->> 'chain', (wallet ->> 'key_id')::uuid,
        wallet ->> 'encrypted_key');
      if exists (
        select from public.bot_wallets where bot_id = bot.id and address = wallet ->> 'address'
      ) then return; end if;
    end if;
  end if;
  insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
  values (
    bot.id, bot.client_id, wallet ->> 'address', wallet ->> 'chain', (wallet ->> 'key_id')::uuid,
    wallet ->> 'encrypted_key');
end $$;
comment on function private.add_wallet(public.bots, jsonb) is
  'Adds {address?, chain?, key_id?, encrypted_key?} to a bot; without an envelope, a copy of the trading key.';

create function private.make_bot(client_id uuid, bot_type text, name text, config jsonb, wallets jsonb)
returns public.bots
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
  wallet jsonb;
begin
  if not exists (select from public.bot_types where id = make_bot.bot_type and enabled) then
    raise sqlstate 'PT422' using message = 'There is no such bot type.', hint = 'bot_type_unknown';
  end if;
  -- Here numbers are written out and spaces added, so that this limit is not the edge's.
  if octet_length(make_bot.config::text) > 65536 then
    raise sqlstate 'PT422' using message = 'The config is too large.', hint = 'validation_failed';
  end if;
  insert into public.bots (client_id, bot_type, name, config)
    values (make_bot.client_id, make_bot.bot_type, make_bot.name, make_bot.config)
    returning * into bot;
  perform private.lock_addresses(array(select value ->> 'address' from jsonb_array_elements(wallets)));
  for wallet in select * from jsonb_array_elements(wallets) loop
    perform private.add_wallet(bot, wallet);
  end loop;
  return bot;
end $$;

create function public.create_bot(
  client_id uuid, bot_type text, name text, config jsonb, wallets jsonb, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'create_bot');
  bot public.bots;
begin
  if answer is not null then
    perform private.require_client(create_bot.client_id);
    perform private.require_admin();
    return answer;
  end if;
  perform private.lock_client(create_bot.client_id);
  perform private.require_admin();
  if wallets = '[]' and exists (
    select from public.trading_keys where trading_keys.client_id = create_bot.client_id
  ) then
    wallets := '[{}]';
  end if;
  bot := private.make_bot(create_bot.client_id, bot_type, name, config, wallets);
  return private.keep_answer(once, 'create_bot', private.bot_json(bot));
end $$;
comment on function public.create_bot(uuid, text, text, jsonb, jsonb, jsonb) is
  'POST /bots/create. Wallets are {address, chain, key_id, encrypted_key}; none means a copy of the trading key, if there is one.';

create function public.setup_bot(
  client_id uuid, bot_type text, name text, config jsonb, wallet jsonb, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'setup_bot');
  bot public.bots;
begin
  if answer is not null then
    perform private.require_client(setup_bot.client_id);
    return answer;
  end if;
  perform private.lock_client(setup_bot.client_id);
  bot := private.make_bot(setup_bot.client_id, bot_type, name, config, jsonb_build_array(wallet));
  update public.bots set status = 'running' where id = bot.id returning * into bot;
  return private.keep_answer(once, 'setup_bot', private.bot_json(bot));
end $$;
comment on function public.setup_bot(uuid, text, text, jsonb, jsonb, jsonb) is
  'POST /clients/{id}/setup-bot. The wallet is {} for a copy of the trading key.';

create function public.add_wallet(bot_id uuid, wallet jsonb, once jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'add_wallet');
  bot public.bots;
begin
  select * into bot from public.bots where id = add_wallet.bot_id;
  if not found then perform private.raise_not_found(); end if;
  if answer is not null then
    perform private.require_admin();
    return answer;
  end if;
  perform private.lock_client(bot.client_id);
  perform private.require_admin();
  perform private.add_wallet(bot, wallet);
  return private.keep_answer(once, 'add_wallet', (
    select added || jsonb_build_object('bot_id', bot.id, 'client_id', bot.client_id)
    from jsonb_array_elements(private.wallets_json(bot.id)) as added
    where added ->> 'address' = coalesce(
      wallet ->> 'address', (select address from public.trading_keys where client_id = bot.client_id))));
end $$;
comment on function public.add_wallet(uuid, jsonb, jsonb) is 'POST /bots/{id}/wallets.';

create function public.rotate_key(
  client_id uuid, address text, chain text, key_id uuid, encrypted_key text, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'rotate_key');
  wallets integer;
  running integer;
  wallets_before integer;
  running_before integer;
begin
  if answer is not null then
    perform private.require_client(rotate_key.client_id);
    return answer;
  end if;
  perform private.lock_client(rotate_key.client_id);
  perform private.require_trading_key(rotate_key.client_id);
  select count(*) into wallets_before from public.bot_wallets as w where w.client_id = rotate_key.client_id;
  select count(*) into running_before from public.bots as b
    where b.client_id = rotate_key.client_id and b.status = 'running';
  update public.trading_keys as t
    set address = rotate_key.address, chain = rotate_key.chain, key_id = rotate_key.key_id,
      encrypted_key = rotate_key.encrypted_key
    where t.client_id = rotate_key.client_id;
  select count(*) into wallets from public.bot_wallets as w where w.client_id = rotate_key.client_id;
  select count(*) into running from public.bots as b
    where b.client_id = rotate_key.client_id and b.status = 'running';
  return private.keep_answer(once, 'rotate_key', private.trading_key_json(rotate_key.client_id) || jsonb_build_object(
    'wallets_updated', wallets, 'wallets_merged', wallets_before - wallets,
    'bots_stopped', running_before - running));
end $$;
comment on function public.rotate_key(uuid, text, text, uuid, text, jsonb) is 'PUT /clients/{id}/rotate-key.';

create function public.revoke_key(client_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
declare
  revoked jsonb;
  running integer;
  with_key integer;
begin
  perform private.lock_client(revoke_key.client_id);
  perform private.require_trading_key(revoke_key.client_id);
  revoked := private.trading_key_json(revoke_key.client_id);
  select count(*) into running from public.bots as b
    where b.client_id = revoke_key.client_id and b.status = 'running';
  select count(*) into with_key from public.bot_wallets as w
    where w.client_id = revoke_key.client_id and w.key_id is not null;
  delete from public.trading_keys as t where t.client_id = revoke_key.client_id;
  return jsonb_build_object(
    'client_id', revoke_key.client_id, 'address', revoked -> 'address', 'key_id', revoked -> 'key_id',
    'revoked_at', private.rfc3339(now()), 'bots_stopped', running, 'wallets_cleared', with_key);
end $$;
comment on function public.revoke_key(uuid) is 'DELETE /clients/{id}/revoke-key.';

create function public.get_trading_key(client_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_client(get_trading_key.client_id);
  perform private.require_trading_key(get_trading_key.client_id);
  return private.trading_key_json(get_trading_key.client_id);
end $$;

-- bots --------------------------------------------------------------------------------------------------------

create function public.list_bots(client_id uuid, page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_client(list_bots.client_id);
  return private.page_json((
    select coalesce(jsonb_agg(page.item order by page.id desc), '[]') from (
      select bots.id, private.bot_json(bots) as item from public.bots
      where bots.client_id = list_bots.client_id and (list_bots.after is null or bots.id < list_bots.after)
      order by bots.id desc limit list_bots.page_size + 1) as page), page_size);
end $$;

create function public.get_bot(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  bot public.bots;
begin
  select * into bot from public.bots where id = get_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return private.bot_json(bot);
end $$;

create function public.start_bot(bot_id uuid, once jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'start_bot');
  bot public.bots;
begin
  select * into bot from public.bots where id = start_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  if answer is not null then return answer; end if;
  perform from public.clients where id = bot.client_id for share;
  update public.bots set status = 'running' where id = bot.id returning * into bot;
  return private.keep_answer(once, 'start_bot', private.bot_json(bot));
end $$;

create function public.stop_bot(bot_id uuid, once jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'stop_bot');
  bot public.bots;
begin
  if answer is not null then
    if not exists (select from public.bots where id = stop_bot.bot_id) then perform private.raise_not_found(); end if;
    return answer;
  end if;
  update public.bots set status = 'stopped' where id = stop_bot.bot_id returning * into bot;
  if bot.id is null then perform private.raise_not_found(); end if;
  return private.keep_answer(once, 'stop_bot', private.bot_json(bot));
end $$;

create function public.schema_version() returns integer
language sql immutable set search_path = ''
return 1;
comment on function public.schema_version() is 'What GET /ready asks: whether the database is there and migrated.';

-- rights ------------------------------------------------------------------------------------------------------

grant execute on function
  private.client_json(public.clients), private.wallets_json(uuid), private.bot_json(public.bots),
  private.trading_key_json(uuid), private.page_json(jsonb, integer),
  private.raise_not_found(), private.require_admin(), private.require_client(uuid), private.lock_client(uuid),
  private.name_of_lock(text, text), private.lock_keys(uuid), private.hold_keys(uuid), private.lock_addresses(text[]),
  private.require_trading_key(uuid),
  private.add_wallet(public.bots, jsonb), private.make_bot(uuid, text, text, jsonb, jsonb),
  public.create_client(text, text, jsonb), public.list_clients(integer, uuid), public.get_client(uuid),
  public.get_own_client(), public.list_bot_options(uuid),
  public.create_bot(uuid, text, text, jsonb, jsonb, jsonb), public.setup_bot(uuid, text, text, jsonb, jsonb, jsonb),
  public.add_wallet(uuid, jsonb, jsonb), public.rotate_key(uuid, text, text, uuid, text, jsonb), public.revoke_key(uuid),
  public.get_trading_key(uuid), public.list_bots(uuid, integer, uuid), public.get_bot(uuid),
  public.start_bot(uuid, jsonb), public.stop_bot(uuid, jsonb)
to authenticated;
grant execute on function public.schema_version() to anon, authenticated;
