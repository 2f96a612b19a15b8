-- What a bot may sign, and the one function that lets an envelope out.

create table public.bot_policies (
  bot_id uuid primary key,
  client_id uuid not null,
  kinds text[],
  chain_ids text[],
  recipients text[],
  max_value numeric(78, 0),
  max_daily_value numeric(78, 0),
  quarantine_after integer,
  updated_at timestamptz not null default now(),
  constraint "a policy is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id),
  constraint "a policy names known kinds of signing" check (kinds <@ array[
    'evm.transaction', 'evm.typed_data', 'evm.message', 'solana.transaction']),
  constraint "a policy's lists have at most 100 members" check (
    coalesce(cardinality(chain_ids), 0) <= 100 and coalesce(cardinality(recipients), 0) <= 100),
  constraint "values are numbers and not negative" check (
    max_value >= 0 and max_daily_value >= 0 and max_value <> 'NaN' and max_daily_value <> 'NaN'),
  constraint "a bot is quarantined after 1 to 100 failures" check (quarantine_after between 1 and 100)
);
comment on table public.bot_policies is
  'Limits on what a bot signs; null is no limit. Values are in the chain''s smallest unit: wei, lamports.';
comment on column public.bot_policies.quarantine_after is
  'Failures to sign within an hour after which the bot is stopped; null is never.';
create index bot_policies_by_client on public.bot_policies (client_id);

create table public.value_reservations (
  id uuid primary key default private.uuid_v7(),
  bot_id uuid not null,
  client_id uuid not null,
  value numeric(78, 0) not null,
  created_at timestamptz not null default now(),
  constraint "a reservation is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id)
);
comment on table public.value_reservations is
  'What was released for signing under a daily limit, in the transaction that released it.';
create index value_reservations_by_bot on public.value_reservations (bot_id, created_at);
create index value_reservations_by_client on public.value_reservations (client_id);

create table public.bot_heartbeats (
  bot_id uuid primary key,
  client_id uuid not null,
  status text not null,
  message text,
  metrics jsonb,
  beat_at timestamptz not null default now(),
  constraint "a heartbeat is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id),
  constraint "a heartbeat says ok, degraded or failing" check (status in ('ok', 'degraded', 'failing')),
  constraint "a heartbeat is short" check (
    coalesce(length(message), 0) <= 1000 and coalesce(octet_length(metrics::text), 0) <= 8192)
);
comment on table public.bot_heartbeats is 'The last thing that each bot''s runner said.';
create index bot_heartbeats_by_client on public.bot_heartbeats (client_id);

alter table public.bot_policies enable row level security;
alter table public.bot_policies force row level security;
alter table public.value_reservations enable row level security;
alter table public.value_reservations force row level security;
alter table public.bot_heartbeats enable row level security;
alter table public.bot_heartbeats force row level security;

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
create policy "a client sees the heartbeats of its own bots, an admin all" on public.bot_heartbeats
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant
  select,
  insert (bot_id, client_id, kinds, chain_ids, recipients, max_value, max_daily_value, quarantine_after),
  update (kinds, chain_ids, recipients, max_value, max_daily_value, quarantine_after, updated_at)
on public.bot_policies to authenticated;
grant select on public.value_reservations, public.bot_heartbeats to authenticated;

-- tokens ------------------------------------------------------------------------------------------------------

create function private.token_json(token_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_build_object(
      'id', tokens.id, 'name', tokens.name,
      'bot_ids', (
        select coalesce(jsonb_agg(bots.bot_id order by bots.bot_id), '[]')
        from public.machine_token_bots as bots where bots.token_id = tokens.id),
      'created_at', private.rfc3339(tokens.created_at), 'expires_at', private.rfc3339(tokens.expires_at),
      'last_used_at', private.rfc3339(tokens.last_used_at))
    from public.machine_tokens as tokens where tokens.id = token_json.token_id);
end $$;

create function public.issue_token(
  bot_id uuid, other_bot_ids uuid[], name text, token_hash text, expires_at timestamptz default null,
  once jsonb default null)
returns jsonb
language plpgsql set search_path = '' as $$
declare
  answer jsonb := private.first_answer(once, 'issue_token');
  owner uuid;
  wanted uuid[] := array(select distinct unnest(array_prepend(issue_token.bot_id, issue_token.other_bot_ids)));
  owners uuid[];
  token_id uuid;
begin
  select array_agg(distinct bots.client_id) into owners from public.bots where bots.id = any (wanted);
  if (select count(*) from public.bots where bots.id = any (wanted)) <> cardinality(wanted) then
    perform private.raise_not_found();
  end if;
  if answer is not null then return answer; end if;
  -- A token over the bots of several clients belongs to none of them: only admins see and revoke it.
  if cardinality(owners) = 1 then owner := owners[1]; end if;
  token_id := private.uuid_v7();
  insert into public.machine_tokens (id, client_id, name, token_hash, expires_at)
    values (token_id, owner, issue_token.name, decode(issue_token.token_hash, 'hex'), issue_token.expires_at);
  insert into public.machine_token_bots (token_id, bot_id, client_id)
    select issue_token_id.id, bots.id, bots.client_id
    from public.bots, (select token_id as id) as issue_token_id where bots.id = any (wanted);
  return private.keep_answer(once, 'issue_token', private.token_json(token_id));
end $$;
comment on function public.issue_token(uuid, uuid[], text, text, timestamptz, jsonb) is
  'POST /bots/{id}/tokens. The hash is the SHA-256 of the token, in hex; where a first answer is given again, no token has it.';

create function public.list_tokens(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from public.bots where bots.id = list_tokens.bot_id) then
    perform private.raise_not_found();
  end if;
  return jsonb_build_object('next_cursor', null, 'items', (
    select coalesce(jsonb_agg(private.token_json(tokens.id) order by tokens.id desc), '[]')
    from public.machine_token_bots as signs join public.machine_tokens as tokens on tokens.id = signs.token_id
    where signs.bot_id = list_tokens.bot_id));
end $$;

create function private.before_token_delete() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(private.name_of_lock('token', encode(old.token_hash, 'hex')));
  return old;
end $$;
comment on function private.before_token_delete() is
  'Waits for the calls that have begun with the token. Definer: API roles cannot read the hash.';
create trigger before_delete before delete on public.machine_tokens
  for each row execute function private.before_token_delete();

create function public.revoke_token(token_id uuid) returns jsonb
language plpgsql set search_path = '' as $$
declare
  revoked jsonb := private.token_json(revoke_token.token_id);
begin
  delete from public.machine_tokens where machine_tokens.id = revoke_token.token_id;
  if not found then perform private.raise_not_found(); end if;
  return revoked;
end $$;
comment on function public.revoke_token(uuid) is 'DELETE /tokens/{id}. From its commit on the token signs for nobody.';

-- policies ----------------------------------------------------------------------------------------------------

create function private.policy_json(bot_id uuid) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  return (
    select jsonb_build_object(
      'bot_id', bots.id, 'kinds', to_jsonb(kinds), 'chain_ids', to_jsonb(chain_ids),
      'recipients', to_jsonb(recipients), 'max_value', max_value::text, 'max_daily_value', max_daily_value::text,
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
    (bot_id, client_id, kinds, chain_ids, recipients, max_value, max_daily_value, quarantine_after)
  values (
    set_policy.bot_id, owner, wanted.kinds, wanted.chain_ids, wanted.recipients, wanted.max_value,
    wanted.max_daily_value, wanted.quarantine_after)
  on conflict on constraint bot_policies_pkey do update set
    kinds = excluded.kinds, chain_ids = excluded.chain_ids, recipients = excluded.recipients,
    max_value = excluded.max_value, max_daily_value = excluded.max_daily_value,
    quarantine_after = excluded.quarantine_after, updated_at = now();
  return private.policy_json(set_policy.bot_id);
end $$;
comment on function public.set_policy(uuid, jsonb) is 'PUT /bots/{id}/policy. What is absent or null is not limited.';

-- what runners call -------------------------------------------------------------------------------------------
-- Security definer: a machine token is not a session, so the caller is `anon`, and the token decides instead of
-- policies. The first statement of each finds it; nothing is read before.

create function private.require_token(token_hash text, scope text default 'bots') returns uuid
language plpgsql set search_path = '' as $$
declare
  token public.machine_tokens;
begin
  if token_hash !~ '^[0-9a-f]{64}$' then
    raise sqlstate 'PT401' using message = 'The machine token is not valid.', hint = 'token_invalid';
  end if;
  -- Shared by all who use the token: its revocation waits for them, and who comes after it finds no token.
  perform pg_advisory_xact_lock_shared(private.name_of_lock('token', require_token.token_hash));
  select * into token from public.machine_tokens
    where machine_tokens.token_hash = decode(require_token.token_hash, 'hex');
  if not found or token.expires_at <= now() or token.scope <> require_token.scope then
    raise sqlstate 'PT401' using message = 'The machine token is not valid.', hint = 'token_invalid';
  end if;
  -- Once a minute is enough to tell a token in use, and signers with one token never wait for one another here.
  if token.last_used_at is null or token.last_used_at < now() - interval '1 minute' then
    update public.machine_tokens set last_used_at = now()
      where machine_tokens.id = (
        select tokens.id from public.machine_tokens as tokens where tokens.id = token.id for update skip locked);
  end if;
  return token.id;
end $$;

create function private.require_token_bot(token_id uuid, bot_id uuid) returns public.bots
language plpgsql set search_path = '' as $$
declare
  bot public.bots;
begin
  select bots.* into bot from public.bots
    join public.machine_token_bots as signs
      on signs.bot_id = bots.id and signs.token_id = require_token_bot.token_id
    where bots.id = require_token_bot.bot_id;
  if not found then perform private.raise_not_found(); end if;
  return bot;
end $$;

create function private.refuse_by_policy(rule text) returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT403' using message = 'The policy of the bot does not allow this.', hint = 'policy_' || rule;
end $$;

create function private.apply_policy(bot public.bots, signing jsonb, reserved boolean) returns boolean
language plpgsql set search_path = '' as $$
declare
  policy public.bot_policies;
  kind text := signing ->> 'kind';
  value numeric := (signing ->> 'value')::numeric;
  chain_id text := signing ->> 'chain_id';
  recipients text[] := array(select jsonb_array_elements_text(signing -> 'recipients'));
  spent numeric;
begin
  select * into policy from public.bot_policies where bot_policies.bot_id = bot.id;
  if not found then return reserved; end if;
  if policy.max_daily_value is not null then
    -- One at a time from here: who comes second counts what the first has reserved.
    select * into policy from public.bot_policies where bot_policies.bot_id = bot.id for update;
  end if;
  -- Limits on transactions mean nothing for a bot that may sign messages: those must be allowed by name.
  if not (kind = any (coalesce(policy.kinds, case
    when policy.recipients is null and policy.max_value is null and policy.max_daily_value is null then array[kind]
    else array['evm.transaction', 'solana.transaction'] end)))
  then perform private.refuse_by_policy('kind'); end if;
  if policy.chain_ids is not null and kind <> 'evm.message'
    and not coalesce(chain_id = any (policy.chain_ids), false)
  then perform private.refuse_by_policy('chain_id'); end if;
  if kind not in ('evm.transaction', 'solana.transaction') then return reserved; end if;
  if policy.recipients is not null and not (
    cardinality(recipients) > 0 and recipients <@ policy.recipients)
  then perform private.refuse_by_policy('recipient'); end if;
  -- A value that cannot be told is above every limit, unless the recipients, all of them, are allowed by name.
  if value is null or (signing @> '{"opaque": true}' and policy.recipients is null) then
    if policy.max_value is not null then perform private.refuse_by_policy('value'); end if;
    if policy.max_daily_value is not null then perform private.refuse_by_policy('daily_value'); end if;
  end if;
  if value > policy.max_value then perform private.refuse_by_policy('value'); end if;
  if policy.max_daily_value is not null and value > 0 then
    select coalesce(sum(earlier.value), 0) into spent from public.value_reservations as earlier
      where earlier.bot_id = bot.id and earlier.created_at > now() - interval '24 hours';
    if spent + (case when reserved then 0 else value end) > policy.max_daily_value then
      perform private.refuse_by_policy('daily_value');
    end if;
    if not reserved then
      insert into public.value_reservations (bot_id, client_id, value) values (bot.id, bot.client_id, value);
    end if;
    return true;
  end if;
  return reserved;
end $$;
comment on function private.apply_policy(public.bots, jsonb, boolean) is
  'Refuses what the bot''s policy forbids, and reserves the value under its daily limit unless it is reserved already; whether it is then. signing: kind, chain_id, recipients, value; opaque where called programs can move value that is not seen.';

create function public.check_out_key(
  token_hash text, bot_id uuid, signing jsonb, wallet text default null, once jsonb default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  token uuid := private.require_token(check_out_key.token_hash);
  bot public.bots := private.require_token_bot(token, check_out_key.bot_id);
  claim text;
  first jsonb;
  candidates public.bot_wallets[];
  picked public.bot_wallets;
  reserved boolean;
begin
  -- Who calls with a token and past the edge is not believed more than the form of what it claims.
  if not coalesce(
    signing ->> 'kind' in ('evm.transaction', 'evm.typed_data', 'evm.message', 'solana.transaction')
    and signing ->> 'value' ~ '^[0-9]{1,78}$' and signing ->> 'digest' ~ '^[0-9a-f]{64}$'
    and jsonb_typeof(signing -> 'recipients') = 'array', false)
  then
    raise sqlstate 'PT422' using message = 'This is no claim of something to sign.', hint = 'validation_failed';
  end if;
  -- Who repeats a request is judged as if it were new, but for the value that it has reserved. So the claim itself has
  -- to be the first one: past the edge a token could make a small claim first and a large one after it.
  first := private.first_answer_to('token ' || token, once, 'check_out_key');
  claim := encode(sha256(convert_to(
    jsonb_build_object('bot_id', bot.id, 'wallet', check_out_key.wallet, 'signing', signing)::text, 'UTF8')), 'hex');
  if first ->> 'claim' <> claim then perform private.raise_key_reused(); end if;
  -- The shared form of the locks that every key change, and every stop, takes: a rotation, revocation or stop has
  -- ended before this goes on, or begins after this has committed. What is read below is read after, and bots
  -- sign side by side.
  perform pg_advisory_xact_lock_shared(private.name_of_lock('keys of client', bot.client_id::text));
  perform pg_advisory_xact_lock_shared(private.name_of_lock('bot', bot.id::text));
  select * into bot from public.bots where bots.id = bot.id;
  if bot.status <> 'running' then
    raise sqlstate 'PT409' using message = 'The bot does not run.', hint = 'bot_not_running';
  end if;
  select array_agg(wallets) into candidates from public.bot_wallets as wallets
    where wallets.client_id = bot.client_id and wallets.bot_id = bot.id
      and (check_out_key.wallet is null or check_out_key.wallet in (wallets.id::text, wallets.address));
  if candidates is null and check_out_key.wallet is not null then perform private.raise_not_found(); end if;
  if cardinality(candidates) > 1 then
    raise sqlstate 'PT409' using message = 'The bot has several wallets: name one.', hint = 'wallet_required';
  end if;
  picked := candidates[1];
  if picked.encrypted_key is null then
    raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_has_no_key';
  end if;
  if first is not null and (first ->> 'wallet_id', first ->> 'key_id') <> (picked.id::text, picked.key_id::text) then
    raise sqlstate 'PT409' using
      message = 'The wallet has another key than when this was first signed.', hint = 'idempotency_key_outdated';
  end if;
  if picked.chain <> split_part(signing ->> 'kind', '.', 1) then
    raise sqlstate 'PT422' using message = 'The wallet is of another chain family.', hint = 'chain_mismatch';
  end if;
  if signing ? 'signers' and not signing -> 'signers' ? picked.address then
    raise sqlstate 'PT422' using message = 'The wallet is not who has to sign this.', hint = 'wallet_not_signer';
  end if;
  reserved := private.apply_policy(bot, signing, coalesce((first ->> 'reserved')::boolean, false));
  perform private.record_key_event(
    'signed', bot.client_id, bot.id, picked.address, picked.chain, picked.key_id, null,
    jsonb_build_object('kind', signing -> 'kind', 'digest', signing -> 'digest', 'token_id', token)
      || case when first is null then '{}' else jsonb '{"replayed": true}' end);
  if first is null then
    perform private.keep_answer_to('token ' || token, once, 'check_out_key', jsonb_build_object(
      'claim', claim, 'wallet_id', picked.id, 'key_id', picked.key_id, 'reserved', reserved));
  elsif reserved and not (first ->> 'reserved')::boolean then
    -- A daily limit was set since: this has reserved the value, the next need not.
    update private.kept_answers set answer = kept_answers.answer || '{"reserved": true}'
      where kept_answers.caller = 'token ' || token and kept_answers.key = decode(once ->> 'key', 'hex');
  end if;
  return jsonb_build_object(
    'client_id', bot.client_id, 'chain', picked.chain, 'address', picked.address, 'key_id', picked.key_id,
    'encrypted_key', picked.encrypted_key, 'replayed', first is not null);
end $$;
comment on function public.check_out_key(text, uuid, jsonb, text, jsonb) is
  'POST /bots/{id}/sign: token, bot, wallet and policy are judged, the value reserved, the event written, and the envelope let out, in one transaction. Definer: a machine token is no session.';

create function public.list_runner_bots(token_hash text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  token uuid := private.require_token(list_runner_bots.token_hash);
begin
  return (
    with running as (
      select bots.* from public.machine_token_bots as signs join public.bots on bots.id = signs.bot_id
      where signs.token_id = token and bots.status = 'running')
    select jsonb_build_object('next_cursor', null, 'items', coalesce(jsonb_agg(jsonb_build_object(
      'id', running.id, 'client_id', running.client_id, 'bot_type', running.bot_type, 'name', running.name,
      'config', running.config, 'status', running.status, 'started_at', private.rfc3339(running.started_at),
      'wallets', coalesce(held.wallets, '[]')) order by running.id), '[]'))
    from running left join private.wallets_of(
      (select client_id from public.machine_tokens where id = token), array(select id from running)) as held
      on held.bot_id = running.id);
end $$;
comment on function public.list_runner_bots(text) is
  'GET /runner/bots: the running bots of a token. Definer: a machine token is no session.';

create function public.record_heartbeat(
  token_hash text, bot_id uuid, status text, message text default null, metrics jsonb default null,
  once jsonb default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  token uuid := private.require_token(record_heartbeat.token_hash);
  bot public.bots := private.require_token_bot(token, record_heartbeat.bot_id);
  answer jsonb := private.first_answer_to('token ' || token, once, 'record_heartbeat');
begin
  if answer is not null then return answer; end if;
  insert into public.bot_heartbeats (bot_id, client_id, status, message, metrics, beat_at)
    values (bot.id, bot.client_id, record_heartbeat.status, record_heartbeat.message, record_heartbeat.metrics, now())
    on conflict on constraint bot_heartbeats_pkey do update set
      status = excluded.status, message = excluded.message, metrics = excluded.metrics, beat_at = excluded.beat_at;
  answer := jsonb_build_object('bot_id', bot.id, 'bot_status', bot.status, 'recorded_at', private.rfc3339(now()));
  perform private.keep_answer_to('token ' || token, once, 'record_heartbeat', answer);
  return answer;
end $$;
comment on function public.record_heartbeat(text, uuid, text, text, jsonb, jsonb) is
  'POST /bots/{id}/heartbeat; the answer says whether the bot should still run. Definer: a machine token is no session.';

grant execute on function
  private.token_json(uuid), private.policy_json(uuid),
  public.issue_token(uuid, uuid[], text, text, timestamptz, jsonb), public.list_tokens(uuid), public.revoke_token(uuid),
  public.get_policy(uuid), public.set_policy(uuid, jsonb)
to authenticated;
grant execute on function
  public.check_out_key(text, uuid, jsonb, text, jsonb), public.list_runner_bots(text),
  public.record_heartbeat(text, uuid, text, text, jsonb, jsonb)
to anon;
