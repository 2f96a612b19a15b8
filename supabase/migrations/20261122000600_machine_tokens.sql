create table public.machine_tokens (
  id uuid primary key default private.uuid_v7(),
  client_id uuid,
  name text not null,
  token_hash bytea not null,
  scope text not null default 'bots',
  master_key_id text,
  created_by uuid default auth.uid(),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  constraint "a machine token is found by its hash" unique (token_hash),
  constraint "a machine token's hash is a SHA-256" check (octet_length(token_hash) = 32),
  constraint "a machine token's name is a name" check (private.is_name(name)),
  constraint "a machine token expires between the years 2000 and 9999" check (private.is_shown_time(expires_at)),
  constraint "a machine token may be of a client" foreign key (client_id) references public.clients (id),
  constraint "a machine token is for bots, for the edge or for one kind of cron work"
    check (scope in ('bots', 'edge', 'monitor', 'rewrap')),
  constraint "a machine token that is not for bots belongs to no client" check (scope = 'bots' or client_id is null),
  constraint "a machine token for rewrapping names the new master key and ends within a week" check (
    case when scope = 'rewrap'
      then coalesce(master_key_id ~ '^[0-9A-Za-z_-]{1,64}$' and expires_at <= created_at + interval '7 days', false)
      else master_key_id is null end),
  constraint "its times can be shown" check (private.is_shown_time(created_at) and private.is_shown_time(last_used_at))
);
comment on table public.machine_tokens is
  'Credentials of programs: runners, the edge and cron jobs. Only the SHA-256 of a token is stored. If a token of the scope bots has no client, an admin issued it for bots of several clients. Each of these clients can list it, and end it for its own bots.';
comment on column public.machine_tokens.scope is
  'API roles can only issue tokens of the scope bots. The operator issues the others: edge for the Worker, monitor and rewrap for cron jobs.';
comment on column public.machine_tokens.master_key_id is
  'For tokens of the scope rewrap: the id of the master key that envelopes are moved to. The token does not return envelopes that this master key sealed.';
create index machine_tokens_by_client on public.machine_tokens (client_id);

create table public.machine_token_bots (
  token_id uuid not null,
  bot_id uuid not null,
  client_id uuid not null,
  primary key (token_id, bot_id),
  constraint "a token that is deleted signs for no bot"
    foreign key (token_id) references public.machine_tokens (id) on delete cascade,
  constraint "a token signs for a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id)
);
comment on table public.machine_token_bots is 'The bots that a machine token signs for.';
create index machine_token_bots_by_bot on public.machine_token_bots (bot_id, client_id);
create index machine_token_bots_by_client on public.machine_token_bots (client_id);

alter table public.machine_tokens enable row level security;
alter table public.machine_tokens force row level security;
alter table public.machine_token_bots enable row level security;
alter table public.machine_token_bots force row level security;

create policy "a client sees which tokens sign for its bots, an admin all" on public.machine_token_bots
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client lets its own tokens sign for its own bots, an admin any" on public.machine_token_bots
  for insert to authenticated
  with check (
    (select private.is_admin())
    or (client_id = (select private.own_client_id()) and token_id in (
      select id from public.machine_tokens where machine_tokens.client_id = (select private.own_client_id()))));
create policy "a client sees its own machine tokens, an admin all" on public.machine_tokens
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client makes tokens of its own, an admin any" on public.machine_tokens
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client revokes its own tokens, an admin any" on public.machine_tokens
  for delete to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant
  select (id, client_id, name, created_by, created_at, expires_at, last_used_at),
  -- Without id: an API role cannot choose the id of a token.
  insert (client_id, name, token_hash, expires_at),
  delete
on public.machine_tokens to authenticated;
grant select, insert on public.machine_token_bots to authenticated;

-- limits ------------------------------------------------------------------------------------------------------

create function private.limit_tokens() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is null or new.client_id is null then return new; end if;
  -- Triggers run before policies. So the rule of the policies is checked here first.
  perform private.require_own_client(new.client_id);
  if (select count(*) from public.machine_tokens where machine_tokens.client_id = new.client_id) >= 1000 then
    raise sqlstate 'PT409' using message = 'The client has the maximum number of machine tokens.', hint = 'token_limit_reached';
  end if;
  return new;
end $$;
comment on function private.limit_tokens() is
  'At most 1,000 tokens for each client, expired tokens included. Definer: the count must include tokens that the caller cannot see.';
create trigger limit_tokens before insert on public.machine_tokens
  for each row execute function private.limit_tokens();

create function private.limit_token_bots() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if auth.uid() is null then return new; end if;
  perform private.require_own_client(new.client_id);
  if (select count(*) from public.machine_token_bots where machine_token_bots.bot_id = new.bot_id) >= 50 then
    raise sqlstate 'PT409' using message = 'The bot has the maximum number of machine tokens.', hint = 'token_limit_reached';
  end if;
  if (select count(*) from public.machine_token_bots where machine_token_bots.token_id = new.token_id) >= 100 then
    raise sqlstate 'PT409' using message = 'The token signs for the maximum number of bots.', hint = 'token_limit_reached';
  end if;
  return new;
end $$;
comment on function private.limit_token_bots() is
  'At most 50 tokens for each bot and 100 bots for each token. Definer: the count must include rows that the caller cannot see.';
create trigger limit_token_bots before insert on public.machine_token_bots
  for each row execute function private.limit_token_bots();
create trigger a_share_own_client before insert or delete on public.machine_tokens
  for each statement when (pg_trigger_depth() = 0) execute function private.share_own_client();
create trigger a_share_own_client before insert or delete on public.machine_token_bots
  for each statement when (pg_trigger_depth() = 0) execute function private.share_own_client();

-- using a token -----------------------------------------------------------------------------------------------

create function private.hash_of_token(token text) returns bytea
language plpgsql stable parallel safe set search_path = '' as $$
begin
  return sha256(convert_to(left(token, 100), 'UTF8'));
end $$;
comment on function private.hash_of_token(text) is
  'The hash by which a token is found. The caller sends the token itself. The database stores only its SHA-256, so that no stored value is a credential.';

create view private.tokens_in_force with (security_invoker = true) as
select tokens.id, tokens.token_hash, tokens.scope,
  coalesce(tokens.last_used_at >= now() - interval '1 minute', false) as use_is_noted
from public.machine_tokens as tokens
-- Not now(), which is the start of the transaction: the transaction may have waited since then.
where tokens.expires_at > clock_timestamp() or tokens.expires_at is null;
comment on view private.tokens_in_force is
  'The tokens that have not expired, and whether their use was noted within the last minute. Functions that find a token and other rows in one statement read this view.';
revoke all on private.tokens_in_force from public, anon, authenticated, service_role;

create function private.token_in_force(token text, scope text) returns uuid
language plpgsql volatile set search_path = '' as $$
declare
  hash constant bytea := private.hash_of_token(token_in_force.token);
begin
  return (
    select tokens.id from private.tokens_in_force as tokens
    where tokens.token_hash = hash and tokens.scope = token_in_force.scope);
end $$;
comment on function private.token_in_force(text, text) is 'The id of a valid token of this scope, or null.';

create function private.raise_token_invalid() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT401' using message = 'The machine token is not valid.', hint = 'token_invalid';
end $$;

create function private.find_token(token text, scope text default 'bots') returns uuid
language plpgsql set search_path = '' as $$
declare
  id constant uuid := private.token_in_force(find_token.token, find_token.scope);
begin
  if id is null then perform private.raise_token_invalid(); end if;
  return id;
end $$;

create function private.note_use_of_token(token_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  -- At most once a minute. If another transaction has locked the row, this one does not wait.
  update public.machine_tokens set last_used_at = now()
    where machine_tokens.id = (
      select tokens.id from public.machine_tokens as tokens
      where tokens.id = note_use_of_token.token_id
        and coalesce(tokens.last_used_at < now() - interval '1 minute', true)
      for update skip locked);
end $$;
comment on function private.note_use_of_token(uuid) is
  'Sets when the token was last used. Functions that have read use_is_noted of the token call it only if that is false. It locks the row of the token, so a function that locks the keys of a client calls it after that.';

create function private.use_token(token text) returns uuid
language plpgsql set search_path = '' as $$
declare
  hash constant bytea := private.hash_of_token(use_token.token);
  used record;
begin
  select tokens.id, tokens.use_is_noted into used from private.tokens_in_force as tokens
    where tokens.token_hash = hash and tokens.scope = 'bots';
  if not found then perform private.raise_token_invalid(); end if;
  if not used.use_is_noted then perform private.note_use_of_token(used.id); end if;
  return used.id;
end $$;
comment on function private.use_token(text) is
  'The id of the token of a runner, whose use is noted. For functions that lock nothing else.';

create function public.edge_token_valid(edge_token text) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  return private.token_in_force(edge_token_valid.edge_token, 'edge') is not null;
end $$;
comment on function public.edge_token_valid(text) is
  'Whether this is a valid edge token. For GET /ready. Definer: it is called without a session.';

-- ending a token ----------------------------------------------------------------------------------------------

create function private.before_token_delete() returns trigger
language plpgsql set search_path = '' as $$
declare
  locked constant boolean := private.wait_for_lock(private.lock_of_token(old.id), false, urgent => true);
begin
  return old;
end $$;
comment on function private.before_token_delete() is 'Waits until the signatures that have begun with the token are finished.';
-- Not for tokens that a revocation ends (at a greater trigger depth): the lock of the client's keys already blocks signing.
create trigger before_delete before delete on public.machine_tokens
  for each row when (pg_trigger_depth() = 0) execute function private.before_token_delete();

create function private.tokens_of_client(client_id uuid) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  perform private.require_own_client(tokens_of_client.client_id);
  return (
    select coalesce(array_agg(tokens.id order by tokens.id), '{}') from public.machine_tokens as tokens
    where tokens.scope = 'bots'
      -- An array, so that each token is found by its id. With a join or an "or", PostgreSQL would read the tokens of all
      -- clients.
      and tokens.id = any (array(
        select own.id from public.machine_tokens as own where own.client_id = tokens_of_client.client_id
        union
        select signs.token_id from public.machine_token_bots as signs
        where signs.client_id = tokens_of_client.client_id)));
end $$;
comment on function private.tokens_of_client(uuid) is
  'The tokens that belong to this client or sign for a bot of this client. Definer: a client cannot see the row of a token that also signs for bots of another client.';

create function private.end_tokens_of_client(client_id uuid) returns void
language plpgsql set search_path = '' as $$
declare
  ended constant uuid[] := private.tokens_of_client(end_tokens_of_client.client_id);
begin
  -- Checked first, because a statement fires its triggers even if it matches no row.
  if ended <> '{}' then
    delete from public.machine_tokens as tokens
      where tokens.id = any (ended) and not exists (
        select from public.machine_token_bots as others
        where others.token_id = tokens.id and others.client_id <> end_tokens_of_client.client_id);
  end if;
  if exists (select from public.machine_token_bots as signs where signs.client_id = end_tokens_of_client.client_id) then
    delete from public.machine_token_bots as signs where signs.client_id = end_tokens_of_client.client_id;
  end if;
end $$;
comment on function private.end_tokens_of_client(uuid) is
  'Ends every token that signs for bots of this client. A token that also signs for bots of another client continues for those bots only.';

create function private.end_token_for_own_bots(token_id uuid) returns boolean
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.machine_token_bots as signs
    where signs.token_id = end_token_for_own_bots.token_id and signs.client_id = private.own_client_id();
  return found;
end $$;
comment on function private.end_token_for_own_bots(uuid) is
  'Ends a token for the caller''s own bots, if it also signs for bots of another client. Definer: API roles cannot delete from this table. The caller has locked the gate of its client.';

grant execute on function private.tokens_of_client(uuid), private.end_token_for_own_bots(uuid) to authenticated;
grant execute on function public.edge_token_valid(text) to anon, authenticated;
