-- The health of bots: its history, the page that shows it, and the health monitor.

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
        when 'signature_at' then member::text !~ '^"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-9:.]{8,12}Z"$'
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
    foreign key (bot_id, client_id) references public.bots (id, client_id) on delete cascade,
  constraint "its times can be shown" check (private.is_shown_time(since) and private.is_shown_time(created_at))
);
comment on table public.bot_health_logs is
  'History of the health of bots. The health monitor writes a row when the state of a bot changes.';
comment on column public.bot_health_logs.since is 'When the state began, as far as the monitor can know.';
comment on column public.bot_health_logs.created_at is 'When the monitor noticed the state.';
create index bot_health_logs_by_bot on public.bot_health_logs (bot_id, id);
create index bot_health_logs_by_client on public.bot_health_logs (client_id);

alter table public.bot_health_logs enable row level security;
alter table public.bot_health_logs force row level security;

create policy "a client sees the health of its own bots, an admin of all" on public.bot_health_logs
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant select on public.bot_health_logs to authenticated;

create table private.monitor_settings (
  only_row boolean primary key default true,
  heartbeat_limit interval not null default '2 minutes',
  key_age_limit interval not null default '90 days',
  round_pause interval not null default '10 seconds',
  constraint "there is one row of monitor settings" check (only_row),
  constraint "a sign of life is late after 1 second to 1 day" check (heartbeat_limit between '1 second' and '1 day'),
  constraint "a key is old after 1 day to 100 years" check (key_age_limit between '1 day' and '36500 days'),
  constraint "rounds are at most an hour apart" check (round_pause between '0' and '1 hour')
);
comment on table private.monitor_settings is
  'Limits of the health monitor. Only the operator can change them, by SQL. The token of the monitor cannot.';
comment on column private.monitor_settings.round_pause is 'The minimum time between the end of a round and the start of the next one.';
insert into private.monitor_settings default values;

create table private.monitor_state (
  only_row boolean primary key default true,
  checked_up_to uuid,
  round_ended_at timestamptz,
  constraint "the monitor has one state" check (only_row),
  constraint "its times can be shown" check (private.is_shown_time(round_ended_at))
);
comment on table private.monitor_state is 'How far the current round of the monitor through all bots has come.';
insert into private.monitor_state default values;

alter table private.monitor_settings enable row level security;
alter table private.monitor_settings force row level security;
alter table private.monitor_state enable row level security;
alter table private.monitor_state force row level security;

create policy "everybody signed in sees the limits of the monitor" on private.monitor_settings
  for select to authenticated using (true);
create policy "everybody signed in sees when the monitor ran" on private.monitor_state
  for select to authenticated using (true);

grant select on private.monitor_settings to authenticated;
-- Without checked_up_to, which is the id of a bot that may belong to another client.
grant select (round_ended_at) on private.monitor_state to authenticated;

-- the state of a bot ------------------------------------------------------------------------------------------

create view private.bot_health with (security_invoker = true) as
select
  bots.id as bot_id, bots.client_id, bots.status, bots.started_at, found.state,
  case
    when found.state = written.state then written.since
    -- If the cause began before the state that was written last, a graver state hid it. Then the state begins now.
    when found.began > coalesce(written.since, '-infinity') then found.began
    else now() end as since,
  case when found.state = written.state then written.detail
    else nullif(jsonb_strip_nulls(found.detail), '{}') end as detail,
  written.state as written_state,
  beat.status as beat_status, beat.message as beat_message, beat.metrics as beat_metrics, beat.beat_at,
  signature.signed_at
from public.bots
left join private.monitor_settings as limits on true
left join public.bot_heartbeats as beat on beat.bot_id = bots.id
left join public.trading_keys as trading on trading.client_id = bots.client_id
cross join lateral (
  -- The events of signatures, so that a signature writes nothing more. Queued events are newer than those in the chain.
  select coalesce(
    (select queued.created_at from private.queued_key_events as queued
      where queued.bot_id = bots.id and queued.event = 'key_released' order by queued.number desc limit 1),
    (select chained.created_at from public.key_events as chained
      where chained.bot_id = bots.id and chained.event = 'key_released' order by chained.seq desc limit 1)) as signed_at
) as signature
cross join lateral (
  -- A heartbeat or a signature before the start does not count. The time of an event has whole milliseconds.
  select case when beat.beat_at >= bots.started_at then beat.beat_at end as beat_at,
    case when signature.signed_at >= date_trunc('milliseconds', bots.started_at) then signature.signed_at end as signed_at
) as signs
cross join lateral (select greatest(signs.beat_at, signs.signed_at) as at) as alive
cross join lateral (
  select count(wallets.key_id) as keys,
    min(age.since) filter (where age.since < now() - limits.key_age_limit) as oldest,
    jsonb_agg(wallets.address order by wallets.id)
      filter (where age.since < now() - limits.key_age_limit) as old_addresses
  from public.bot_wallets as wallets
  cross join lateral (
    -- An own key is as old as its wallet, because a rotation replaces own keys with the trading key.
    select case when wallets.key_id = trading.key_id then trading.rotated_at else wallets.created_at end as since
  ) as age
  where wallets.client_id = bots.client_id and wallets.bot_id = bots.id and wallets.key_id is not null) as held
cross join lateral (
  select case
    when bots.status = 'stopped' and bots.stop_reason = 'quarantined' then 'quarantined'
    when bots.status = 'stopped' then 'stopped'
    when held.keys = 0 then 'keyless'
    when alive.at is null and bots.started_at > now() - limits.heartbeat_limit then 'starting'
    when alive.at is null then 'missing'
    when alive.at < now() - limits.heartbeat_limit then 'late'
    -- An old report does not count for a bot that signs.
    when beat.status <> 'ok' and signs.beat_at >= now() - limits.heartbeat_limit then beat.status
    when held.oldest is not null then 'key_old'
    else 'healthy' end as state
) as judged
cross join lateral (
  select judged.state,
    case judged.state
      when 'quarantined' then bots.stopped_at
      when 'stopped' then coalesce(bots.stopped_at, bots.created_at)
      when 'starting' then bots.started_at
      when 'missing' then bots.started_at + limits.heartbeat_limit
      when 'late' then alive.at + limits.heartbeat_limit
      when 'key_old' then held.oldest + limits.key_age_limit
      when 'healthy' then alive.at
      else signs.beat_at end as began,
    case
      -- The quarantine wrote its cause. A monitor that read before it may have written an earlier state after it.
      when judged.state = 'quarantined' then coalesce((
        select logs.detail from public.bot_health_logs as logs
        where logs.bot_id = bots.id and logs.state = 'quarantined' and logs.since >= bots.stopped_at
        order by logs.id desc limit 1), jsonb_build_object('reason', bots.stop_reason))
      when judged.state = 'stopped' then jsonb_build_object('reason', bots.stop_reason)
      when judged.state = 'late' then jsonb_build_object(
        'heartbeat_at', private.rfc3339(signs.beat_at), 'signature_at', private.rfc3339(signs.signed_at))
      when judged.state in ('failing', 'degraded') then jsonb_build_object('message', beat.message)
      when judged.state = 'key_old' then jsonb_build_object('addresses', held.old_addresses)
    end as detail
) as found
left join lateral (
  select logs.state, logs.since, logs.detail from public.bot_health_logs as logs
  where logs.bot_id = bots.id order by logs.id desc limit 1) as written on true;
comment on view private.bot_health is
  'The current state of each bot: the gravest state that applies, when it began, the state that was written last, the last heartbeat, and when the last signature was released. Every table is read by index, once for each bot. Row-level security of the caller decides which bots it has.';
revoke all on private.bot_health from public, anon, authenticated, service_role;
grant select on private.bot_health to authenticated;

-- the page ----------------------------------------------------------------------------------------------------

create function public.get_bot_health(bot_id uuid, page_size integer, after uuid default null) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  health record;
begin
  perform private.require_page_size(get_bot_health.page_size);
  select
      jsonb_build_object(
        'bot_id', bot.bot_id, 'client_id', bot.client_id, 'status', bot.status,
        'state', bot.state, 'since', private.rfc3339(bot.since), 'detail', bot.detail,
        'last_heartbeat', case when bot.beat_at is not null then jsonb_build_object(
          'status', bot.beat_status, 'message', bot.beat_message, 'metrics', bot.beat_metrics,
          'at', private.rfc3339(bot.beat_at)) end,
        'last_signature_at', private.rfc3339(bot.signed_at),
        'signing_failures', jsonb_build_object(
          'last_hour', coalesce((
            select count(*) from unnest(failures.recent) as at
            where at > now() - interval '1 hour' and at >= bot.started_at), 0),
          'last_code', failures.last_code, 'last_at', private.rfc3339(failures.last_at)),
        'monitored_at', private.rfc3339(monitor.round_ended_at)) as shown,
      (
        select coalesce(jsonb_agg(page.item order by page.id desc), '[]') from (
          select logs.id, jsonb_build_object(
            'id', logs.id, 'state', logs.state, 'since', private.rfc3339(logs.since), 'detail', logs.detail,
            'noticed_at', private.rfc3339(logs.created_at)) as item
          from public.bot_health_logs as logs
          where logs.bot_id = get_bot_health.bot_id
            and (get_bot_health.after is null or logs.id < get_bot_health.after)
          order by logs.id desc limit get_bot_health.page_size + 1) as page) as items
    into health
    from private.bot_health as bot
    left join public.bot_signing_failures as failures on failures.bot_id = bot.bot_id
    left join private.monitor_state as monitor on true
    where bot.bot_id = get_bot_health.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return health.shown || private.page_json(health.items, get_bot_health.page_size);
end $$;
comment on function public.get_bot_health(uuid, integer, uuid) is
  'GET /bots/{id}/health. The state is computed at each request, so it is current even if the monitor does not run. The items are the changes that the monitor wrote.';

-- the monitor -------------------------------------------------------------------------------------------------

create function public.monitor_bots(token text, batch integer default 5000) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  monitor_token constant uuid := private.find_token(monitor_bots.token, 'monitor');
  began constant timestamptz := clock_timestamp();
  oldest_kept constant uuid := private.first_id_at(now() - interval '90 days');
  most_pruned constant integer := 5000;
  nothing_done constant jsonb := jsonb_build_object('bots_checked', 0, 'changes', '{}'::jsonb,
    'pruned_health_logs', 0, 'pruned_reservations', 0, 'pruned_answers', 0, 'database_ms', 0);
  monitor private.monitor_state;
  limits private.monitor_settings;
  bot_ids uuid[];
  changes jsonb;
  pruned_logs integer;
  pruned_reservations integer;
begin
  perform private.note_use_of_token(monitor_token);
  if not coalesce(batch between 1 and 5000, false) then
    raise sqlstate 'PT422' using message = 'The batch size must be 1 to 5,000 bots.', hint = 'validation_failed';
  end if;
  -- Two concurrent runs would both write the same changes. So the second run ends at once.
  if not pg_try_advisory_xact_lock(private.lock_of('monitor', '')) then
    return nothing_done || '{"busy": true, "complete": false}';
  end if;
  select * into monitor from private.monitor_state;
  select * into limits from private.monitor_settings;
  if monitor.checked_up_to is null and monitor.round_ended_at > now() - limits.round_pause then
    return nothing_done || '{"busy": false, "complete": true}';
  end if;
  select coalesce(array_agg(next.id order by next.id), '{}') into bot_ids from (
    select bots.id from public.bots
    where bots.id > coalesce(monitor.checked_up_to, '00000000-0000-0000-0000-000000000000')
    order by bots.id limit monitor_bots.batch) as next;

  with changed as (
    insert into public.bot_health_logs (bot_id, client_id, state, since, detail)
    select health.bot_id, health.client_id, health.state, health.since, health.detail
    from private.bot_health as health
    -- If no state was ever written for a bot, its last state counts as stopped.
    where health.bot_id = any (bot_ids) and health.state <> coalesce(health.written_state, 'stopped')
    returning bot_health_logs.state)
  select coalesce(jsonb_object_agg(counted.state, counted.bots), '{}') into changes
    from (select changed.state, count(*) as bots from changed group by changed.state) as counted;

  -- An array and not a subquery: see chain_key_events.
  delete from public.bot_health_logs where id = any (array(
    select logs.id from unnest(bot_ids) as mine (bot_id)
    join public.bot_health_logs as logs on logs.bot_id = mine.bot_id and logs.id < oldest_kept
    where exists (
      select from public.bot_health_logs as later where later.bot_id = logs.bot_id and later.id > logs.id)
    limit most_pruned));
  get diagnostics pruned_logs = row_count;

  -- max_value_24h counts the reservations of the last 24 hours.
  delete from public.value_reservations where id = any (array(
    select reserved.id from unnest(bot_ids) as mine (bot_id)
    join public.value_reservations as reserved
      on reserved.bot_id = mine.bot_id and reserved.created_at < now() - interval '25 hours'
    limit most_pruned));
  get diagnostics pruned_reservations = row_count;

  update private.monitor_state set
    checked_up_to = case when cardinality(bot_ids) = batch then bot_ids[batch] end,
    round_ended_at = case when cardinality(bot_ids) = batch then round_ended_at else now() end
    -- Hosted Supabase rejects an UPDATE without WHERE.
    where monitor_state.only_row;
  return jsonb_build_object(
    'busy', false, 'complete', cardinality(bot_ids) < batch, 'bots_checked', cardinality(bot_ids),
    'changes', changes, 'pruned_health_logs', pruned_logs, 'pruned_reservations', pruned_reservations,
    'pruned_answers', private.prune_answers(most_pruned),
    'database_ms', round(extract(epoch from clock_timestamp() - began) * 1000, 1));
end $$;
comment on function public.monitor_bots(text, integer) is
  'Checks the next batch of bots in the monitor''s round: writes changes of state, deletes outdated rows, and returns counts. It locks no client and no bot. Definer: a machine token is not a session.';

grant execute on function public.get_bot_health(uuid, integer, uuid) to authenticated;
grant execute on function public.monitor_bots(text, integer) to anon;
