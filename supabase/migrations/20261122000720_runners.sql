-- The other functions that runners call, and the last heartbeat of each runner.
--
-- The functions are security definer: a machine token is not a session, so the caller has the role `anon`, and the token
-- decides instead of policies. The first statement of each function checks the token, and nothing is read before that.

create function private.is_metrics(metrics jsonb) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return metrics is null or jsonb_typeof(metrics) = 'object'
    -- The edge accepts 8 KiB of compact JSON, with numbers without exponents. See private.is_config.
    and octet_length(metrics::text) <= 12288
    and not exists (
      select from jsonb_each(metrics) as members (name, member)
      where length(name) > 64 or case jsonb_typeof(member)
        when 'string' then length(member #>> '{}') > 200
        when 'number' then abs((member #>> '{}')::numeric) > 1.7976931348623157e308
        else jsonb_typeof(member) <> 'boolean' end);
end $$;
comment on function private.is_metrics(jsonb) is
  'Whether metrics are null or a flat object of numbers, booleans and short texts. It accepts all metrics that `HeartbeatRequest` in src/contract/runner.ts accepts.';

create table public.bot_heartbeats (
  bot_id uuid primary key,
  client_id uuid not null,
  status text not null,
  message text,
  metrics jsonb,
  beat_at timestamptz not null default now(),
  constraint "a heartbeat is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id),
  constraint "a heartbeat says ok, degraded or failing" check (status in ('ok', 'degraded', 'failing')),
  constraint "a heartbeat's message has at most 1000 characters" check (length(message) <= 1000),
  constraint "a heartbeat's metrics are flat" check (private.is_metrics(metrics)),
  constraint "its times can be shown" check (private.is_shown_time(beat_at))
);
comment on table public.bot_heartbeats is 'The last heartbeat of the runner of each bot.';
create index bot_heartbeats_by_client on public.bot_heartbeats (client_id);

alter table public.bot_heartbeats enable row level security;
alter table public.bot_heartbeats force row level security;

create policy "a client sees the heartbeats of its own bots, an admin all" on public.bot_heartbeats
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant select on public.bot_heartbeats to authenticated;

-- requests ----------------------------------------------------------------------------------------------------

create function private.runner_bot_json(bot public.bots, wallets jsonb) returns jsonb
language plpgsql stable parallel safe set search_path = '' as $$
begin
  return jsonb_build_object(
    'id', bot.id, 'client_id', bot.client_id, 'bot_type', bot.bot_type, 'name', bot.name,
    'status', bot.status, 'started_at', private.rfc3339(bot.started_at), 'wallets', wallets);
end $$;
comment on function private.runner_bot_json(public.bots, jsonb) is
  'A bot as the list of its runner shows it, without its config.';

create function public.list_runner_bots(token text, page_size integer default 50, after uuid default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  runner constant uuid := private.use_token(list_runner_bots.token);
begin
  perform private.require_page_size(list_runner_bots.page_size);
  return private.page_json((
    select coalesce(jsonb_agg(page.item order by page.id desc), '[]') from (
      select bots.id, private.runner_bot_json(bots, (
        select coalesce(jsonb_agg(held.item order by held.id), '[]') from private.shown_wallets as held
        where held.client_id = bots.client_id and held.bot_id = bots.id)) as item
      from public.machine_token_bots as signs join public.bots on bots.id = signs.bot_id
      where signs.token_id = runner and bots.status = 'running'
        and (list_runner_bots.after is null or signs.bot_id < list_runner_bots.after)
      order by signs.bot_id desc limit list_runner_bots.page_size + 1) as page), list_runner_bots.page_size);
end $$;
comment on function public.list_runner_bots(text, integer, uuid) is
  'GET /runner/bots: the running bots of a token, newest first. Definer: a machine token is not a session.';

create function public.get_runner_bot(token text, bot_id uuid) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  runner constant uuid := private.use_token(get_runner_bot.token);
  shown jsonb;
begin
  select private.runner_bot_json(bots, (
      select coalesce(jsonb_agg(held.item order by held.id), '[]') from private.shown_wallets as held
      where held.client_id = bots.client_id and held.bot_id = bots.id))
      || jsonb_build_object('config', bots.config, 'chain_ids', policies.chain_ids) into shown
    from public.machine_token_bots as signs join public.bots on bots.id = signs.bot_id
    left join public.bot_policies as policies on policies.bot_id = bots.id
    where signs.token_id = runner and signs.bot_id = get_runner_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return shown;
end $$;
comment on function public.get_runner_bot(text, uuid) is
  'GET /runner/bots/{id}: one bot of a token, running or stopped, with its config and the chains of its policy. Definer: a machine token is not a session.';

create function public.record_heartbeat(
  token text, bot_id uuid, status text, message text default null, metrics jsonb default null,
  once jsonb default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  runner constant record := private.find_runner(record_heartbeat.token, record_heartbeat.bot_id);
  caller constant text := 'token ' || runner.token_id;
  answer jsonb := case when once is not null then private.first_answer_to(caller, once, 'record_heartbeat') end;
begin
  if not runner.use_is_noted then perform private.note_use_of_token(runner.token_id); end if;
  if answer is not null then return answer; end if;
  insert into public.bot_heartbeats (bot_id, client_id, status, message, metrics, beat_at)
    values (
      record_heartbeat.bot_id, runner.client_id, record_heartbeat.status, record_heartbeat.message, record_heartbeat.metrics,
      now())
    on conflict on constraint bot_heartbeats_pkey do update set
      status = excluded.status, message = excluded.message, metrics = excluded.metrics, beat_at = excluded.beat_at;
  answer := jsonb_build_object(
    'bot_id', record_heartbeat.bot_id, 'bot_status', runner.status, 'recorded_at', private.rfc3339(now()));
  if once is not null then perform private.keep_answer_to(caller, once, 'record_heartbeat', answer); end if;
  return answer;
end $$;
comment on function public.record_heartbeat(text, uuid, text, text, jsonb, jsonb) is
  'POST /bots/{id}/heartbeat. The response contains whether the bot should still run. Definer: a machine token is not a session.';

grant execute on function
  public.list_runner_bots(text, integer, uuid), public.get_runner_bot(text, uuid),
  public.record_heartbeat(text, uuid, text, text, jsonb, jsonb)
to anon;
