-- Every key id that was ever held, so that a key that has ended stays ended. If somebody kept a row with its envelope and
-- writes it again, it is rejected. The rule is by key id: the same private key submitted again gets a new key id.

create table private.key_ids (
  key_id uuid primary key,
  client_id uuid not null,
  held_since timestamptz not null default now(),
  ended_at timestamptz,
  constraint "its times can be shown" check (private.is_shown_time(held_since) and private.is_shown_time(ended_at))
);
comment on table private.key_ids is
  'The id of every private key that was ever held, and when the key ended. It has no foreign key, because a list of ended ids that is imported after a restore may name a client that is not in the backup.';
comment on column private.key_ids.ended_at is
  'When the last row that held the key was rotated, revoked or removed. A key id that has ended can never be held again.';
create index key_ids_by_end on private.key_ids (ended_at) where ended_at is not null;

alter table private.key_ids enable row level security;
alter table private.key_ids force row level security;

revoke all on private.key_ids from public, anon, authenticated, service_role;

create function private.hold_key_ids() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  written integer;
  held integer;
begin
  with ids as (
    select distinct written_rows.key_id, written_rows.client_id from written_rows
    where written_rows.key_id is not null),
  recorded as (
    -- The update changes no value. It locks the row, so that a transaction whose snapshot is older than the end of the key
    -- (repeatable read, serializable) fails and does not act on old data.
    insert into private.key_ids as known (key_id, client_id)
      select ids.key_id, ids.client_id from ids order by ids.key_id
      on conflict on constraint key_ids_pkey do update set client_id = excluded.client_id
      where known.client_id = excluded.client_id and known.ended_at is null
      returning known.key_id)
  select (select count(*) from ids), (select count(*) from recorded) into written, held;
  if held < written then
    raise sqlstate 'PT409' using
      message = 'The key with this id has ended, or belongs to another client.', hint = 'key_id_ended';
  end if;
  return null;
end $$;
comment on function private.hold_key_ids() is
  'Records the key ids of the rows that a statement wrote, and rejects a key id that has ended. Definer: API roles have no rights on private.key_ids.';

create function private.end_key_ids() returns trigger
-- Without this setting PostgreSQL plans the queries again for each list of ids.
language plpgsql security definer set search_path = '' set plan_cache_mode = 'force_generic_plan' as $$
declare
  left_ids uuid[];
  client_ids uuid[];
  held_ids uuid[];
begin
  select array_agg(distinct left_rows.key_id), array_agg(distinct left_rows.client_id) into left_ids, client_ids
    from left_rows where left_rows.key_id is not null;
  if left_ids is null then return null; end if;
  -- Arrays, so that PostgreSQL uses the indexes. With the rows in their place it read all wallets of all clients.
  held_ids := array(
    select wallets.key_id from public.bot_wallets as wallets
    where wallets.client_id = any (client_ids) and wallets.key_id = any (left_ids)
    union
    select trading_keys.key_id from public.trading_keys
    where trading_keys.client_id = any (client_ids) and trading_keys.key_id = any (left_ids));
  update private.key_ids as known set ended_at = now()
    where known.key_id = any (left_ids) and known.ended_at is null and known.key_id <> all (held_ids);
  return null;
end $$;
comment on function private.end_key_ids() is
  'After a statement, marks each key id that no row holds any longer as ended. Definer: API roles have no rights on private.key_ids.';

create function private.end_key_id(key_id uuid) returns void
language plpgsql set search_path = '' as $$
begin
  update private.key_ids as known set ended_at = now()
    where known.key_id = end_key_id.key_id and known.ended_at is null;
end $$;
comment on function private.end_key_id(uuid) is
  'Ends a trading key that was rotated or revoked, for its row. end_key_ids runs after the whole statement, so it would not see that one statement ended a key and stored it again.';

-- The triggers fire even if session_replication_role = replica, which turns ordinary triggers off.
create trigger hold_key_ids_of_new after insert on public.trading_keys referencing new table as written_rows
  for each statement execute function private.hold_key_ids();
create trigger hold_key_ids_of_changed after update on public.trading_keys referencing new table as written_rows
  for each statement execute function private.hold_key_ids();
create trigger end_key_ids_of_changed after update on public.trading_keys referencing old table as left_rows
  for each statement execute function private.end_key_ids();
create trigger end_key_ids_of_deleted after delete on public.trading_keys referencing old table as left_rows
  for each statement execute function private.end_key_ids();
create trigger hold_key_ids_of_new after insert on public.bot_wallets referencing new table as written_rows
  for each statement execute function private.hold_key_ids();
create trigger hold_key_ids_of_changed after update on public.bot_wallets referencing new table as written_rows
  for each statement execute function private.hold_key_ids();
create trigger end_key_ids_of_changed after update on public.bot_wallets referencing old table as left_rows
  for each statement execute function private.end_key_ids();
create trigger end_key_ids_of_deleted after delete on public.bot_wallets referencing old table as left_rows
  for each statement execute function private.end_key_ids();
alter table public.trading_keys enable always trigger hold_key_ids_of_new;
alter table public.trading_keys enable always trigger hold_key_ids_of_changed;
alter table public.trading_keys enable always trigger end_key_ids_of_changed;
alter table public.trading_keys enable always trigger end_key_ids_of_deleted;
alter table public.bot_wallets enable always trigger hold_key_ids_of_new;
alter table public.bot_wallets enable always trigger hold_key_ids_of_changed;
alter table public.bot_wallets enable always trigger end_key_ids_of_changed;
alter table public.bot_wallets enable always trigger end_key_ids_of_deleted;

-- A key id can only be added and marked as ended.
create function private.keep_key_ids() returns trigger
language plpgsql set search_path = '' as $$
begin
  if tg_op = 'UPDATE' and (new.key_id, new.client_id, new.held_since) is not distinct from
    (old.key_id, old.client_id, old.held_since) and (old.ended_at is null or new.ended_at = old.ended_at)
  then return new; end if;
  raise sqlstate 'PT405' using message = 'A key id can only be added and marked as ended. It cannot be changed or removed.', hint = 'append_only';
end $$;
create trigger key_ids_are_kept before update or delete on private.key_ids
  for each row execute function private.keep_key_ids();
create trigger key_ids_are_never_truncated before truncate on private.key_ids
  for each statement execute function private.refuse_change();
alter table private.key_ids enable always trigger key_ids_are_kept;
alter table private.key_ids enable always trigger key_ids_are_never_truncated;
