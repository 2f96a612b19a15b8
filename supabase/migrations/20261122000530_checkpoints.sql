-- Checkpoints: the last row of each chain, signed once a day with the audit key of the deployment. Somebody who rewrites a
-- chain with all its hashes cannot rewrite signed checkpoints. A reader who kept a checkpoint then sees that the chain does
-- not match it.

create function private.json_of(encoded text) returns jsonb
language plpgsql immutable strict parallel safe set search_path = '' as $$
begin
  return convert_from(
    decode(translate(encoded, '-_', '+/') || repeat('=', -octet_length(encoded) & 3), 'base64'), 'UTF8')::jsonb;
end $$;
comment on function private.json_of(text) is 'The JSON in a part of a JWS, decoded from base64url.';

create function private.checkpoint_names(jws text, client_id uuid, seq bigint, hash bytea) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  -- JWS compact serialization (RFC 7515) with a signature of 64 bytes. The database does not verify it, readers do.
  return length(jws) <= 2048 and jws ~ '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]$'
    and coalesce(
      private.json_of(split_part(jws, '.', 1)) @> '{"alg": "EdDSA", "typ": "audit-checkpoint+jwt"}'
      and jsonb_typeof(private.json_of(split_part(jws, '.', 1)) -> 'kid') = 'string'
      and private.json_of(split_part(jws, '.', 2)) @> jsonb_build_object(
        'client_id', client_id, 'seq', seq, 'hash', encode(hash, 'hex')), false);
exception when data_exception then
  return false; -- A part is not valid base64url, UTF-8 or JSON.
end $$;
comment on function private.checkpoint_names(text, uuid, bigint, bytea) is
  'Whether a text has the form of a signed checkpoint and names this row of this chain.';

create table public.audit_checkpoints (
  client_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  jws text not null,
  created_at timestamptz not null default now(),
  constraint "a row of a chain has one checkpoint" primary key (client_id, seq),
  constraint "a checkpoint is of a row of a chain"
    foreign key (client_id, seq) references public.key_events (client_id, seq),
  constraint "a checkpoint's signed text names its own row"
    check (private.checkpoint_names(jws, client_id, seq, hash)),
  constraint "its times can be shown" check (private.is_shown_time(created_at))
);
comment on table public.audit_checkpoints is
  'Signed checkpoints. Each names the row that was the last one of its chain when it was signed. Rows are added and never changed.';

alter table public.audit_checkpoints enable row level security;
alter table public.audit_checkpoints force row level security;

create policy "a client sees its own checkpoints, an admin all" on public.audit_checkpoints
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

revoke all on public.audit_checkpoints from public, anon, authenticated, service_role;
grant select on public.audit_checkpoints to authenticated;

create trigger audit_checkpoints_are_never_changed
  before update or delete or truncate on public.audit_checkpoints
  for each statement execute function private.refuse_change();
alter table public.audit_checkpoints enable always trigger audit_checkpoints_are_never_changed;

-- reading -----------------------------------------------------------------------------------------------------

create function private.checkpoint_json(checkpoint public.audit_checkpoints) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return jsonb_build_object(
    'seq', checkpoint.seq, 'hash', encode(checkpoint.hash, 'hex'), 'jws', checkpoint.jws,
    'created_at', private.rfc3339(checkpoint.created_at));
end $$;

create function private.checkpoints_page(client_id uuid, page_size integer, after bigint, oldest_first boolean)
returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  checkpoints jsonb;
begin
  perform private.require_page_size(checkpoints_page.page_size);
  if oldest_first then
    select coalesce(jsonb_agg(page.item order by page.seq), '[]') into checkpoints from (
      select kept.seq, private.checkpoint_json(kept) as item from public.audit_checkpoints as kept
      where kept.client_id = checkpoints_page.client_id and kept.seq > coalesce(checkpoints_page.after, 0)
      order by kept.seq limit page_size + 1) as page;
  else
    select coalesce(jsonb_agg(page.item order by page.seq desc), '[]') into checkpoints from (
      select kept.seq, private.checkpoint_json(kept) as item from public.audit_checkpoints as kept
      where kept.client_id = checkpoints_page.client_id
        and kept.seq < coalesce(checkpoints_page.after, 9223372036854775807)
      order by kept.seq desc limit page_size + 1) as page;
  end if;
  return private.page_json(checkpoints, page_size, 'seq');
end $$;

create function public.list_checkpoints(
  client_id uuid, page_size integer, after bigint default null, oldest_first boolean default false)
returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_client(list_checkpoints.client_id);
  return private.checkpoints_page(list_checkpoints.client_id, page_size, list_checkpoints.after, oldest_first);
end $$;
comment on function public.list_checkpoints(uuid, integer, bigint, boolean) is 'GET /clients/{id}/checkpoints.';

create function public.list_deployment_checkpoints(
  page_size integer, after bigint default null, oldest_first boolean default false)
returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_admin();
  return private.checkpoints_page(private.deployment(), page_size, list_deployment_checkpoints.after, oldest_first);
end $$;
comment on function public.list_deployment_checkpoints(integer, bigint, boolean) is 'GET /events/checkpoints.';

-- the cron ----------------------------------------------------------------------------------------------------

create function public.list_unsigned_heads(token text, at_most integer) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  monitor_token constant uuid := private.find_token(list_unsigned_heads.token, 'monitor');
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'client_id', due.id, 'seq', due.seq, 'hash', encode(due.hash, 'hex'), 'last', due.last)), '[]')
    from (
      select chains.id, head.seq, head.hash,
        case when kept.seq is not null then jsonb_build_object(
          'jws', kept.jws, 'seq', kept.seq, 'hash', (
            select encode(signed.hash, 'hex') from public.key_events as signed
            where signed.client_id = chains.id and signed.seq = kept.seq)) end as last
      from (select clients.id from public.clients union all select private.deployment()) as chains
      cross join lateral (
        select events.seq, events.hash from public.key_events as events
        where events.client_id = chains.id order by events.seq desc limit 1) as head
      left join lateral (
        select checkpoints.* from public.audit_checkpoints as checkpoints
        where checkpoints.client_id = chains.id order by checkpoints.seq desc limit 1) as kept on true
      where kept.seq is null
        or head.seq > kept.seq and kept.created_at < date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'
        -- This happens only if somebody has rewritten the chain. The edge must see it, so that it can report it.
        or head.seq = kept.seq and head.hash <> kept.hash or head.seq < kept.seq
      -- At random: a chain that does not match its checkpoint is listed at every call and must not crowd out the others.
      order by random()
      limit list_unsigned_heads.at_most) as due);
end $$;
comment on function public.list_unsigned_heads(text, integer) is
  'The last rows of chains that have grown and were not signed today (UTC). Each comes with its last checkpoint and the current hash of the row that this checkpoint names. Definer: a machine token is not a session.';

create function public.store_checkpoints(edge_token text, token text, checkpoints jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  monitor_token constant uuid := private.find_token(store_checkpoints.token, 'monitor');
  stored integer;
begin
  -- Only the edge may store checkpoints. The database cannot verify a signature, and a forged checkpoint would block the
  -- checkpoint of the edge.
  perform private.admit_edge(store_checkpoints.edge_token);
  insert into public.audit_checkpoints (client_id, seq, hash, jws)
    select events.client_id, events.seq, events.hash, given.jws
    from jsonb_to_recordset(store_checkpoints.checkpoints) as given (client_id uuid, seq bigint, jws text)
    join public.key_events as events on events.client_id = given.client_id and events.seq = given.seq
    where private.checkpoint_names(given.jws, events.client_id, events.seq, events.hash)
  on conflict on constraint "a row of a chain has one checkpoint" do nothing;
  get diagnostics stored = row_count;
  return jsonb_build_object('stored', stored);
end $$;
comment on function public.store_checkpoints(text, text, jsonb) is
  'Stores the checkpoints that match a row of their chain as it is now, and returns how many. Definer: a machine token is not a session.';

grant execute on function
  private.checkpoint_json(public.audit_checkpoints), private.checkpoints_page(uuid, integer, bigint, boolean),
  public.list_checkpoints(uuid, integer, bigint, boolean),
  public.list_deployment_checkpoints(integer, bigint, boolean)
to authenticated;
grant execute on function public.list_unsigned_heads(text, integer), public.store_checkpoints(text, text, jsonb) to anon;
