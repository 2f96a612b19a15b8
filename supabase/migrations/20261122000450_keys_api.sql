-- What requests do with trading keys. See clients_api.

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

create function public.rotate_key(
  edge_token text, client_id uuid, address text, chain text, key_id uuid, encrypted_key text, once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'rotate_key');
  wallets integer;
  running integer;
  wallets_before integer;
  done boolean;
  running_before integer;
begin
  perform private.admit_edge(rotate_key.edge_token);
  if answer is not null then
    perform private.require_client(rotate_key.client_id);
    return answer;
  end if;
  done := private.require_client(rotate_key.client_id);
  done := private.lock_trading_key(rotate_key.client_id);
  select
    (select count(*) from public.bot_wallets as w where w.client_id = rotate_key.client_id),
    (select count(*) from public.bots as b where b.client_id = rotate_key.client_id and b.status = 'running')
    into wallets_before, running_before;
  update public.trading_keys as t
    set address = rotate_key.address, chain = rotate_key.chain, key_id = rotate_key.key_id,
      encrypted_key = rotate_key.encrypted_key
    where t.client_id = rotate_key.client_id;
  select
    (select count(*) from public.bot_wallets as w where w.client_id = rotate_key.client_id),
    (select count(*) from public.bots as b where b.client_id = rotate_key.client_id and b.status = 'running')
    into wallets, running;
  return private.keep_answer(once, 'rotate_key', private.trading_key_json(rotate_key.client_id) || jsonb_build_object(
    'wallets_updated', wallets, 'wallets_merged', wallets_before - wallets,
    'bots_stopped', running_before - running));
end $$;
comment on function public.rotate_key(text, uuid, text, text, uuid, text, jsonb) is 'PUT /clients/{id}/rotate-key.';

create function public.revoke_key(client_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
declare
  revoked jsonb;
  done boolean;
  running integer;
  with_key integer;
  tokens uuid[];
begin
  done := private.require_client(revoke_key.client_id);
  done := private.lock_trading_key(revoke_key.client_id, urgent => true);
  revoked := private.trading_key_json(revoke_key.client_id);
  select
    (select count(*) from public.bots as b where b.client_id = revoke_key.client_id and b.status = 'running'),
    (select count(*) from public.bot_wallets as w where w.client_id = revoke_key.client_id and w.key_id is not null)
    into running, with_key;
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
  trading_key constant jsonb := private.trading_key_json(get_trading_key.client_id);
begin
  -- A caller that sees the trading key of the client sees the client.
  if trading_key is null then
    perform private.require_client(get_trading_key.client_id);
    perform private.raise_trading_key_missing();
  end if;
  return trading_key;
end $$;

grant execute on function
  private.trading_key_json(uuid), public.rotate_key(text, uuid, text, text, uuid, text, jsonb), public.revoke_key(uuid),
  public.revoke_key_at_edge(text, uuid), public.get_trading_key(uuid)
to authenticated;
