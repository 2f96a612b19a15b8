-- What a bot may sign, and how much of its 24-hour limit is used.

create function private.signing_kinds() returns text[]
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return array['evm.transaction', 'evm.typed_data', 'evm.message', 'solana.transaction', 'solana.message'];
end $$;
comment on function private.signing_kinds() is
  'The kinds of what can be signed. The same list as SIGNING_KINDS in src/signing/signing.ts.';

create table public.bot_policies (
  bot_id uuid primary key,
  client_id uuid not null,
  kinds text[],
  chain_ids text[],
  recipients text[],
  max_value numeric(78, 0),
  max_value_24h numeric(78, 0),
  quarantine_after integer,
  updated_at timestamptz not null default now(),
  constraint "a policy is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id),
  constraint "a policy names known kinds of signing" check (
    private.is_list(kinds, '.') and kinds <@ private.signing_kinds()),
  constraint "a policy names chains by number" check (private.is_list(chain_ids, '^[0-9]{1,78}$')),
  constraint "a policy names recipients by letters and digits" check (
    private.is_list(recipients, '^[0-9A-Za-z]{1,64}$')),
  constraint "values are numbers and not negative" check (
    max_value >= 0 and max_value_24h >= 0 and max_value <> 'NaN' and max_value_24h <> 'NaN'),
  constraint "a bot is quarantined after 1 to 100 failures" check (quarantine_after between 1 and 100),
  constraint "its times can be shown" check (private.is_shown_time(updated_at))
);
comment on table public.bot_policies is
  'Limits on what a bot can sign. Null means unlimited. Values are in the smallest unit of the chain: wei or lamports.';
comment on column public.bot_policies.quarantine_after is
  'After this many failures to sign within an hour, the bot is stopped. Null means never.';
create index bot_policies_by_client on public.bot_policies (client_id);

create table public.value_reservations (
  id uuid primary key default private.uuid_v7(),
  bot_id uuid not null,
  client_id uuid not null,
  value numeric(78, 0) not null,
  created_at timestamptz not null default now(),
  constraint "a reserved value is a number and not negative" check (value >= 0 and value <> 'NaN'),
  constraint "a reservation is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id)
);
comment on table public.value_reservations is
  'The values that count against a 24-hour limit. A row is written in the transaction that releases the key for signing.';
create index value_reservations_by_bot on public.value_reservations (bot_id, created_at);
create index value_reservations_by_client on public.value_reservations (client_id);

alter table public.bot_policies enable row level security;
alter table public.bot_policies force row level security;
alter table public.value_reservations enable row level security;
alter table public.value_reservations force row level security;

create policy "a client sees the policies of its own bots, an admin all" on public.bot_policies
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client sets policies of its own bots, an admin any" on public.bot_policies
  for insert to authenticated
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client changes policies of its own bots, an admin any" on public.bot_policies
  for update to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()))
  with check (client_id = (select private.own_client_id()) or (select private.is_admin()));
create policy "a client sees the reservations of its own bots, an admin all" on public.value_reservations
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant
  select,
  insert (bot_id, client_id, kinds, chain_ids, recipients, max_value, max_value_24h, quarantine_after),
  update (kinds, chain_ids, recipients, max_value, max_value_24h, quarantine_after)
on public.bot_policies to authenticated;
grant select on public.value_reservations to authenticated;

create function private.before_policy_update() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end $$;
comment on function private.before_policy_update() is 'Sets the time of the change, so that no caller can choose it.';
create trigger before_update before update on public.bot_policies
  for each row execute function private.before_policy_update();
create trigger a_share_own_client before insert or update on public.bot_policies
  for each statement when (pg_trigger_depth() = 0) execute function private.share_own_client();

-- requests ----------------------------------------------------------------------------------------------------

create function private.policy_json(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_build_object(
      'bot_id', bots.id, 'kinds', to_jsonb(kinds), 'chain_ids', to_jsonb(chain_ids),
      'recipients', to_jsonb(recipients), 'max_value', max_value::text, 'max_value_24h', max_value_24h::text,
      'quarantine_after', quarantine_after,
      'updated_at', private.rfc3339(policies.updated_at))
    from public.bots left join public.bot_policies as policies on policies.bot_id = bots.id
    where bots.id = policy_json.bot_id);
end $$;

create function public.get_policy(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  policy jsonb := private.policy_json(get_policy.bot_id);
begin
  if policy is null then perform private.raise_not_found(); end if;
  return policy;
end $$;

create function public.set_policy(bot_id uuid, policy jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  owner uuid;
  wanted public.bot_policies;
begin
  select bots.client_id into owner from public.bots where bots.id = set_policy.bot_id;
  if owner is null then perform private.raise_not_found(); end if;
  wanted := jsonb_populate_record(null::public.bot_policies, policy);
  insert into public.bot_policies
    (bot_id, client_id, kinds, chain_ids, recipients, max_value, max_value_24h, quarantine_after)
  values (
    set_policy.bot_id, owner, wanted.kinds, wanted.chain_ids, wanted.recipients, wanted.max_value,
    wanted.max_value_24h, wanted.quarantine_after)
  on conflict on constraint bot_policies_pkey do update set
    kinds = excluded.kinds, chain_ids = excluded.chain_ids, recipients = excluded.recipients,
    max_value = excluded.max_value, max_value_24h = excluded.max_value_24h,
    quarantine_after = excluded.quarantine_after;
  return private.policy_json(set_policy.bot_id);
end $$;
comment on function public.set_policy(uuid, jsonb) is 'PUT /bots/{id}/policy. A member that is absent or null sets no limit.';

grant execute on function
  private.signing_kinds(), private.policy_json(uuid), public.get_policy(uuid), public.set_policy(uuid, jsonb)
to authenticated;
