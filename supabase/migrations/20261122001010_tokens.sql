-- Tokens as their client sees them; and as who runs bots is known by them.

create function private.token_json(token_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_build_object(
      'id', tokens.id, 'name', tokens.name,
      'bot_ids', (
        select coalesce(jsonb_agg(bots.bot_id order by bots.bot_id), '[]')
        from public.machine_token_bots as bots where bots.token_id = tokens.id),
      'created_at', private.rfc3339(tokens.created_at), 'expires_at', private.rfc3339(tokens.expires_at),
      'last_used_at', private.rfc3339(tokens.last_used_at))
    from public.machine_tokens as tokens where tokens.id = token_json.token_id);
end $$;

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
  select array_agg(distinct bots.client_id) into owners from public.bots where bots.id = any (wanted);
  if (select count(*) from public.bots where bots.id = any (wanted)) <> cardinality(wanted) then
    perform private.raise_not_found();
  end if;
  if answer is not null then return answer; end if;
  -- A token over the bots of several clients belongs to none of them: only admins see and revoke it.
  if cardinality(owners) = 1 then owner := owners[1]; end if;
  token_id := private.uuid_v7();
  insert into public.machine_tokens (id, client_id, name, token_hash, expires_at)
    values (token_id, owner, issue_token.name, decode(issue_token.token_hash, 'hex'), issue_token.expires_at);
  insert into public.machine_token_bots (token_id, bot_id, client_id)
    select issue_token_id.id, bots.id, bots.client_id
    from public.bots, (select token_id as id) as issue_token_id where bots.id = any (wanted);
  return private.keep_answer(once, 'issue_token', private.token_json(token_id));
end $$;
comment on function public.issue_token(uuid, uuid[], text, text, timestamptz, jsonb) is
  'POST /bots/{id}/tokens. The hash is the SHA-256 of the token, in hex; where a first answer is given again, no token has it.';

create function public.list_tokens(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from public.bots where bots.id = list_tokens.bot_id) then
    perform private.raise_not_found();
  end if;
  return jsonb_build_object('next_cursor', null, 'items', (
    select coalesce(jsonb_agg(private.token_json(tokens.id) order by tokens.id desc), '[]')
    from public.machine_token_bots as signs join public.machine_tokens as tokens on tokens.id = signs.token_id
    where signs.bot_id = list_tokens.bot_id));
end $$;

create function private.before_token_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(private.name_of_lock('token', encode(old.token_hash, 'hex')));
  return old;
end $$;
comment on function private.before_token_delete() is
  'Waits for the calls that have begun with the token. Definer: API roles cannot read the hash.';
create trigger before_delete before delete on public.machine_tokens
  for each row execute function private.before_token_delete();

create function public.revoke_token(token_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
declare
  revoked jsonb := private.token_json(revoke_token.token_id);
begin
  delete from public.machine_tokens where machine_tokens.id = revoke_token.token_id;
  if not found then perform private.raise_not_found(); end if;
  return revoked;
end $$;
comment on function public.revoke_token(uuid) is 'DELETE /tokens/{id}. From its commit on the token signs for nobody.';

create function private.require_token(token_hash text, scope text default 'bots') returns uuid
language plpgsql set search_path = '' as $$
declare
  token public.machine_tokens;
begin
  if token_hash !~ '^[0-9a-f]{64}$' then
    raise sqlstate 'PT401' using message = 'The machine token is not valid.', hint = 'token_invalid';
  end if;
  -- Shared by all who use the token: its revocation waits for them, and who comes after it finds no token.
  perform pg_advisory_xact_lock_shared(private.name_of_lock('token', require_token.token_hash));
  select * into token from public.machine_tokens
    where machine_tokens.token_hash = decode(require_token.token_hash, 'hex');
  if not found or token.expires_at <= now() or token.scope <> require_token.scope then
    raise sqlstate 'PT401' using message = 'The machine token is not valid.', hint = 'token_invalid';
  end if;
  -- Once a minute is enough to tell a token in use, and signers with one token never wait for one another here.
  if token.last_used_at is null or token.last_used_at < now() - interval '1 minute' then
    update public.machine_tokens set last_used_at = now()
      where machine_tokens.id = (
        select tokens.id from public.machine_tokens as tokens where tokens.id = token.id for update skip locked);
  end if;
  return token.id;
end $$;

create function private.require_token_bot(token_id uuid, bot_id uuid) returns public.bots
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
begin
  select bots.* into bot from public.bots
    join public.machine_token_bots as signs
      on signs.bot_id = bots.id and signs.token_id = require_token_bot.token_id
    where bots.id = require_token_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return bot;
end $$;

grant execute on function
  private.token_json(uuid), public.issue_token(uuid, uuid[], text, text, timestamptz, jsonb), public.list_tokens(uuid),
  public.revoke_token(uuid)
to authenticated;
