-- Events of rejected requests. The transaction of a rejected request is rolled back, so it cannot record an event. The edge
-- reports the rejected request afterwards, with the caller's own token.

create table private.refusal_counts (
  client_id uuid primary key,
  minute timestamptz not null,
  recorded integer not null,
  omitted integer not null,
  constraint "refusals are counted for a client" foreign key (client_id) references public.clients (id)
);
comment on table private.refusal_counts is
  'For each chain: how many rejected requests were recorded in this minute, and how many were left out since the last recorded one.';

alter table private.refusal_counts enable row level security;
alter table private.refusal_counts force row level security;

revoke all on private.refusal_counts from public, anon, authenticated, service_role;

create function private.write_refusal(client_id uuid, bot_id uuid, actor text, code text, route text, token_id uuid)
returns void
language plpgsql set search_path = '' as $$
declare
  refusals_a_minute constant integer := 20;
  counts private.refusal_counts;
  left_out integer;
begin
  if not coalesce(
    write_refusal.code ~ '^[a-z][a-z_]{0,39}$'
    and write_refusal.route ~ '^(GET|POST|PUT|PATCH|DELETE) (/[a-z-]{1,20}|/\{id\}){1,4}$', false)
  then
    raise sqlstate 'PT422' using message = 'The code or the route is malformed.', hint = 'validation_failed';
  end if;
  insert into private.refusal_counts as before (client_id, minute, recorded, omitted)
    values (write_refusal.client_id, date_trunc('minute', now()), 0, 0)
    on conflict on constraint refusal_counts_pkey do update set
      -- If the transaction began in an earlier minute than the counter, it counts in the minute of the counter.
      minute = greatest(before.minute, excluded.minute),
      recorded = case when before.minute < excluded.minute then 0 else before.recorded end
    returning * into counts;
  left_out := counts.omitted;
  if counts.recorded >= refusals_a_minute then
    update private.refusal_counts as kept set omitted = kept.omitted + 1 where kept.client_id = counts.client_id;
    return;
  end if;
  update private.refusal_counts as kept set recorded = kept.recorded + 1, omitted = 0
    where kept.client_id = counts.client_id;
  insert into private.queued_key_events (client_id, event, bot_id, actor_id, actor, request_id, detail)
  values (
    write_refusal.client_id, 'refused', write_refusal.bot_id, auth.uid(), write_refusal.actor,
    private.current_request_id(),
    jsonb_build_object('code', write_refusal.code, 'route', write_refusal.route)
      || case when write_refusal.token_id is null then '{}' else jsonb_build_object('token_id', write_refusal.token_id) end
      || case when left_out = 0 then '{}' else jsonb_build_object('omitted', left_out) end);
end $$;
comment on function private.write_refusal(uuid, uuid, text, text, text, uuid) is
  'Records a rejected request. At most 20 are recorded a minute for each client, so that nobody can flood a chain. The next recorded one contains how many were left out.';

create function private.record_refusal(client_id uuid, bot_id uuid, code text, route text) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if record_refusal.client_id is not distinct from private.own_client_id() then
    perform private.write_refusal(record_refusal.client_id, record_refusal.bot_id, 'client', code, route, null);
  elsif private.is_admin() then
    perform private.write_refusal(record_refusal.client_id, record_refusal.bot_id, 'admin', code, route, null);
  else
    perform private.raise_not_found();
  end if;
end $$;
comment on function private.record_refusal(uuid, uuid, text, text) is
  'A client can only record into its own chain, and an admin into every chain. Definer: API roles cannot write events.';

create function public.report_refusal(
  edge_token text, code text, route text, client_id uuid default null, bot_id uuid default null, token_id uuid default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
  whose uuid;
begin
  perform private.admit_edge(report_refusal.edge_token);
  -- Row-level security decides which of the named rows the caller can see. A row that it cannot see counts as absent. Then
  -- the event goes into the caller's own chain. The event of an admin, who has no chain, is not recorded.
  select * into bot from public.bots where bots.id = report_refusal.bot_id;
  select coalesce(
      (select clients.id from public.clients where clients.id = report_refusal.client_id),
      bot.client_id,
      (select signs.client_id from public.machine_token_bots as signs
        where signs.token_id = report_refusal.token_id order by signs.client_id limit 1),
      private.own_client_id())
    into whose;
  if whose is not null then perform private.record_refusal(whose, bot.id, code, route); end if;
  return jsonb_build_object('recorded', whose is not null);
end $$;
comment on function public.report_refusal(text, text, text, uuid, uuid, uuid) is
  'Records a request of a session that the edge rejected. Only the code and the pattern of the route are stored.';

create function public.report_runner_refusal(edge_token text, token text, bot_id uuid, code text, route text)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  runner constant uuid := private.find_token(report_runner_refusal.token);
  own_bot uuid;
  whose uuid;
begin
  perform private.admit_edge(report_runner_refusal.edge_token);
  select signs.bot_id, signs.client_id into own_bot, whose from public.machine_token_bots as signs
    where signs.token_id = runner and signs.bot_id = report_runner_refusal.bot_id;
  if whose is null then
    select tokens.client_id into whose from public.machine_tokens as tokens where tokens.id = runner;
  end if;
  if whose is not null then
    perform private.write_refusal(whose, own_bot, 'runner', code, route, runner);
  end if;
  return jsonb_build_object('recorded', whose is not null);
end $$;
comment on function public.report_runner_refusal(text, text, uuid, text, text) is
  'Records a rejected request with a machine token, in the chain of the bot''s client. If the token does not sign for this bot, in the chain of the token''s client. Definer: a machine token is not a session.';

grant execute on function
  private.record_refusal(uuid, uuid, text, text), public.report_refusal(text, text, text, uuid, uuid, uuid)
to authenticated;
grant execute on function public.report_runner_refusal(text, text, uuid, text, text) to anon;
