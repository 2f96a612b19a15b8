create table public.bot_types (
  id text primary key,
  name text not null,
  description text not null,
  chain text not null,
  enabled boolean not null default true,
  created_at timestamptz not null default now(),
  constraint "a bot type's id is lower-case words" check (id ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(id) <= 64),
  constraint "a bot type's name is a name" check (private.is_name(name)),
  constraint "a bot type's description has at most 1000 characters" check (length(description) <= 1000),
  constraint "a bot type trades on a known chain family" check (chain = any (private.chain_families())),
  constraint "its times can be shown" check (private.is_shown_time(created_at))
);
comment on table public.bot_types is 'The types of bots that the platform offers. Only the operator writes this table.';

create function private.is_config(config jsonb) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return jsonb_typeof(config) = 'object'
    -- The edge accepts 16 KiB of compact JSON, with numbers without exponents. PostgreSQL adds a space after each comma and
    -- colon, which makes the text at most half as long again.
    and octet_length(config::text) <= 24576
    and not jsonb_path_exists(config, 'strict $.**{8} ? (@.type() == "object" || @.type() == "array")')
    -- No number that JavaScript would read as another number. JavaScript is exact for whole numbers up to 2^53 - 1, and
    -- reads a number below its smallest one as 0.
    and not jsonb_path_exists(config, 'strict $.** ? (
      @.type() == "number" && (@.abs() > 9007199254740991 || @ != 0 && @.abs() < 5e-324))');
end $$;
comment on function private.is_config(jsonb) is
  'Whether a JSON value is a config that the API can return: an object of at most 8 levels and 24 KiB, with numbers that JavaScript can represent. It accepts every value that `BotConfig` in src/contract/bots.ts accepts.';

create table public.bots (
  id uuid primary key default private.uuid_v7(),
  client_id uuid not null,
  bot_type text not null,
  name text not null,
  config jsonb not null default '{}',
  status text not null default 'stopped',
  stop_reason text default 'created',
  started_at timestamptz,
  stopped_at timestamptz,
  created_at timestamptz not null default now(),
  constraint "a bot can be named with its client" unique (id, client_id),
  constraint "a bot belongs to a client" foreign key (client_id) references public.clients (id),
  constraint "a bot is of a known type" foreign key (bot_type) references public.bot_types (id),
  constraint "a bot's name is a name" check (private.is_name(name)),
  constraint "a bot's config is an object" check (jsonb_typeof(config) = 'object'),
  constraint "a bot is stopped or running" check (status in ('stopped', 'running')),
  constraint "a stopped bot has a reason, a running one none"
    check ((status = 'stopped') = (stop_reason is not null)),
  constraint "a reason to be stopped is a known one"
    check (stop_reason in ('created', 'requested', 'key_revoked', 'chain_mismatch', 'quarantined', 'restored')),
  constraint "a running bot has a start time" check (status <> 'running' or started_at is not null),
  constraint "its times can be shown" check (
    private.is_shown_time(created_at) and private.is_shown_time(started_at) and private.is_shown_time(stopped_at))
);
comment on table public.bots is
  'A bot of a client. It can run only while one of its wallets has a key of the bot''s chain family.';
create index bots_by_client on public.bots (client_id, id);
create index bots_by_type on public.bots (bot_type);

create function private.before_bot_config_write() returns trigger
language plpgsql set search_path = '' as $$
begin
  if not private.is_config(new.config) then
    raise sqlstate 'PT422' using
      message = 'The config must be an object of at most 8 levels and 24 KiB, with numbers that JavaScript can represent.',
      hint = 'validation_failed';
  end if;
  return new;
end $$;
comment on function private.before_bot_config_write() is
  'A trigger and not a CHECK, because PostgreSQL evaluates a CHECK at every UPDATE. A revocation stops up to 1,000 bots in one statement, and checking their configs again would take seconds.';
create trigger before_config_write before insert or update of config on public.bots
  for each row execute function private.before_bot_config_write();
-- The trigger fires even if session_replication_role = replica, which turns ordinary triggers off.
alter table public.bots enable always trigger before_config_write;

alter table public.bot_types enable row level security;
alter table public.bot_types force row level security;
alter table public.bots enable row level security;
alter table public.bots force row level security;

create policy "everybody signed in sees the bot types" on public.bot_types
  for select to authenticated using (true);
create policy "a client sees its own bots, an admin all" on public.bots
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client creates its own bots, an admin any" on public.bots
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client starts and stops its own bots, an admin any" on public.bots
  for update to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()))
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant execute on function private.is_config(jsonb) to authenticated;
grant select on public.bot_types to authenticated;
grant select, insert (client_id, bot_type, name, config), update (status) on public.bots to authenticated;

-- triggers ----------------------------------------------------------------------------------------------------

create function private.before_bot_status_change() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  checked boolean;
  own_chain boolean;
begin
  if new.status = 'running' and (new.status, new.bot_type) is distinct from (old.status, old.bot_type) then
    -- A client's session and start_bot already hold this lock. Any other statement has locked rows of bots before this point
    -- and must not wait, because a revocation may hold the lock and wait for those rows.
    if not private.try_lock(private.lock_of_keys(new.client_id), true) then perform private.raise_busy(); end if;
    checked := private.require_current_snapshot(new.client_id);
    select bool_or(bot_wallets.chain = bot_types.chain) into own_chain
      from public.bot_wallets left join public.bot_types on bot_types.id = new.bot_type
      where bot_wallets.client_id = new.client_id and bot_wallets.bot_id = new.id
        and bot_wallets.encrypted_key is not null
      having count(*) > 0;
    if not found then
      raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_key_missing';
    end if;
    if own_chain is not true then
      raise sqlstate 'PT422' using
        message = 'The bot and its key belong to different chain families.', hint = 'chain_mismatch';
    end if;
    new.stop_reason := null;
    new.started_at := now();
  elsif new.status = 'stopped' and old.status <> 'stopped' then
    if new.stop_reason is null or new.stop_reason = 'quarantined' then
      -- Signing takes this lock shared. So signatures that have begun are finished, and none begins later. A change of the
      -- client's keys sets a reason and already blocks all signatures.
      checked := private.wait_for_lock(private.lock_of_bot(new.id), false, new.client_id, urgent => true);
      new.stop_reason := coalesce(new.stop_reason, 'requested');
    end if;
    new.stopped_at := now();
  end if;
  return new;
end $$;
comment on function private.before_bot_status_change() is
  'The states of a bot: it cannot run without a key, or with a key of another chain family.';

create function private.limit_bots() returns trigger
language plpgsql set search_path = '' as $$
begin
  if auth.uid() is null then return new; end if;
  -- One transaction at a time, so that bots of concurrent transactions are counted too. The lock uses the caller's own
  -- rights, so that the caller learns nothing about a client that it may not see.
  perform from public.clients where clients.id = new.client_id for no key update;
  if (select count(*) from public.bots where bots.client_id = new.client_id) >= 1000 then
    raise sqlstate 'PT409' using message = 'The client has the maximum number of bots.', hint = 'bot_limit_reached';
  end if;
  return new;
end $$;
comment on function private.limit_bots() is
  'Limits the bots of a client. A revocation stops every bot and clears every wallet in one statement, which has a time limit. A stolen session must not be able to add so many rows that a revocation exceeds that limit.';
create trigger before_insert before insert on public.bots
  for each row execute function private.limit_bots();
create trigger a_share_own_client before insert or update on public.bots
  for each statement when (pg_trigger_depth() = 0) execute function private.share_own_client();
create trigger before_status_change before insert or update of status, bot_type on public.bots
  for each row execute function private.before_bot_status_change();
