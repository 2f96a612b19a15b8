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
  constraint "a bot type trades on a known chain family" check (chain in ('evm', 'solana'))
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
  constraint "a running bot has a start time" check (status <> 'running' or started_at is not null)
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

create function private.is_health_detail(detail jsonb) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return detail is null or jsonb_typeof(detail) = 'object' and octet_length(detail::text) <= 16384
    and not exists (
      select from jsonb_each(detail) as members (name, member)
      where case name
        when 'reason' then jsonb_typeof(member) <> 'string'
        when 'code' then jsonb_typeof(member) <> 'string'
        when 'message' then jsonb_typeof(member) <> 'string'
        when 'failures' then member::text !~ '^(0|[1-9][0-9]{0,14})$'
        when 'heartbeat_at' then member::text !~ '^"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:.]{8,12}Z"$'
        when 'addresses' then jsonb_typeof(member) <> 'array'
          or jsonb_path_exists(member, 'strict $[*] ? (@.type() != "string")')
        else true end);
end $$;
comment on function private.is_health_detail(jsonb) is
  'Whether `HealthChange` in src/contract/bot-health.ts can return this detail.';

create table public.bot_health_logs (
  id uuid primary key default private.uuid_v7(),
  bot_id uuid not null,
  client_id uuid not null,
  state text not null,
  since timestamptz not null,
  detail jsonb,
  created_at timestamptz not null default now(),
  constraint "a state of health is a known one" check (state in (
    'healthy', 'starting', 'key_old', 'degraded', 'failing', 'late', 'missing', 'keyless', 'stopped', 'quarantined')),
  constraint "the detail of a state has known members" check (private.is_health_detail(detail)),
  constraint "a health log is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id) on delete cascade
);
comment on table public.bot_health_logs is
  'History of the health of bots. The health monitor writes a row when the state of a bot changes.';
comment on column public.bot_health_logs.since is 'When the state began, as far as the monitor can know.';
comment on column public.bot_health_logs.created_at is 'When the monitor noticed the state.';
create index bot_health_logs_by_bot on public.bot_health_logs (bot_id, id);
create index bot_health_logs_by_client on public.bot_health_logs (client_id);

alter table public.bot_types enable row level security;
alter table public.bot_types force row level security;
alter table public.bots enable row level security;
alter table public.bots force row level security;
alter table public.bot_health_logs enable row level security;
alter table public.bot_health_logs force row level security;

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

create policy "a client sees the health of its own bots, an admin of all" on public.bot_health_logs
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant execute on function private.is_config(jsonb) to authenticated;
grant select on public.bot_types, public.bot_health_logs to authenticated;
grant select, insert (client_id, bot_type, name, config), update (status) on public.bots to authenticated;
