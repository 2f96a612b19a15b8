-- What is written down beside key changes and signatures: bots, tokens, policies and refusals. And how it is read.

-- bots --------------------------------------------------------------------------------------------------------

create function private.after_bots_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_key_event(
    'bot_created', made.client_id, made.id, null, null, null, null,
    jsonb_build_object('bot_type', made.bot_type)) from made;
  return null;
end $$;
comment on function private.after_bots_insert() is 'Writes the events. Definer: API roles cannot write them.';
create trigger record_created after insert on public.bots referencing new table as made
  for each statement execute function private.after_bots_insert();

create function private.after_bot_status_change() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_key_event(
    case new.status when 'running' then 'bot_started' else 'bot_stopped' end, new.client_id, new.id,
    null, null, null, null,
    case when new.stop_reason is not null then jsonb_build_object('reason', new.stop_reason) end);
  return null;
end $$;
comment on function private.after_bot_status_change() is 'Writes the event. Definer: API roles cannot write it.';
-- Of a quarantine its own event tells, with what led to it.
create trigger record_status after update of status on public.bots
  for each row when (old.status <> new.status and new.stop_reason is distinct from 'quarantined')
  execute function private.after_bot_status_change();

-- tokens ------------------------------------------------------------------------------------------------------

create function private.record_token_event(event text, token_id uuid, client_id uuid, bot_ids uuid[], more jsonb)
returns void
language plpgsql set search_path = '' as $$
declare
  detail jsonb := jsonb_build_object('token_id', record_token_event.token_id, 'bot_ids', to_jsonb(bot_ids)) || more;
begin
  -- Past the edge a token may be given any number of bots. Nothing may be too long to tell of its end.
  if not private.is_event_detail(detail) then
    detail := detail - 'bot_ids' || jsonb_build_object(
      'bots', cardinality(bot_ids),
      'bots_sha256', encode(sha256(convert_to(array_to_string(bot_ids, ','), 'UTF8')), 'hex'));
  end if;
  perform private.record_key_event(
    record_token_event.event, record_token_event.client_id,
    case when cardinality(bot_ids) = 1 then bot_ids[1] end, null, null, null, null, detail);
end $$;

create function private.after_token_bots_insert() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event(
    'token_issued', let.token_id, let.client_id, let.bot_ids,
    jsonb_build_object('expires_at', (
      select private.rfc3339(tokens.expires_at) from public.machine_tokens as tokens where tokens.id = let.token_id)))
  from (
    select token_id, client_id, array_agg(bot_id order by bot_id) as bot_ids from added group by token_id, client_id
  ) as let;
  return null;
end $$;
comment on function private.after_token_bots_insert() is
  'A token signs for these bots from now on: one event for each client. Definer: API roles cannot write it.';
create trigger record_issued after insert on public.machine_token_bots referencing new table as added
  for each statement execute function private.after_token_bots_insert();

create function private.after_token_bots_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event('token_revoked', held.token_id, held.client_id, held.bot_ids, '{}')
  from (
    select token_id, client_id, array_agg(bot_id order by bot_id) as bot_ids from removed group by token_id, client_id
  ) as held;
  return null;
end $$;
comment on function private.after_token_bots_delete() is
  'A token signs for these bots no longer, most often because it was deleted. Definer: API roles cannot write the event.';
create trigger record_revoked after delete on public.machine_token_bots referencing old table as removed
  for each statement execute function private.after_token_bots_delete();

create function private.after_token_first_used() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform private.record_token_event('token_first_used', new.id, used.client_id, used.bot_ids, '{}')
  from (
    select client_id, array_agg(bot_id order by bot_id) as bot_ids from public.machine_token_bots
    where token_id = new.id group by client_id
  ) as used;
  return null;
end $$;
comment on function private.after_token_first_used() is
  'The first use that was carried out; from then on signatures name the token. Definer: API roles cannot write the event.';
create trigger record_first_used after update of last_used_at on public.machine_tokens
  for each row when (old.last_used_at is null and new.last_used_at is not null)
  execute function private.after_token_first_used();

-- policies ----------------------------------------------------------------------------------------------------

create function private.after_policy_write() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  policy jsonb := jsonb_strip_nulls(private.policy_json(new.bot_id) - array['bot_id', 'updated_at']);
begin
  -- Who writes straight to the table may store texts of any length; the chain keeps what names them.
  if not private.is_event_detail(policy) then
    policy := jsonb_build_object('policy_sha256', encode(sha256(convert_to(policy::text, 'UTF8')), 'hex'));
  end if;
  perform private.record_key_event('policy_set', new.client_id, new.bot_id, null, null, null, null, policy);
  return null;
end $$;
comment on function private.after_policy_write() is
  'Writes the event, with the policy as it is from now on. Definer: API roles cannot write it.';
create trigger record_policy after insert or update on public.bot_policies
  for each row execute function private.after_policy_write();

-- refusals ----------------------------------------------------------------------------------------------------
-- A refusal takes back all that its transaction wrote. So the edge reports it afterwards, under the caller's own token.

create table private.refusal_counts (
  client_id uuid primary key,
  minute timestamptz not null,
  recorded integer not null,
  omitted integer not null,
  constraint "refusals are counted for a client" foreign key (client_id) references public.clients (id)
);
comment on table private.refusal_counts is
  'How many refusals were written into a client''s chain in this minute, and how many were left out since the last.';
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
    raise sqlstate 'PT422' using message = 'This is no refusal.', hint = 'validation_failed';
  end if;
  insert into private.refusal_counts as before (client_id, minute, recorded, omitted)
    values (write_refusal.client_id, date_trunc('minute', now()), 0, 0)
    on conflict on constraint refusal_counts_pkey do update set
      minute = excluded.minute,
      recorded = case when before.minute = excluded.minute then before.recorded else 0 end
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
  'At most 20 rows a minute for each client: what is left out is counted in the next row. So nobody fills a chain.';

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
  'Only into the caller''s own chain, or any by an admin. Definer: API roles cannot write events.';

create function public.report_refusal(
  code text, route text, client_id uuid default null, bot_id uuid default null, token_id uuid default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
  whose uuid;
begin
  -- Row-level security decides what the caller may see of what it named. What it may not see is as absent: then the
  -- attempt is one of the caller's own, and an admin's is nobody's.
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
comment on function public.report_refusal(text, text, uuid, uuid, uuid) is
  'What the edge refused to a session: only the code and the route''s pattern are kept.';

create function public.report_runner_refusal(token_hash text, bot_id uuid, code text, route text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  token uuid := private.require_token(report_runner_refusal.token_hash);
  own_bot uuid;
  whose uuid;
begin
  select signs.bot_id, signs.client_id into own_bot, whose from public.machine_token_bots as signs
    where signs.token_id = token and signs.bot_id = report_runner_refusal.bot_id;
  if whose is null then
    select tokens.client_id into whose from public.machine_tokens as tokens where tokens.id = token;
  end if;
  if whose is not null then
    perform private.write_refusal(whose, own_bot, 'runner', code, route, token);
  end if;
  return jsonb_build_object('recorded', whose is not null);
end $$;
comment on function public.report_runner_refusal(text, uuid, text, text) is
  'What was refused to a machine token: into the chain of its bot''s client, or, for a bot that is not its own, of the token''s. Definer: a machine token is no session.';

-- reading -----------------------------------------------------------------------------------------------------

create function private.chain_own_key_events(client_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if chain_own_key_events.client_id is not distinct from private.own_client_id() or private.is_admin() then
    perform private.chain_key_events(chain_own_key_events.client_id, 2000, true);
  end if;
end $$;
comment on function private.chain_own_key_events(uuid) is
  'What is queued belongs to what is read. Definer: API roles cannot write events.';

create function public.list_key_events(
  client_id uuid, page_size integer, after bigint default null, oldest_first boolean default false,
  event text default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  events jsonb;
begin
  perform private.require_page_size(list_key_events.page_size);
  perform private.require_client(list_key_events.client_id);
  perform private.chain_own_key_events(list_key_events.client_id);
  if oldest_first then
    select coalesce(jsonb_agg(page.item order by page.seq), '[]') into events from (
      select chained.seq, private.key_event_json(chained) as item from public.key_events as chained
      where chained.client_id = list_key_events.client_id
        and chained.seq > coalesce(list_key_events.after, 0)
        and (list_key_events.event is null or chained.event = list_key_events.event)
      order by chained.seq limit page_size + 1) as page;
  else
    select coalesce(jsonb_agg(page.item order by page.seq desc), '[]') into events from (
      select chained.seq, private.key_event_json(chained) as item from public.key_events as chained
      where chained.client_id = list_key_events.client_id
        and chained.seq < coalesce(list_key_events.after, 9223372036854775807)
        and (list_key_events.event is null or chained.event = list_key_events.event)
      order by chained.seq desc limit page_size + 1) as page;
  end if;
  return private.page_by_seq(events, page_size);
end $$;
comment on function public.list_key_events(uuid, integer, bigint, boolean, text) is
  'GET /clients/{id}/key-events. Chains what is queued first, so that who did something finds it.';

create function private.page_by_seq(rows jsonb, page_size integer) returns jsonb
language sql immutable set search_path = ''
return case
  when jsonb_array_length(rows) > page_size then jsonb_build_object(
    'items', rows - page_size, 'next_cursor', rows -> (page_size - 1) ->> 'seq')
  else jsonb_build_object('items', rows, 'next_cursor', null) end;
comment on function private.page_by_seq(jsonb, integer) is
  'A page from rows that were read one further than its size. The cursor is the last seq shown.';

-- the cron ----------------------------------------------------------------------------------------------------

create function private.clients_that_wait(at_most integer) returns uuid[]
language plpgsql stable set search_path = '' as $$
begin
  return (
    -- One probe of the index for each client, however many events it has left.
    with recursive first as (
      (select queued.client_id, queued.number from private.queued_key_events as queued
        order by queued.client_id, queued.number limit 1)
      union all
      select next.client_id, next.number from first cross join lateral (
        select queued.client_id, queued.number from private.queued_key_events as queued
        where queued.client_id > first.client_id order by queued.client_id, queued.number limit 1) as next)
    select coalesce(array_agg(longest.client_id order by longest.number), '{}') from (
      select * from first order by first.number limit clients_that_wait.at_most) as longest);
end $$;
comment on function private.clients_that_wait(integer) is 'Clients with queued events, who waits longest first.';

create function public.chain_queued_events(token_hash text, at_most integer default 500) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  token uuid := private.require_token(chain_queued_events.token_hash, 'monitor');
  waiting uuid[] := private.clients_that_wait(100);
  chained integer := 0;
  clients integer := 0;
  added integer;
begin
  for place in 1 .. cardinality(waiting) loop
    exit when chained >= at_most;
    -- The same share of what is left for each: who leaves events in masses holds up nobody else's.
    added := private.chain_key_events(
      waiting[place], ceil((at_most - chained)::numeric / (cardinality(waiting) - place + 1))::integer, false);
    chained := chained + added;
    clients := clients + (added > 0)::integer;
  end loop;
  return jsonb_build_object('chained', chained, 'clients', clients);
end $$;
comment on function public.chain_queued_events(text, integer) is
  'Chains what is queued, of the clients that wait longest, each its share; a chain that somebody else is at is passed by. Definer: a machine token is no session.';

grant execute on function
  private.key_event_json(public.key_events), private.page_by_seq(jsonb, integer),
  private.chain_own_key_events(uuid), private.record_refusal(uuid, uuid, text, text),
  public.list_key_events(uuid, integer, bigint, boolean, text),
  public.report_refusal(text, text, uuid, uuid, uuid)
to authenticated;
grant execute on function
  public.report_runner_refusal(text, uuid, text, text), public.chain_queued_events(text, integer)
to anon;
