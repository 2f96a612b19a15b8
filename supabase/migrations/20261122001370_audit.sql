-- How the chain is read, and by whom what is queued is put into it.

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
  return private.page_json(events, page_size, 'seq');
end $$;
comment on function public.list_key_events(uuid, integer, bigint, boolean, text) is
  'GET /clients/{id}/key-events. Chains what is queued first, so that who did something finds it.';

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
  private.key_event_json(public.key_events), private.chain_own_key_events(uuid), public.list_key_events(uuid, integer, bigint, boolean, text)
to authenticated;
grant execute on function public.chain_queued_events(text, integer) to anon;
