-- Which key ids were ever held, and which of them have ended. A key id that has ended is held by nobody again.

create table private.key_ids (
  key_id uuid primary key,
  client_id uuid not null,
  held_since timestamptz not null default now(),
  ended_at timestamptz
);
comment on table private.key_ids is
  'Every key id that a client ever held, also after the key itself is gone. ended_at: since when nobody holds it.';
create index key_ids_by_end on private.key_ids (ended_at) where ended_at is not null;
alter table private.key_ids enable row level security;
alter table private.key_ids force row level security;
revoke all on private.key_ids from public, anon, authenticated, service_role;

create function private.hold_key_id() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.key_id is null or tg_op = 'UPDATE' and new.key_id is not distinct from old.key_id then return new; end if;
  insert into private.key_ids (key_id, client_id) values (new.key_id, new.client_id) on conflict do nothing;
  if not exists (
    select from private.key_ids as held
    where held.key_id = new.key_id and held.client_id = new.client_id and held.ended_at is null
  ) then
    raise sqlstate 'PT409' using message = 'This key has ended.', hint = 'key_ended';
  end if;
  return new;
end $$;
comment on function private.hold_key_id() is 'Remembers the id. Definer: API roles cannot write the table.';

create function private.end_key_id() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update private.key_ids set ended_at = now()
    where key_ids.key_id = old.key_id and key_ids.ended_at is null
      and not exists (select from public.trading_keys where trading_keys.key_id = old.key_id)
      and not exists (select from public.bot_wallets where bot_wallets.key_id = old.key_id);
  return null;
end $$;
comment on function private.end_key_id() is 'Definer: API roles cannot write the table.';

create trigger hold_key_id before insert or update of key_id on public.trading_keys
  for each row execute function private.hold_key_id();
create trigger hold_key_id before insert or update of key_id on public.bot_wallets
  for each row execute function private.hold_key_id();
create trigger end_key_id after delete or update of key_id on public.trading_keys
  for each row execute function private.end_key_id();
create trigger end_key_id after delete or update of key_id on public.bot_wallets
  for each row execute function private.end_key_id();
alter table public.trading_keys enable always trigger hold_key_id;
alter table public.bot_wallets enable always trigger hold_key_id;
