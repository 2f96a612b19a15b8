create function private.add_wallet(bot public.bots, wallet jsonb) returns void
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
      ) then return; end if;
    end if;
  end if;
  insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
  values (
    bot.id, bot.client_id, wallet ->> 'address', wallet ->> 'chain', (wallet ->> 'key_id')::uuid,
    wallet ->> 'encrypted_key');
end $$;
comment on function private.add_wallet(public.bots, jsonb) is
  'Adds the wallet {address?, chain?, key_id?, encrypted_key?} to a bot. Without an envelope, the wallet gets a copy of the trading key.';

create function private.make_bot(client_id uuid, bot_type text, name text, config jsonb, wallets jsonb)
returns public.bots
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
  wallet jsonb;
begin
  if not exists (select from public.bot_types where id = make_bot.bot_type and enabled) then
    raise sqlstate 'PT422' using message = 'The bot type does not exist.', hint = 'bot_type_unknown';
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
  edge_token text, client_id uuid, bot_type text, name text, config jsonb, wallets jsonb, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'create_bot');
  bot public.bots;
begin
  perform private.admit_edge(create_bot.edge_token);
  if answer is not null then
    perform private.require_client(create_bot.client_id);
    perform private.require_admin();
    return private.replayed_bot(answer);
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
comment on function public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb) is
  'POST /bots/create. Wallets are {address, chain, key_id, encrypted_key}. If the list is empty, the bot gets a copy of the trading key, if the client has one.';

create function public.setup_bot(
  edge_token text, client_id uuid, bot_type text, name text, config jsonb, wallet jsonb, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'setup_bot');
  bot public.bots;
begin
  perform private.admit_edge(setup_bot.edge_token);
  if answer is not null then
    perform private.require_client(setup_bot.client_id);
    return private.replayed_bot(answer);
  end if;
  perform private.lock_client(setup_bot.client_id);
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

create function public.rotate_key(
  edge_token text, client_id uuid, address text, chain text, key_id uuid, encrypted_key text, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'rotate_key');
  wallets integer;
  running integer;
  wallets_before integer;
  running_before integer;
begin
  perform private.admit_edge(rotate_key.edge_token);
  if answer is not null then
    perform private.require_client(rotate_key.client_id);
    return answer;
  end if;
  perform private.require_client(rotate_key.client_id);
  perform private.lock_trading_key(rotate_key.client_id);
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
comment on function public.rotate_key(text, uuid, text, text, uuid, text, jsonb) is 'PUT /clients/{id}/rotate-key.';

create function public.revoke_key(client_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
declare
  revoked jsonb;
  running integer;
  with_key integer;
  tokens uuid[];
begin
  perform private.require_client(revoke_key.client_id);
  perform private.lock_trading_key(revoke_key.client_id, urgent => true);
  revoked := private.trading_key_json(revoke_key.client_id);
  select count(*) into running from public.bots as b
    where b.client_id = revoke_key.client_id and b.status = 'running';
  select count(*) into with_key from public.bot_wallets as w
    where w.client_id = revoke_key.client_id and w.key_id is not null;
  tokens := private.tokens_of_client(revoke_key.client_id);
  delete from public.trading_keys as t where t.client_id = revoke_key.client_id;
  return jsonb_build_object(
    'client_id', revoke_key.client_id, 'address', revoked -> 'address', 'key_id', revoked -> 'key_id',
    'revoked_at', private.rfc3339(now()), 'bots_stopped', running, 'wallets_cleared', with_key,
    'tokens_ended', to_jsonb(tokens));
end $$;
comment on function public.revoke_key(uuid) is
  'For a session that calls the REST API directly. DELETE /clients/{id}/revoke-key calls revoke_key_at_edge.';

create function public.revoke_key_at_edge(edge_token text, client_id uuid) returns jsonb
-- Longer than any statement of a session can hold a lock, a slow call of revoke_key included. PostgREST applies this
-- setting when it calls the function.
language plpgsql set search_path = '' set statement_timeout = '9s' as $$
begin
  perform private.admit_edge(revoke_key_at_edge.edge_token);
  return public.revoke_key(revoke_key_at_edge.client_id);
end $$;
comment on function public.revoke_key_at_edge(text, uuid) is 'DELETE /clients/{id}/revoke-key.';

create function public.get_trading_key(client_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  trading_key jsonb;
begin
  perform private.require_client(get_trading_key.client_id);
  trading_key := private.trading_key_json(get_trading_key.client_id);
  if trading_key is null then perform private.raise_trading_key_missing(); end if;
  return trading_key;
end $$;

grant execute on function
  private.add_wallet(public.bots, jsonb), private.make_bot(uuid, text, text, jsonb, jsonb),
  public.create_bot(text, uuid, text, text, jsonb, jsonb, jsonb), public.setup_bot(text, uuid, text, text, jsonb, jsonb, jsonb),
  public.add_wallet(text, uuid, jsonb, jsonb), public.rotate_key(text, uuid, text, text, uuid, text, jsonb), public.revoke_key(uuid),
  public.revoke_key_at_edge(text, uuid),
  public.get_trading_key(uuid)
to authenticated;
