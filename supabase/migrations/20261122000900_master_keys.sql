-- Which envelopes each master key sealed.

create index trading_keys_by_master_key on public.trading_keys (master_key_id, client_id, key_id);
create index bot_wallets_by_master_key on public.bot_wallets (master_key_id, client_id, key_id);

-- counting ----------------------------------------------------------------------------------------------------

create function private.envelope_counts() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    with counts as (
      select master_key_id, count(*) as trading_keys, 0 as copies, 0 as own_keys
      from public.trading_keys group by master_key_id
      union all
      select wallets.master_key_id, 0, count(trading.key_id), count(*) - count(trading.key_id)
      from public.bot_wallets as wallets
      left join public.trading_keys as trading
        on trading.client_id = wallets.client_id and trading.key_id = wallets.key_id
      where wallets.master_key_id is not null group by wallets.master_key_id)
    select coalesce(jsonb_agg(jsonb_build_object(
      'master_key_id', master_key_id, 'trading_keys', trading_keys, 'copies', copies, 'own_keys', own_keys)
      order by master_key_id), '[]')
    from (
      select master_key_id, sum(trading_keys) as trading_keys, sum(copies) as copies, sum(own_keys) as own_keys
      from counts group by master_key_id) as totals);
end $$;
comment on function private.envelope_counts() is
  'How many envelopes each master key has sealed. It reads one snapshot and only indexes.';

create function public.count_envelopes() returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  perform private.require_admin();
  return jsonb_build_object('items', private.envelope_counts());
end $$;
comment on function public.count_envelopes() is 'GET /keys/status.';

create function private.envelopes_between(low text, high text, most integer) returns integer
language plpgsql stable set search_path = '' as $$
begin
  if high is null then
    return (select count(*) from (
      select from public.trading_keys where master_key_id > low
      union all select from public.bot_wallets where master_key_id > low limit most) as others);
  end if;
  return (select count(*) from (
    select from public.trading_keys where master_key_id > low and master_key_id < high
    union all select from public.bot_wallets where master_key_id > low and master_key_id < high
    limit most) as others);
end $$;
comment on function private.envelopes_between(text, text, integer) is
  'How many envelopes were sealed by master keys whose ids are between `low` and `high`, or after `low` if `high` is null. It counts up to `most`.';

create function public.count_unopenable_envelopes(master_key_ids text[]) returns integer
language plpgsql stable security definer set search_path = '' as $$
declare
  most constant integer := 1000;
  total integer := 0;
  low text := '';
  id text;
begin
  if coalesce(cardinality(master_key_ids), 0) not between 1 and 100 then
    raise sqlstate 'PT422' using message = 'The list must have 1 to 100 master keys.', hint = 'validation_failed';
  end if;
  if not exists (select from public.trading_keys where master_key_id = any (master_key_ids))
    and not exists (select from public.bot_wallets where master_key_id = any (master_key_ids))
    -- trading_keys has one row for each client. If only one client has envelopes, the result is a count and not null,
    -- because one client may have stored envelopes that nobody can open.
    and (select count(*) from (select from public.trading_keys limit 2) as clients) > 1
  then
    return null;
  end if;
  -- Counts the ranges of the index between the ids. If all envelopes belong to these master keys, the ranges are empty.
  for id in
    select wanted from (select distinct unnest(master_key_ids) as wanted) as ids
    where wanted is not null order by wanted
  loop
    total := total + private.envelopes_between(low, id, most);
    low := id;
  end loop;
  return least(total + private.envelopes_between(low, null, most), most);
end $$;
comment on function public.count_unopenable_envelopes(text[]) is
  'For GET /ready: how many envelopes were sealed by a master key that is not in this list. 1000 means 1000 or more. Null means all of them: the listed keys sealed nothing, and more than one client has envelopes. Definer: anyone can call GET /ready. It returns no row, no id and no larger number.';

grant execute on function private.envelope_counts(), public.count_envelopes() to authenticated;
grant execute on function public.count_unopenable_envelopes(text[]) to anon;
