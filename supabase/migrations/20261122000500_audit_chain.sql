-- The audit chains: what was done with keys, bots, policies and tokens, and by whom. There is one chain of rows for each
-- client, and one for the deployment.
--
-- A transaction that makes a change inserts its event into a queue. So signing does not wait for the chain. Key changes,
-- requests that read the chain, and the cron job move queued events into the chain. An event gets its queue number while
-- the keys of the client are locked (shared by signing, exclusively by key changes). So the chain lists each signature
-- after the key change before it and before the key change after it.

-- the canonical form ------------------------------------------------------------------------------------------

create function private.canonical_json(value jsonb) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if value is null or jsonb_typeof(value) not in ('object', 'array') then return value::text; end if;
  return case jsonb_typeof(value)
    when 'object' then (
      select '{' || coalesce(string_agg(
        to_json(name)::text || ':' || case
          when jsonb_typeof(member) in ('object', 'array') then private.canonical_json(member)
          else member::text end,
        ',' order by name collate "C"), '') || '}'
      from jsonb_each(value) as members (name, member))
    when 'array' then (
      select '[' || coalesce(string_agg(private.canonical_json(item), ',' order by place), '') || ']'
      from jsonb_array_elements(value) with ordinality as items (item, place)) end;
end $$;
comment on function private.canonical_json(jsonb) is
  'The canonical form of RFC 8785 (JCS), for events only: names are in ASCII and numbers are whole. PostgreSQL escapes strings as ECMAScript does.';

create function private.is_event_detail(detail jsonb) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if detail is null then return true; end if;
  return jsonb_typeof(detail) = 'object' and octet_length(detail::text) <= 16384
    and not exists (
      select from jsonb_each(detail) as members (name, member)
      where name !~ '^[a-z][a-z0-9_]{0,39}$' or case jsonb_typeof(member)
        when 'number' then member::text !~ '^(0|-?[1-9][0-9]{0,14})$'
        when 'array' then jsonb_path_exists(member, 'strict $[*] ? (@.type() <> "string")')
        else jsonb_typeof(member) = 'object' end);
end $$;
comment on function private.is_event_detail(jsonb) is
  'Whether a detail has the same canonical form in every language: a flat object, names in ASCII, whole numbers that ECMAScript represents exactly, and lists of strings.';

-- queue and chain ---------------------------------------------------------------------------------------------

create function private.event_names() returns text[]
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return array[
    'key_added', 'key_rotated', 'key_rewrapped', 'key_revoked', 'key_released',
    'wallet_added', 'wallet_changed', 'wallet_removed',
    'bot_created', 'bot_changed', 'bot_started', 'bot_stopped', 'bot_quarantined', 'bot_removed',
    'token_issued', 'token_changed', 'token_first_used', 'token_revoked', 'policy_set', 'policy_removed', 'refused',
    'client_created', 'client_changed', 'client_removed', 'account_linked', 'account_unlinked', 'factor_reset',
    'admin_added', 'admin_removed', 'settings_changed', 'bot_type_added', 'bot_type_changed', 'bot_type_removed',
    'restored'];
end $$;
comment on function private.event_names() is
  'The names of events. The same list as KEY_EVENTS in src/contract/audit.ts.';

create table private.queued_key_events (
  client_id uuid not null,
  number bigint not null generated always as identity,
  id uuid not null default private.uuid_v7(),
  event text not null,
  bot_id uuid,
  address text,
  chain text,
  key_id uuid,
  key_version integer,
  actor_id uuid,
  actor text not null,
  request_id text,
  detail jsonb,
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  primary key (client_id, number),
  constraint "an event is a known one" check (event = any (private.event_names())),
  constraint "an actor is a known one" check (actor in ('client', 'admin', 'operator', 'runner', 'auth')),
  constraint "an event about a key names its address" check (
    address is not null and chain is not null
    or event not in ('key_added', 'key_rotated', 'key_rewrapped', 'key_revoked', 'wallet_added', 'key_released')),
  constraint "an event's detail has one canonical form" check (private.is_event_detail(detail)),
  constraint "its times can be shown" check (private.is_shown_time(created_at)),
  constraint "an event's texts are short" check (
    address ~ '^[0-9A-Za-z]{1,64}$' and chain ~ '^[a-z]{1,16}$' and request_id ~ '^[A-Za-z0-9_=-]{1,36}$')
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- The last signature of a bot is a sign of life: see private.bot_health.
create index queued_signatures_by_bot on private.queued_key_events (bot_id, number) where event = 'key_released';
comment on table private.queued_key_events is
  'Events that are not in their chain yet. The constraints reject every event that could not be moved into a chain, so that no event blocks a chain.';

create table public.key_events (
  client_id uuid not null,
  seq bigint not null,
  id uuid not null,
  event text not null,
  bot_id uuid,
  address text,
  chain text,
  key_id uuid,
  key_version integer,
  actor_id uuid,
  actor text not null,
  request_id text,
  detail jsonb,
  created_at timestamptz not null,
  signatures bigint not null,
  previous_hash bytea,
  hash bytea not null,
  constraint "a chain does not fork" primary key (client_id, seq),
  constraint "an event is in the chains once" unique (id),
  constraint "a chain begins with 1, which follows nothing" check (seq >= 1 and (seq = 1) = (previous_hash is null)),
  constraint "hashes are SHA-256" check (octet_length(hash) = 32 and octet_length(previous_hash) = 32),
  constraint "its times can be shown" check (private.is_shown_time(created_at)),
  constraint "an event's texts are short" check (
    event ~ '^[a-z_]{1,40}$' and actor ~ '^[a-z]{1,16}$'
    and address ~ '^[0-9A-Za-z]{1,64}$' and chain ~ '^[a-z]{1,16}$' and request_id ~ '^[A-Za-z0-9_=-]{1,36}$'),
  constraint "an event's detail has one canonical form" check (private.is_event_detail(detail))
);
-- The addresses that a bot had before: see private.was_replaced.
create index key_events_by_address on public.key_events (client_id, address)
  where event in ('key_added', 'key_rotated', 'wallet_added');
create index signatures_by_bot on public.key_events (bot_id, seq) where event = 'key_released';
comment on table public.key_events is
  'The audit chains: what happened to the keys of a client, and who did it. Each row contains the hash of the row before it. Rows are added and never changed.';
comment on column public.key_events.created_at is 'When the transaction began that caused the event, not when the event was moved into the chain.';
comment on column public.key_events.signatures is 'How many key_released events the chain contains up to and including this row.';
comment on column public.key_events.hash is
  'SHA-256 of the canonical form of all other fields that GET /clients/{id}/key-events returns for this row.';

alter table private.queued_key_events enable row level security;
alter table private.queued_key_events force row level security;
alter table public.key_events enable row level security;
alter table public.key_events force row level security;

create policy "a client sees its own key events, an admin all" on public.key_events
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client sees its own queued events, an admin all" on private.queued_key_events
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

revoke all on public.key_events, private.queued_key_events from public, anon, authenticated, service_role;
grant select on public.key_events to authenticated;
-- Only what private.bot_health reads.
grant select (bot_id, number, event, created_at) on private.queued_key_events to authenticated;

create view private.every_key_event with (security_invoker = true) as
select client_id, seq, id, event, bot_id, address, chain, key_id, key_version, actor_id, actor, request_id, detail,
  created_at
from public.key_events
union all
select client_id, null, id, event, bot_id, address, chain, key_id, key_version, actor_id, actor, request_id, detail,
  created_at
from private.queued_key_events;
comment on view private.every_key_event is 'For the operator: all events, those in a chain and those still in the queue (seq is null).';

create trigger key_events_are_never_changed
  before update or delete or truncate on public.key_events
  for each statement execute function private.refuse_change();
-- The trigger fires even if session_replication_role = replica, which turns ordinary triggers off.
alter table public.key_events enable always trigger key_events_are_never_changed;

-- moving events into a chain ----------------------------------------------------------------------------------

create function private.key_event_json(event public.key_events) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'seq', event.seq, 'id', event.id, 'client_id', event.client_id, 'event', event.event,
    'actor', event.actor, 'actor_id', event.actor_id, 'request_id', event.request_id,
    'bot_id', event.bot_id, 'address', event.address, 'chain', event.chain,
    'key_id', event.key_id, 'key_version', event.key_version, 'detail', event.detail,
    'created_at', private.rfc3339(event.created_at), 'signatures', event.signatures,
    'previous_hash', encode(event.previous_hash, 'hex'), 'hash', encode(event.hash, 'hex'));
end $$;

create function private.canonical_key_event(event public.key_events) returns text
language plpgsql stable set search_path = '' as $$
begin
  return '{"actor":' || to_json(event.actor)::text
    || ',"actor_id":' || coalesce(to_json(event.actor_id)::text, 'null')
    || ',"address":' || coalesce(to_json(event.address)::text, 'null')
    || ',"bot_id":' || coalesce(to_json(event.bot_id)::text, 'null')
    || ',"chain":' || coalesce(to_json(event.chain)::text, 'null')
    || ',"client_id":' || to_json(event.client_id)::text
    || ',"created_at":' || to_json(private.rfc3339(event.created_at))::text
    || ',"detail":' || coalesce(private.canonical_json(event.detail), 'null')
    || ',"event":' || to_json(event.event)::text
    || ',"id":' || to_json(event.id)::text
    || ',"key_id":' || coalesce(to_json(event.key_id)::text, 'null')
    || ',"key_version":' || coalesce(event.key_version::text, 'null')
    || ',"previous_hash":' || coalesce(to_json(encode(event.previous_hash, 'hex'))::text, 'null')
    || ',"request_id":' || coalesce(to_json(event.request_id)::text, 'null')
    || ',"seq":' || event.seq::text
    || ',"signatures":' || event.signatures::text || '}';
end $$;
comment on function private.canonical_key_event(public.key_events) is
  'The canonical form (RFC 8785, JCS) of the object that key_event_json returns, without its hash. It is written out for speed, because it runs for every signature.';

create function private.next_key_event(last public.key_events, queued private.queued_key_events)
returns public.key_events
language plpgsql stable set search_path = '' as $$
declare
  following public.key_events := row(
    queued.client_id, coalesce(last.seq, 0) + 1, queued.id, queued.event, queued.bot_id, queued.address,
    queued.chain, queued.key_id, queued.key_version, queued.actor_id, queued.actor, queued.request_id,
    queued.detail, queued.created_at,
    coalesce(last.signatures, 0) + (queued.event = 'key_released')::integer, last.hash, null);
begin
  following.hash := sha256(convert_to(private.canonical_key_event(following), 'UTF8'));
  return following;
end $$;
comment on function private.next_key_event(public.key_events, private.queued_key_events) is
  'Makes the row of a queued event that follows the last row of its chain.';

create function private.last_key_event(client_id uuid) returns public.key_events
language plpgsql stable set search_path = '' as $$
declare
  last public.key_events;
begin
  select * into last from public.key_events as events where events.client_id = last_key_event.client_id
    order by events.seq desc limit 1;
  return last;
end $$;

create function private.take_queued_events(client_id uuid, at_most integer) returns private.queued_key_events[]
-- Without this setting PostgreSQL plans the DELETE again for each list of numbers.
language plpgsql set search_path = '' set plan_cache_mode = 'force_generic_plan' as $$
declare
  -- An array and not a subquery of the DELETE: a cached plan that was made while the queue was empty would run the
  -- subquery once for each row of the queue.
  numbers constant bigint[] := array(
    select events.number from private.queued_key_events as events
    where events.client_id = take_queued_events.client_id order by events.number limit at_most);
  events private.queued_key_events[];
begin
  -- In most cases the queue is empty when a key changes.
  if numbers = '{}' then return '{}'; end if;
  with taken as (
    delete from private.queued_key_events as events
    where events.client_id = take_queued_events.client_id and events.number = any (numbers)
    returning *)
  -- With its type: otherwise plpgsql converts the rows by their text, which depends on the setting DateStyle.
  select array_agg(row(taken.*)::private.queued_key_events order by taken.number) into events from taken;
  return events;
end $$;
comment on function private.take_queued_events(uuid, integer) is
  'Removes the oldest queued events of a client from the queue, and returns them. The caller has locked the chain, and adds them to it.';

create function private.add_to_chain(client_id uuid, added private.queued_key_events[]) returns integer
language plpgsql set search_path = '' as $$
declare
  last public.key_events;
  next private.queued_key_events;
  chained public.key_events[] := '{}';
begin
  if added = '{}' then return 0; end if;
  last := private.last_key_event(add_to_chain.client_id);
  foreach next in array added loop
    last := private.next_key_event(last, next);
    chained := chained || last;
  end loop;
  insert into public.key_events select * from unnest(chained);
  return cardinality(chained);
end $$;
comment on function private.add_to_chain(uuid, private.queued_key_events[]) is
  'Adds events to the end of a chain, in this order. The caller has locked the chain. Returns how many were added.';

create function private.chain_key_events(client_id uuid, at_most integer, waits boolean) returns integer
language plpgsql set search_path = '' as $$
begin
  if not private.lock_chain(chain_key_events.client_id, waits) then return 0; end if;
  return private.add_to_chain(
    chain_key_events.client_id, private.take_queued_events(chain_key_events.client_id, at_most));
end $$;
comment on function private.chain_key_events(uuid, integer, boolean) is
  'Moves queued events of a client into its chain, oldest first. Returns how many were moved.';

-- events of keys and signatures -------------------------------------------------------------------------------

create function private.current_request_id() returns text
language plpgsql stable set search_path = '' as $$
begin
  -- Only the form that the edge accepts. A caller that calls the REST API directly chooses this header too. A private key is
  -- longer than this form allows, so no key can be recorded here.
  return substring(
    nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-request-id' from '^[A-Za-z0-9_=-]{1,36}$');
end $$;

create function private.current_actor(client_id uuid) returns text
language plpgsql stable set search_path = '' as $$
declare
  caller constant uuid := auth.uid();
begin
  if caller is null then return case session_user when 'supabase_auth_admin' then 'auth' else 'operator' end; end if;
  perform from public.clients where clients.id = current_actor.client_id and clients.user_id = caller;
  return case when found then 'client' else 'admin' end;
end $$;
comment on function private.current_actor(uuid) is
  'The actor that events name for the caller of this session. A runner has no session: functions for runners pass their actor themselves.';

create function private.record_key_event(
  event text, client_id uuid, bot_id uuid, address text, chain text, key_id uuid, key_version integer,
  detail jsonb default null
) returns uuid
language plpgsql set search_path = '' as $$
declare
  key_change constant boolean :=
    record_key_event.event in ('key_added', 'key_rotated', 'key_rewrapped', 'key_revoked', 'wallet_added');
  recorded constant private.queued_key_events := row(
    record_key_event.client_id, null, private.uuid_v7(), record_key_event.event, record_key_event.bot_id,
    record_key_event.address, record_key_event.chain, record_key_event.key_id, record_key_event.key_version,
    auth.uid(),
    case when record_key_event.event in ('key_released', 'bot_quarantined') then 'runner'
      else private.current_actor(record_key_event.client_id) end,
    private.current_request_id(), record_key_event.detail, date_trunc('milliseconds', now()));
  -- At most 100 events, so that a key change stays fast. If the queue holds more, the cron job moves the rest.
  most constant integer := 100;
  queued private.queued_key_events[];
  chained integer;
begin
  -- A key change has locked the keys of the client. Its event goes directly into the chain, after the events of the queue.
  if key_change and detail is null and address is not null and chain is not null
    and private.lock_chain(recorded.client_id, false)
  then
    queued := private.take_queued_events(recorded.client_id, most);
    if cardinality(queued) < most then
      chained := private.add_to_chain(recorded.client_id, queued || recorded);
      return recorded.id;
    end if;
    chained := private.add_to_chain(recorded.client_id, queued);
  end if;
  insert into private.queued_key_events
    (client_id, id, event, bot_id, address, chain, key_id, key_version, actor_id, actor, request_id, detail, created_at)
  values (
    recorded.client_id, recorded.id, recorded.event, recorded.bot_id, recorded.address, recorded.chain,
    recorded.key_id, recorded.key_version, recorded.actor_id, recorded.actor, recorded.request_id, recorded.detail,
    recorded.created_at);
  return recorded.id;
end $$;
comment on function private.record_key_event(text, uuid, uuid, text, text, uuid, integer, jsonb) is
  'Records an event of a key or a signature. These events are never left out. Triggers and runner functions call it: API roles can neither run it nor write the tables.';

-- all other events --------------------------------------------------------------------------------------------

create table private.event_counts (
  client_id uuid primary key,
  minute timestamptz not null,
  recorded integer not null,
  omitted integer not null,
  issued integer not null default 0
);
comment on table private.event_counts is
  'For each chain: how many of the limited events were recorded in this minute, how many were left out since the last recorded event, and how many tokens sessions issued in this minute.';

alter table private.event_counts enable row level security;
alter table private.event_counts force row level security;

revoke all on private.event_counts from public, anon, authenticated, service_role;

create function private.record_events(
  event text, client_id uuid, bot_ids uuid[], details jsonb[], actor text default null
) returns void
language plpgsql set search_path = '' as $$
declare
  most_events_a_minute constant integer := 60;
  -- This many of the 60 are reserved for uses and ends of tokens, so that a flood of changes of bots and policies cannot
  -- displace them.
  reserved constant integer := 20;
  -- Only events that a session of the client can cause again and again are limited. No flood hides any other event.
  most constant integer := case
    when record_events.client_id = private.deployment() then null
    when record_events.event in (
      'bot_created', 'bot_started', 'bot_stopped', 'policy_set', 'policy_removed', 'client_changed')
      then most_events_a_minute - reserved
    when record_events.event in ('token_first_used', 'token_revoked') then most_events_a_minute end;
  -- The event of a new token is never left out, because nobody may get a token behind a flood. So the tokens are limited.
  most_tokens_a_minute constant integer := 60;
  new_tokens constant integer := case
    when record_events.event = 'token_issued' and auth.uid() is not null then cardinality(bot_ids) else 0 end;
  total constant integer := cardinality(bot_ids);
  counted constant integer := case when most is null then 0 else total end;
  counts private.event_counts;
  room integer := total;
  caller constant uuid := auth.uid();
  recorded_actor text;
  request_id text;
begin
  if total = 0 then return; end if;
  -- Counts all events. In most cases all are recorded, and this statement is enough.
  insert into private.event_counts as before (client_id, minute, recorded, omitted, issued)
    values (record_events.client_id, date_trunc('minute', now()), counted, 0, new_tokens)
    on conflict on constraint event_counts_pkey do update set
      -- If the transaction began in an earlier minute than the counter, it counts in the minute of the counter.
      minute = greatest(before.minute, excluded.minute),
      recorded = case when before.minute < excluded.minute then 0 else before.recorded end + excluded.recorded,
      issued = case when before.minute < excluded.minute then 0 else before.issued end + excluded.issued
    returning * into counts;
  if counts.issued > most_tokens_a_minute then
    raise sqlstate 'PT429' using message = 'Too many machine tokens were issued in this minute.', hint = 'rate_limited';
  end if;
  if counts.recorded > most then room := greatest(0, most - counts.recorded + total); end if;
  if room < total or counts.omitted > 0 then
    update private.event_counts as kept
      set recorded = kept.recorded - (total - room),
        omitted = case when room > 0 then 0 else kept.omitted end + total - room
      where kept.client_id = counts.client_id;
  end if;
  if room = 0 then return; end if;
  if counts.omitted > 0 then
    details[1] := coalesce(details[1], '{}') || jsonb_build_object('omitted', counts.omitted);
  end if;
  recorded_actor := coalesce(record_events.actor, private.current_actor(record_events.client_id));
  request_id := private.current_request_id();
  if total = 1 then
    insert into private.queued_key_events (client_id, event, bot_id, actor_id, actor, request_id, detail) values (
      record_events.client_id, record_events.event, bot_ids[1], caller, recorded_actor, request_id, details[1]);
  else
    insert into private.queued_key_events (client_id, event, bot_id, actor_id, actor, request_id, detail)
      select record_events.client_id, record_events.event, item.bot_id, caller, recorded_actor, request_id, item.detail
      from unnest(bot_ids[:room], details[:room]) as item (bot_id, detail);
  end if;
end $$;
comment on function private.record_events(text, uuid, uuid[], jsonb[], text) is
  'Queues one event for each bot id (a bot id may be null). At most 60 events a minute are recorded for each client of bots, policies, names, and of uses and ends of tokens. Further events are counted, and the next recorded event contains the number that was left out. All other events are always recorded. Sessions can issue at most 60 tokens a minute for each client.';

create function private.record_event(
  event text, client_id uuid, bot_id uuid default null, detail jsonb default null, actor text default null
) returns void
language plpgsql set search_path = '' as $$
begin
  perform private.record_events(
    record_event.event, record_event.client_id, array[record_event.bot_id], array[record_event.detail], record_event.actor);
end $$;
comment on function private.record_event(text, uuid, uuid, jsonb, text) is
  'Queues one event for the chain of a client or of the deployment. A detail never contains free text, a name, an e-mail address, a URL, or a hash of one of these.';
