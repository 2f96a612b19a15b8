-- What requests do with bots and their wallets. See clients_api.

-- responses ---------------------------------------------------------------------------------------------------

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

-- creating ----------------------------------------------------------------------------------------------------

create function public.list_bot_options(client_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_client(list_bot_options.client_id);
  return jsonb_build_object('bot_types', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', id, 'name', name, 'description', description, 'chain', chain) order by id), '[]')
    from public.bot_types where enabled));
end $$;

create function private.add_wallet(bot public.bots, wallet jsonb) returns boolean
language plpgsql set search_path = '' as $$
begin
  if wallet ->> 'encrypted_key' is not null then
    if wallet ->> 'chain' <> (select chain from public.bot_types where id = bot.bot_type) then
      raise sqlstate 'PT422' using
        message = 'The bot and the key belong to different chain families.', hint = 'chain_mismatch';
    end if;
    -- The first key of a client becomes its trading key. A trigger writes it to all wallets that a revocation left empty,
    -- so the bot may already have this wallet.
    if not exists (select from public.trading_keys where client_id = bot.client_id) then
      insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
      values (
        bot.client_id, wallet ->> 'address', wallet ->> 'chain', (wallet ->> 'key_id')::uuid,
        wallet ->> 'encrypted_key');
      if exists (
        select from public.bot_wallets
        where client_id = bot.client_id and bot_id = bot.id and address = wallet ->> 'address'
      ) then return true; end if;
    end if;
  end if;
  insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
  values (
    bot.id, bot.client_id, wallet ->> 'address', wallet ->> 'chain', (wallet ->> 'key_id')::uuid,
    wallet ->> 'encrypted_key');
  return true;
end $$;
comment on function private.add_wallet(public.bots, jsonb) is
  'Adds the wallet {address?, chain?, key_id?, encrypted_key?} to a bot. Without an envelope, the wallet gets a copy of the trading key.';

create function private.make_bot(client_id uuid, bot_type text, name text, config jsonb, wallets jsonb)
returns public.bots
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
  done boolean;
begin
  if not exists (select from public.bot_types where id = make_bot.bot_type and enabled) then
    raise sqlstate 'PT422' using message = 'The bot type does not exist.', hint = 'bot_type_unknown';
  end if;
  insert into public.bots (client_id, bot_type, name, config)
    values (make_bot.client_id, make_bot.bot_type, make_bot.name, make_bot.config)
    returning * into bot;
  if jsonb_array_length(wallets) > 1 then
    done := private.lock_addresses(array(select value ->> 'address' from jsonb_array_elements(wallets)));
  end if;
  for place in 0 .. coalesce(jsonb_array_length(wallets), 0) - 1 loop
    done := private.add_wallet(bot, wallets -> place);
  end loop;
  return bot;
end $$;

create function public.create_bot(
  edge_token text, client_id uuid, bot_type text, name text, config jsonb, wallets jsonb, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'create_bot');
  bot public.bots;
  locked boolean;
begin
  perform private.admit_edge(create_bot.edge_token);
  if answer is not null then
    perform private.require_client(create_bot.client_id);
    perform private.require_admin();
    return private.replayed_bot(answer);
  end if;
  locked := private.lock_client(create_bot.client_id);
  perform private.require_admin();
  if wallets = '[]' and exists (
    select from public.trading_keys where trading_keys.client_id = create_bot.client_id
  ) then
    wallets := '[{}]';
  end if;
  bot := private.make_bot(create_bot.client_id, bot_type, name, config, wallets);
  return private.keep_answer(once, 'create_bot', private.bot_json(bot));
end $$;
comment on function public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb) is
  'POST /bots/create. Wallets are {address, chain, key_id, encrypted_key}. If the list is empty, the bot gets a copy of the trading key, if the client has one.';

create function public.setup_bot(
  edge_token text, client_id uuid, bot_type text, name text, config jsonb, wallet jsonb, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'setup_bot');
  bot public.bots;
  locked boolean;
begin
  perform private.admit_edge(setup_bot.edge_token);
  if answer is not null then
    perform private.require_client(setup_bot.client_id);
    return private.replayed_bot(answer);
  end if;
  locked := private.lock_client(setup_bot.client_id);
  bot := private.make_bot(setup_bot.client_id, bot_type, name, config, jsonb_build_array(wallet));
  update public.bots set status = 'running' where id = bot.id returning * into bot;
  return private.keep_answer(once, 'setup_bot', private.bot_json(bot));
end $$;
comment on function public.setup_bot(text, uuid, text, text, jsonb, jsonb, jsonb) is
  'POST /clients/{id}/setup-bot. If the wallet is {}, the bot gets a copy of the trading key.';

create function public.add_wallet(edge_token text, bot_id uuid, wallet jsonb, once jsonb default null) returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'add_wallet');
  bot public.bots;
begin
  perform private.admit_edge(add_wallet.edge_token);
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
    from jsonb_array_elements(private.wallets_json(bot)) as added
    where added ->> 'address' = coalesce(
      wallet ->> 'address', (select address from public.trading_keys where client_id = bot.client_id))));
end $$;
comment on function public.add_wallet(text, uuid, jsonb, jsonb) is 'POST /bots/{id}/wallets.';

-- listing, starting and stopping ------------------------------------------------------------------------------

create function public.list_bots(client_id uuid, page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_page_size(list_bots.page_size);
  perform private.require_client(list_bots.client_id);
  return private.page_json((
    with page as (
      select bots as bot, bots.id from public.bots
      where bots.client_id = list_bots.client_id and (list_bots.after is null or bots.id < list_bots.after)
      order by bots.id desc limit list_bots.page_size + 1)
    select coalesce(jsonb_agg(private.bot_json(page.bot, coalesce(held.wallets, '[]')) order by page.id desc), '[]')
    from page left join private.wallets_of(list_bots.client_id, array(select id from page)) as held
      on held.bot_id = page.id), page_size);
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
  if answer is not null then return private.replayed_bot(answer); end if;
  perform private.share_client(bot.client_id);
  update public.bots set status = 'running' where id = bot.id returning * into bot;
  return private.keep_answer(once, 'start_bot', private.bot_json(bot));
end $$;

create function public.stop_bot(bot_id uuid) returns jsonb
language plpgsql set search_path = '' set statement_timeout = '7s' as $$
declare
  bot public.bots;
  locked boolean;
begin
  select * into bot from public.bots where id = stop_bot.bot_id;
  if bot.id is not null then locked := private.lock_gate(bot.client_id); end if;
  update public.bots set status = 'stopped' where id = stop_bot.bot_id returning * into bot;
  if bot.id is null then perform private.raise_not_found(); end if;
  return private.bot_json(bot);
end $$;
comment on function public.stop_bot(uuid) is
  'POST /bots/{id}/stop. It takes no idempotency key, because stopping a bot twice has the same effect as stopping it once. This call has no rate limit, so it must not store anything.';

grant execute on function
  private.wallets_of(uuid, uuid[]), private.wallets_json(public.bots), private.bot_json(public.bots, jsonb),
  private.bot_json(public.bots), private.replayed_bot(jsonb), public.list_bot_options(uuid),
  private.add_wallet(public.bots, jsonb), private.make_bot(uuid, text, text, jsonb, jsonb),
  public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb), public.setup_bot(text, uuid, text, text, jsonb, jsonb, jsonb),
  public.add_wallet(text, uuid, jsonb, jsonb), public.list_bots(uuid, integer, uuid), public.get_bot(uuid),
  public.start_bot(uuid, jsonb), public.stop_bot(uuid)
to authenticated;
