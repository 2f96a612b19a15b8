-- What requests do with bots and their wallets. See clients_api.

-- responses ---------------------------------------------------------------------------------------------------

create function private.wallet_json(
  id uuid, address text, chain text, key_id uuid, created_at timestamptz, trading_key_id uuid
) returns jsonb
language plpgsql stable parallel safe set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', id, 'address', address, 'chain', chain,
    'key_source', case
      when key_id is null then null
      when key_id = trading_key_id then 'trading'
      else 'own' end,
    'key_id', key_id,
    'created_at', private.rfc3339(created_at));
end $$;

create view private.shown_wallets with (security_invoker = true) as
select wallets.client_id, wallets.bot_id, wallets.id,
  private.wallet_json(
    wallets.id, wallets.address, wallets.chain, wallets.key_id, wallets.created_at, trading_keys.key_id) as item
from public.bot_wallets as wallets
left join public.trading_keys on trading_keys.client_id = wallets.client_id;
comment on view private.shown_wallets is
  'Each wallet as responses show it. Row-level security of the caller decides which wallets it has.';
revoke all on private.shown_wallets from public, anon, authenticated, service_role;
grant select on private.shown_wallets to authenticated;

create function private.wallets_json(bot public.bots) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select coalesce(jsonb_agg(held.item order by held.id), '[]') from private.shown_wallets as held
    where held.client_id = bot.client_id and held.bot_id = bot.id);
end $$;

create function private.bot_json(bot public.bots, wallets jsonb) returns jsonb
language plpgsql stable parallel safe set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', bot.id, 'client_id', bot.client_id, 'bot_type', bot.bot_type, 'name', bot.name,
    'status', bot.status, 'stop_reason', bot.stop_reason,
    'started_at', private.rfc3339(bot.started_at), 'stopped_at', private.rfc3339(bot.stopped_at),
    'created_at', private.rfc3339(bot.created_at),
    'wallets', wallets);
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
declare
  options jsonb;
begin
  select jsonb_build_object('bot_types', (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', types.id, 'name', types.name, 'description', types.description, 'chain', types.chain) order by types.id), '[]')
    from public.bot_types as types where types.enabled)) into options
    from public.clients where clients.id = list_bot_options.client_id;
  if not found then perform private.raise_not_found(); end if;
  return options;
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
declare
  items jsonb;
begin
  perform private.require_page_size(list_bots.page_size);
  select jsonb_agg(page.item order by page.id desc) into items from (
    select bots.id, private.bot_json(bots, (
      select coalesce(jsonb_agg(held.item order by held.id), '[]') from private.shown_wallets as held
      where held.client_id = bots.client_id and held.bot_id = bots.id)) as item
    from public.bots
    where bots.client_id = list_bots.client_id and (list_bots.after is null or bots.id < list_bots.after)
    order by bots.id desc limit list_bots.page_size + 1) as page;
  -- A caller that sees a bot of the client sees the client.
  if items is null then perform private.require_client(list_bots.client_id); end if;
  return private.page_json(coalesce(items, '[]'), page_size);
end $$;

create function public.get_bot(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  shown jsonb;
begin
  select private.bot_json(bots, (
      select coalesce(jsonb_agg(held.item order by held.id), '[]') from private.shown_wallets as held
      where held.client_id = bots.client_id and held.bot_id = bots.id))
      || jsonb_build_object('config', bots.config) into shown
    from public.bots where bots.id = get_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return shown;
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
  private.wallet_json(uuid, text, text, uuid, timestamptz, uuid), private.wallets_json(public.bots), private.bot_json(public.bots, jsonb),
  private.bot_json(public.bots), private.replayed_bot(jsonb), public.list_bot_options(uuid),
  private.add_wallet(public.bots, jsonb), private.make_bot(uuid, text, text, jsonb, jsonb),
  public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb), public.setup_bot(text, uuid, text, text, jsonb, jsonb, jsonb),
  public.add_wallet(text, uuid, jsonb, jsonb), public.list_bots(uuid, integer, uuid), public.get_bot(uuid),
  public.start_bot(uuid, jsonb), public.stop_bot(uuid)
to authenticated;
