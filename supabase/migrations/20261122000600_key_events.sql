create table public.key_events (
  id uuid primary key default private.uuid_v7(),
  client_id uuid not null,
  event text not null,
  bot_id uuid,
  address text not null,
  chain text not null,
  key_id uuid,
  key_version integer,
  actor_id uuid,
  actor text not null,
  request_id text,
  detail jsonb,
  created_at timestamptz not null default now(),
  constraint "an event is of a client" foreign key (client_id) references public.clients (id),
  constraint "an event is a known one"
    check (event in (
      'key_added', 'key_rotated', 'key_rewrapped', 'key_revoked', 'wallet_added', 'signed', 'bot_quarantined')),
  constraint "an actor is a known one" check (actor in ('client', 'admin', 'operator', 'runner'))
);
comment on table public.key_events is 'What happened to a client''s keys, by whom. Rows are added and never changed.';
create index key_events_by_client on public.key_events (client_id, id);

alter table public.key_events enable row level security;
alter table public.key_events force row level security;
create policy "a client sees its own key events, an admin all" on public.key_events
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
grant select on public.key_events to authenticated;

create function private.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT405' using
    message = 'Rows of this table are added and never changed.', hint = 'append_only';
end $$;
create trigger key_events_are_never_changed
  before update or delete or truncate on public.key_events
  for each statement execute function private.refuse_change();

create function private.record_key_event(
  event text, client_id uuid, bot_id uuid, address text, chain text, key_id uuid, key_version integer,
  detail jsonb default null
) returns void
language plpgsql set search_path = '' as $$
begin
  insert into public.key_events
    (client_id, event, bot_id, address, chain, key_id, key_version, actor_id, actor, request_id, detail)
  values (
    record_key_event.client_id, record_key_event.event, record_key_event.bot_id, record_key_event.address,
    record_key_event.chain, record_key_event.key_id, record_key_event.key_version,
    auth.uid(),
    case
      when record_key_event.event in ('signed', 'bot_quarantined') then 'runner'
      when auth.uid() is null then 'operator'
      when exists (
        select from public.clients
        where clients.id = record_key_event.client_id and clients.user_id = (select auth.uid())) then 'client'
      else 'admin'
    end,
    -- The form that the edge takes: whoever calls past it chooses the header too, and no key is as short.
    substring(nullif(current_setting('request.headers', true), '')::jsonb ->> 'x-request-id' from '^[\w=-]{1,36}$'),
    record_key_event.detail);
end $$;
comment on function private.record_key_event(text, uuid, uuid, text, text, uuid, integer, jsonb) is
  'Called by the key triggers alone: API roles can neither run it nor write the table.';
