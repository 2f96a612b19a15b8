-- How sessions issue, list and revoke machine tokens for bots. See clients_api.

create function private.token_json(token_id uuid) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
declare
  own_client constant uuid := private.own_client_id();
  sees_all constant boolean := private.is_admin();
begin
  return (
    select jsonb_build_object(
      'id', tokens.id, 'name', tokens.name,
      'bot_ids', (
        select coalesce(jsonb_agg(signs.bot_id order by signs.bot_id), '[]')
        from public.machine_token_bots as signs
        where signs.token_id = tokens.id and (sees_all or signs.client_id = own_client)),
      'created_at', private.rfc3339(tokens.created_at), 'expires_at', private.rfc3339(tokens.expires_at),
      'last_used_at', private.rfc3339(tokens.last_used_at))
    from public.machine_tokens as tokens
    where tokens.id = token_json.token_id and tokens.scope = 'bots' and (
      sees_all or tokens.client_id = own_client or exists (
        select from public.machine_token_bots as signs
        where signs.token_id = tokens.id and signs.client_id = own_client)));
end $$;
comment on function private.token_json(uuid) is
  'A token as its response, or null if it does not sign for a bot that the caller may see. Definer: a client also sees a token that signs for its bots and for bots of another client, but only its own bots of it.';

create function public.issue_token(
  bot_id uuid, other_bot_ids uuid[], name text, token_hash text, expires_at timestamptz default null,
  once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'issue_token');
  owner uuid;
  wanted uuid[] := array(select distinct unnest(array_prepend(issue_token.bot_id, issue_token.other_bot_ids)));
  owners uuid[];
  token_id uuid;
begin
  select array_agg(distinct bots.client_id order by bots.client_id) into owners from public.bots where bots.id = any (wanted);
  if (select count(*) from public.bots where bots.id = any (wanted)) <> cardinality(wanted) then
    perform private.raise_not_found();
  end if;
  if answer is not null then return answer; end if;
  -- A token for bots of several clients belongs to no client. Only admins can issue it, and end it for all of them.
  if cardinality(owners) = 1 then owner := owners[1]; end if;
  -- Every transaction that locks the keys of several clients locks them in the order of their ids.
  for place in 1 .. cardinality(owners) loop
    perform private.share_client(owners[place]);
  end loop;
  insert into public.machine_tokens (client_id, name, token_hash, expires_at)
    values (owner, issue_token.name, decode(issue_token.token_hash, 'hex'), issue_token.expires_at)
    returning id into token_id;
  insert into public.machine_token_bots (token_id, bot_id, client_id)
    select issue_token_id.id, bots.id, bots.client_id
    from public.bots, (select token_id as id) as issue_token_id where bots.id = any (wanted);
  return private.keep_answer(once, 'issue_token', private.token_json(token_id));
end $$;
comment on function public.issue_token(uuid, uuid[], text, text, timestamptz, jsonb) is
  'POST /bots/{id}/tokens. The hash is the SHA-256 of the new token, in hex. If a stored response is returned, the hash is not used.';

create function public.list_tokens(bot_id uuid, page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_page_size(list_tokens.page_size);
  if not exists (select from public.bots where bots.id = list_tokens.bot_id) then
    perform private.raise_not_found();
  end if;
  return private.page_json((
    select coalesce(jsonb_agg(page.item order by page.token_id desc), '[]') from (
      select signs.token_id, private.token_json(signs.token_id) as item
      from public.machine_token_bots as signs
      where signs.bot_id = list_tokens.bot_id
        and (list_tokens.after is null or signs.token_id < list_tokens.after)
      order by signs.token_id desc limit list_tokens.page_size + 1) as page), list_tokens.page_size);
end $$;
comment on function public.list_tokens(uuid, integer, uuid) is 'GET /bots/{id}/tokens, newest first.';

create function public.revoke_token(token_id uuid) returns jsonb
language plpgsql set search_path = '' set statement_timeout = '7s' as $$
declare
  revoked constant jsonb := private.token_json(revoke_token.token_id);
  client_id uuid;
begin
  if revoked is null then perform private.raise_not_found(); end if;
  for client_id in
    select distinct signs.client_id from public.machine_token_bots as signs
    where signs.token_id = revoke_token.token_id order by signs.client_id
  loop
    perform private.lock_gate(client_id);
  end loop;
  delete from public.machine_tokens where machine_tokens.id = revoke_token.token_id;
  if not found and not private.end_token_for_own_bots(revoke_token.token_id) then perform private.raise_not_found(); end if;
  return revoked;
end $$;
comment on function public.revoke_token(uuid) is
  'DELETE /tokens/{id}. After the commit, the token can no longer sign. If a client revokes a token that also signs for bots of another client, the token continues for those bots only.';

create function private.find_runner(
  token text, bot_id uuid, out token_id uuid, out use_is_noted boolean, out client_id uuid, out status text,
  out started_at timestamptz)
language plpgsql set search_path = '' as $$
declare
  hash constant bytea := private.hash_of_token(find_runner.token);
begin
  select runner.id, runner.use_is_noted, bots.client_id, bots.status, bots.started_at
    into token_id, use_is_noted, client_id, status, started_at
    from private.tokens_in_force as runner
    left join public.machine_token_bots as signs on signs.token_id = runner.id and signs.bot_id = find_runner.bot_id
    left join public.bots on bots.id = signs.bot_id
    where runner.token_hash = hash and runner.scope = 'bots';
  if token_id is null then perform private.raise_token_invalid(); end if;
  if client_id is null then perform private.raise_not_found(); end if;
end $$;
comment on function private.find_runner(text, uuid) is
  'Finds the token of a runner, as find_token does, and the bot that it signs for, in one statement.';

grant execute on function
  private.token_json(uuid), public.issue_token(uuid, uuid[], text, text, timestamptz, jsonb), public.list_tokens(uuid, integer, uuid),
  public.revoke_token(uuid)
to authenticated;
