-- Reading the audit chains, and moving queued events into them.

-- reading -----------------------------------------------------------------------------------------------------

create function private.chain_own_key_events(client_id uuid) returns void
language plpgsql security definer set search_path = '' as $$
begin
  if chain_own_key_events.client_id is not distinct from private.own_client_id() or private.is_admin() then
    perform private.chain_key_events(chain_own_key_events.client_id, 2000, true);
  end if;
end $$;
comment on function private.chain_own_key_events(uuid) is
  'Moves queued events into a chain before it is read, so that the reader sees them. Definer: API roles cannot write events.';

create function private.queued_events_json(client_id uuid, event text, most integer) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  if not (queued_events_json.client_id is not distinct from private.own_client_id() or private.is_admin()) then
    perform private.raise_not_found();
  end if;
  return jsonb_build_object(
    'queued', (
      select coalesce(jsonb_agg(waiting.item order by waiting.number desc), '[]') from (
        select queued.number, jsonb_build_object(
          'id', queued.id, 'client_id', queued.client_id, 'event', queued.event, 'actor', queued.actor,
          'actor_id', queued.actor_id, 'request_id', queued.request_id, 'bot_id', queued.bot_id,
          'address', queued.address, 'chain', queued.chain, 'key_id', queued.key_id,
          'key_version', queued.key_version, 'detail', queued.detail,
          'created_at', private.rfc3339(queued.created_at)) as item
        from private.queued_key_events as queued
        where queued.client_id = queued_events_json.client_id
          and (queued_events_json.event is null or queued.event = queued_events_json.event)
        order by queued.number desc limit queued_events_json.most) as waiting),
    'omitted', coalesce((
      select counts.omitted from private.event_counts as counts
      where counts.client_id = queued_events_json.client_id), 0)
    + coalesce((
      select counts.omitted from private.refusal_counts as counts
      where counts.client_id = queued_events_json.client_id), 0));
end $$;
comment on function private.queued_events_json(uuid, text, integer) is
  'The newest queued events of a chain, and how many events were left out since the last recorded one. Definer: API roles cannot read the queue.';

create function private.key_events_page(
  client_id uuid, page_size integer, after bigint, oldest_first boolean, event text)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  events jsonb;
begin
  perform private.require_page_size(key_events_page.page_size);
  perform private.chain_own_key_events(key_events_page.client_id);
  if oldest_first then
    select coalesce(jsonb_agg(page.item order by page.seq), '[]') into events from (
      select chained.seq, private.key_event_json(chained) as item from public.key_events as chained
      where chained.client_id = key_events_page.client_id
        and chained.seq > coalesce(key_events_page.after, 0)
        and (key_events_page.event is null or chained.event = key_events_page.event)
      order by chained.seq limit page_size + 1) as page;
  else
    select coalesce(jsonb_agg(page.item order by page.seq desc), '[]') into events from (
      select chained.seq, private.key_event_json(chained) as item from public.key_events as chained
      where chained.client_id = key_events_page.client_id
        and chained.seq < coalesce(key_events_page.after, 9223372036854775807)
        and (key_events_page.event is null or chained.event = key_events_page.event)
      order by chained.seq desc limit page_size + 1) as page;
  end if;
  return private.page_json(events, page_size, 'seq')
    || private.queued_events_json(key_events_page.client_id, key_events_page.event, page_size);
end $$;
comment on function private.key_events_page(uuid, integer, bigint, boolean, text) is
  'A page of a chain, and the events that are still queued for it, so that a flood of events hides nothing. It first moves queued events into the chain.';

create function public.list_key_events(
  client_id uuid, page_size integer, after bigint default null, oldest_first boolean default false,
  event text default null)
returns jsonb
language plpgsql set search_path = '' as $$
begin
  perform private.require_client(list_key_events.client_id);
  return private.key_events_page(
    list_key_events.client_id, page_size, list_key_events.after, oldest_first, list_key_events.event);
end $$;
comment on function public.list_key_events(uuid, integer, bigint, boolean, text) is 'GET /clients/{id}/key-events.';

create function public.list_deployment_events(
  page_size integer, after bigint default null, oldest_first boolean default false, event text default null)
returns jsonb
language plpgsql set search_path = '' as $$
begin
  perform private.require_admin();
  return private.key_events_page(
    private.deployment(), page_size, list_deployment_events.after, oldest_first, list_deployment_events.event);
end $$;
comment on function public.list_deployment_events(integer, bigint, boolean, text) is 'GET /events.';

-- the cron ----------------------------------------------------------------------------------------------------

create function private.clients_that_wait(at_most integer) returns uuid[]
language plpgsql stable set search_path = '' as $$
begin
  return (
    -- One lookup in the index for each client, however many events of the client are queued.
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
comment on function private.clients_that_wait(integer) is 'Clients with queued events. The client whose events have waited longest comes first.';

create function public.chain_queued_events(token text, at_most integer default 500) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  monitor_token constant uuid := private.find_token(chain_queued_events.token, 'monitor');
  waiting uuid[] := private.clients_that_wait(100);
  chained integer := 0;
  clients integer := 0;
  added integer;
begin
  for place in 1 .. cardinality(waiting) loop
    exit when chained >= at_most;
    -- Each client gets an equal share of the remaining number, so that a client with many events does not delay the others.
    added := private.chain_key_events(
      waiting[place], ceil((at_most - chained)::numeric / (cardinality(waiting) - place + 1))::integer, false);
    chained := chained + added;
    clients := clients + (added > 0)::integer;
  end loop;
  return jsonb_build_object('chained', chained, 'clients', clients);
end $$;
comment on function public.chain_queued_events(text, integer) is
  'Moves queued events into their chains, an equal share for each of the clients that have waited longest. It skips a chain that another transaction has locked. Definer: a machine token is not a session.';

grant execute on function
  private.key_event_json(public.key_events), private.chain_own_key_events(uuid),
  private.queued_events_json(uuid, text, integer), private.key_events_page(uuid, integer, bigint, boolean, text),
  public.list_key_events(uuid, integer, bigint, boolean, text),
  public.list_deployment_events(integer, bigint, boolean, text)
to authenticated;
grant execute on function public.chain_queued_events(text, integer) to anon;
