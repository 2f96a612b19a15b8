-- The rotation of the master key: how envelopes move to the newest one.
--
-- To rewrap an envelope means: the edge opens it, seals the same private key under the newest master key, and the database
-- replaces exactly the envelope that it returned. A token of the scope `rewrap` returns ciphertext in bulk. So each such
-- token names its target, the master key that envelopes move to. The database returns no envelope that the target sealed,
-- and accepts only envelopes that the target sealed. When all envelopes have moved, the token returns nothing.

create table private.rewrap_progress (
  token_id uuid primary key,
  client_id uuid not null default '00000000-0000-0000-0000-000000000000',
  key_id uuid not null default '00000000-0000-0000-0000-000000000000',
  constraint "progress is of a machine token"
    foreign key (token_id) references public.machine_tokens (id) on delete cascade
);
comment on table private.rewrap_progress is
  'The last key whose envelope each rewrap token received. The next batch continues after it, so an envelope that cannot be moved does not block the others.';

alter table private.rewrap_progress enable row level security;
alter table private.rewrap_progress force row level security;

-- moving ------------------------------------------------------------------------------------------------------

create function private.master_key_of(envelope text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return split_part(encode(decode(substr(envelope, 89, 88), 'base64'), 'escape'), '"', 1);
exception when data_exception then
  return null;
end $$;
comment on function private.master_key_of(text) is 'The id of the master key that an envelope names, as in the generated columns. For a text that is not an envelope, any value or null.';

create function private.hash_of_envelope(envelope text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return encode(sha256(convert_to(envelope, 'UTF8')), 'hex');
end $$;
comment on function private.hash_of_envelope(text) is 'SHA-256 of an envelope in hex. It tells two envelopes of the same key apart.';

create function private.keys_to_rewrap(target text) returns integer
language plpgsql stable set search_path = '' as $$
begin
  return (
    select count(*) from (
      select client_id, key_id from public.trading_keys where master_key_id < target
      union select client_id, key_id from public.trading_keys where master_key_id > target
      union select client_id, key_id from public.bot_wallets where master_key_id < target
      union select client_id, key_id from public.bot_wallets where master_key_id > target) as keys);
end $$;
comment on function private.keys_to_rewrap(text) is
  'How many private keys are sealed by other master keys than the target. A trading key and its copies count once.';

create function private.envelopes_to_rewrap(
  target text, master_key_ids text[], after_client_id uuid, after_key_id uuid, batch integer)
returns table (client_id uuid, chain text, address text, key_id uuid, encrypted_key text)
language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
begin
  return query
    with keys as (
      -- Reads only the index, once for each master key. A key with a thousand copies is one row.
      select distinct held.client_id, held.key_id, older.id as master_key_id
      from (select distinct unnest(master_key_ids) as id) as older
      cross join lateral (
        (select distinct t.client_id, t.key_id from public.trading_keys as t
          where t.master_key_id = older.id and (t.client_id, t.key_id) > (after_client_id, after_key_id)
          order by t.client_id, t.key_id limit batch)
        union all
        (select distinct w.client_id, w.key_id from public.bot_wallets as w
          where w.master_key_id = older.id and (w.client_id, w.key_id) > (after_client_id, after_key_id)
          order by w.client_id, w.key_id limit batch)) as held
      where older.id <> target
      order by held.client_id, held.key_id limit batch)
    select sealed.* from keys cross join lateral (
      select t.client_id, t.chain, t.address, t.key_id, t.encrypted_key from public.trading_keys as t
        where t.client_id = keys.client_id and t.key_id = keys.key_id and t.master_key_id = keys.master_key_id
      union
      select w.client_id, w.chain, w.address, w.key_id, w.encrypted_key from public.bot_wallets as w
        where w.client_id = keys.client_id and w.key_id = keys.key_id and w.master_key_id = keys.master_key_id) as sealed
    order by sealed.client_id, sealed.key_id limit batch;
end $$;
comment on function private.envelopes_to_rewrap(text, text[], uuid, uuid, integer) is
  'The next envelopes that one of these master keys, but not the target, sealed, in the order of clients and keys.';

create function private.replace_envelope(
  target text, client_id uuid, key_id uuid, replaced_hash text, encrypted_key text)
returns boolean
language plpgsql set search_path = '' as $$
declare
  held record;
begin
  -- Read under the lock. If a rotation or revocation came first, the envelope has changed or is gone.
  select t.address, t.chain, t.master_key_id, private.hash_of_envelope(t.encrypted_key) as hash, true as trading
    into held from public.trading_keys as t
    where t.client_id = replace_envelope.client_id and t.key_id = replace_envelope.key_id;
  if not found then
    select w.address, w.chain, w.master_key_id, private.hash_of_envelope(w.encrypted_key) as hash, false as trading
      into held from public.bot_wallets as w
      where w.client_id = replace_envelope.client_id and w.key_id = replace_envelope.key_id
        and private.hash_of_envelope(w.encrypted_key) = replaced_hash limit 1;
  end if;
  if held.hash is distinct from replaced_hash or held.hash is null or held.master_key_id = target then
    return false;
  end if;
  if held.trading then
    -- The triggers of trading_keys write the envelope to every copy and record the event.
    update public.trading_keys as t set encrypted_key = replace_envelope.encrypted_key
      where t.client_id = replace_envelope.client_id;
    return true;
  end if;
  perform private.require_bound_envelope(
    replace_envelope.encrypted_key, replace_envelope.client_id, held.chain, held.address, replace_envelope.key_id);
  -- The event below describes this change, so the trigger of bot_wallets must not record another one.
  perform set_config('trading_keys.rewrap', 'true', true);
  update public.bot_wallets as w set encrypted_key = replace_envelope.encrypted_key
    where w.client_id = replace_envelope.client_id and w.key_id = replace_envelope.key_id
      and private.hash_of_envelope(w.encrypted_key) = replaced_hash;
  perform set_config('trading_keys.rewrap', 'false', true);
  perform private.record_key_event('key_rewrapped', replace_envelope.client_id, null, held.address, held.chain,
    replace_envelope.key_id, null);
  return true;
end $$;
comment on function private.replace_envelope(text, uuid, uuid, text, text) is
  'Replaces the envelope that has this hash, in every row of the client that still holds it. If no row holds it, nothing changes.';

create function private.rewrap(target text, rewrapped jsonb) returns text[]
language plpgsql set search_path = '' as $$
declare
  began constant timestamptz := clock_timestamp();
  outcomes text[];
  item record;
  handled integer := 0;
begin
  if exists (
    select from jsonb_array_elements(rewrapped) as element
    where private.master_key_of(element ->> 'encrypted_key') is distinct from target)
  then
    raise sqlstate 'PT422' using message = 'The envelope must be sealed by the master key of the token.', hint = 'envelope_row_mismatch';
  end if;
  outcomes := array_fill('deferred'::text, array[jsonb_array_length(rewrapped)]);
  -- Locks last until the commit, so the call must be short. After a tenth of a second, the rest is left to the next call. It
  -- does not wait for the locks of a client whose keys are in use, so the order of clients cannot cause a deadlock.
  for item in
    select (element ->> 'client_id')::uuid as client_id, (element ->> 'key_id')::uuid as key_id,
      element ->> 'replaced_hash' as replaced_hash, element ->> 'encrypted_key' as encrypted_key, place
    from jsonb_array_elements(rewrapped) with ordinality as elements (element, place)
  loop
    exit when handled > 0 and clock_timestamp() > began + interval '100 milliseconds';
    handled := handled + 1;
    outcomes[item.place] := case
      when not private.try_lock_keys(item.client_id, cardinality(outcomes) = 1) then 'busy'
      when private.replace_envelope(
        target, item.client_id, item.key_id, item.replaced_hash, item.encrypted_key) then 'moved'
      else 'changed' end;
  end loop;
  return outcomes;
end $$;
comment on function private.rewrap(text, jsonb) is
  'Stores rewrapped envelopes: [{client_id, key_id, replaced_hash, encrypted_key}]. Returns an outcome for each: moved; changed, if the envelope was replaced or removed meanwhile; busy, if the keys of the client are in use; deferred, if there was no time. If the list has one envelope only, the call waits for the locks.';

-- functions of the cron job -----------------------------------------------------------------------------------

-- The functions are security definer: a machine token is not a session, so the caller has the role `anon`, and the token
-- decides instead of policies. The first statement of each function checks the token, and nothing is read before that.

create function private.target_of_token(token_id uuid) returns text
language plpgsql stable set search_path = '' as $$
begin
  return (select master_key_id from public.machine_tokens where id = target_of_token.token_id);
end $$;

create function public.list_envelopes_to_rewrap(edge_token text, token text, master_key_ids text[], batch integer)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  rewrapper constant uuid := private.find_token(list_envelopes_to_rewrap.token, 'rewrap');
  target constant text := private.target_of_token(rewrapper);
  progress private.rewrap_progress;
  items jsonb;
begin
  -- Two concurrent jobs wait for each other here, before either has locked a row, so they receive different envelopes.
  perform private.wait_for_lock(private.lock_of('progress of rewrapping', rewrapper::text), false);
  perform private.admit_edge(list_envelopes_to_rewrap.edge_token);
  perform private.note_use_of_token(rewrapper);
  if master_key_ids[1] is distinct from target then
    raise sqlstate 'PT503' using message = 'The token was issued for another master key.', hint = 'rewrap_token_mismatch';
  end if;
  if batch is null or batch not between 1 and 200 or cardinality(master_key_ids) > 100 then
    raise sqlstate 'PT422' using message = 'A batch must have 1 to 200 envelopes.', hint = 'validation_failed';
  end if;
  insert into private.rewrap_progress as at (token_id) values (rewrapper)
    on conflict on constraint rewrap_progress_pkey do update set token_id = at.token_id returning * into progress;
  select coalesce(jsonb_agg(jsonb_build_object(
    'client_id', client_id, 'chain', chain, 'address', address, 'key_id', key_id, 'encrypted_key', encrypted_key)
    order by client_id, key_id), '[]') into items
    from private.envelopes_to_rewrap(target, master_key_ids, progress.client_id, progress.key_id, batch);
  if jsonb_array_length(items) < batch then
    delete from private.rewrap_progress where token_id = rewrapper;
  else
    update private.rewrap_progress set
      client_id = (items -> -1 ->> 'client_id')::uuid, key_id = (items -> -1 ->> 'key_id')::uuid
      where token_id = rewrapper;
  end if;
  return jsonb_build_object('items', items, 'last', jsonb_array_length(items) < batch);
end $$;
comment on function public.list_envelopes_to_rewrap(text, text, text[], integer) is
  'The next envelopes to move to the master key of the token. It returns only envelopes that one of the listed master keys sealed. The first listed master key must be the one of the token. Definer: a machine token is not a session.';

create function public.rewrap_keys(edge_token text, token text, rewrapped jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  rewrapper constant uuid := private.find_token(rewrap_keys.token, 'rewrap');
begin
  perform private.admit_edge(rewrap_keys.edge_token);
  if jsonb_typeof(rewrapped) is distinct from 'array' or jsonb_array_length(rewrapped) not between 1 and 200 then
    raise sqlstate 'PT422' using message = 'A batch must have 1 to 200 envelopes.', hint = 'validation_failed';
  end if;
  return jsonb_build_object('outcomes', private.rewrap(private.target_of_token(rewrapper), rewrapped));
end $$;
comment on function public.rewrap_keys(text, text, jsonb) is
  'Stores envelopes that the master key of the token sealed. Each replaces the envelope that was returned for rewrapping. Definer: a machine token is not a session.';

create function public.count_keys_to_rewrap(token text) returns integer
language plpgsql security definer set search_path = '' as $$
declare
  rewrapper constant uuid := private.find_token(count_keys_to_rewrap.token, 'rewrap');
begin
  return private.keys_to_rewrap(private.target_of_token(rewrapper));
end $$;
comment on function public.count_keys_to_rewrap(text) is
  'How many private keys are sealed by other master keys than the one of the token. Definer: a machine token is not a session.';

grant execute on function
  public.list_envelopes_to_rewrap(text, text, text[], integer), public.rewrap_keys(text, text, jsonb),
  public.count_keys_to_rewrap(text)
to anon;
