-- Signing: check_out_key, the one function that returns an envelope for signing, and how it applies the policy of a bot. It is
-- security definer: a machine token is not a session, so the caller has the role `anon`, and the token decides instead of
-- row-level security. Its first statement checks the token, and nothing is read before that.

create function private.refuse_by_policy(failure text) returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT403' using message = 'The policy of the bot does not allow this.', hint = 'policy_' || failure;
end $$;

create function private.apply_policy(policy public.bot_policies, signing jsonb, reserved boolean) returns boolean
language plpgsql set search_path = '' as $$
declare
  kind constant text := signing ->> 'kind';
  value constant numeric := (signing ->> 'value')::numeric;
  recipients text[];
  spent numeric;
begin
  if policy.max_value_24h is not null then
    -- The lock makes requests for the same bot wait, so that each one counts what the requests before it have reserved.
    select * into policy from public.bot_policies where bot_policies.bot_id = policy.bot_id for update;
  end if;
  -- A message could bypass the limits on transactions. So if there are limits, messages must be allowed explicitly.
  if not (kind = any (coalesce(policy.kinds, case
    when policy.recipients is null and policy.max_value is null and policy.max_value_24h is null then array[kind]
    else array['evm.transaction', 'solana.transaction'] end)))
    -- Nothing is known of what the signature of a Solana message allows, so no limit lets it pass.
    or (kind = 'solana.message'
      and not (policy.recipients is null and policy.max_value is null and policy.max_value_24h is null))
  then perform private.refuse_by_policy('kind_denied'); end if;
  if policy.chain_ids is not null and kind <> 'evm.message'
    and not coalesce(signing ->> 'chain_id' = any (policy.chain_ids), false)
  then perform private.refuse_by_policy('chain_denied'); end if;
  if kind not in ('evm.transaction', 'solana.transaction') then return reserved; end if;
  if policy.recipients is not null then
    recipients := array(select jsonb_array_elements_text(signing -> 'recipients'));
    if not (cardinality(recipients) > 0 and recipients <@ policy.recipients) then
      perform private.refuse_by_policy('recipient_denied');
    end if;
  end if;
  -- If the value is unknown, it exceeds every limit. If only called programs can hide value, allowed recipients are enough.
  if value is null or (signing @> '{"opaque": true}' and policy.recipients is null) then
    if policy.max_value is not null then perform private.refuse_by_policy('value_exceeded'); end if;
    if policy.max_value_24h is not null then perform private.refuse_by_policy('value_24h_exceeded'); end if;
  end if;
  if value > policy.max_value then perform private.refuse_by_policy('value_exceeded'); end if;
  if policy.max_value_24h is not null and value > 0 then
    select coalesce(sum(earlier.value), 0) into spent from public.value_reservations as earlier
      where earlier.bot_id = policy.bot_id and earlier.created_at > now() - interval '24 hours';
    if spent + (case when reserved then 0 else value end) > policy.max_value_24h then
      perform private.refuse_by_policy('value_24h_exceeded');
    end if;
    if not reserved then
      insert into public.value_reservations (bot_id, client_id, value) values (policy.bot_id, policy.client_id, value);
    end if;
    return true;
  end if;
  return reserved;
end $$;
comment on function private.apply_policy(public.bot_policies, jsonb, boolean) is
  'Rejects what the policy of the bot forbids, and reserves the value of the transaction under the 24-hour limit, unless that was done before. Returns whether the value is reserved. signing: kind, chain_id, recipients and value, opaque if called programs can move value that the edge cannot see, and fee, which is not limited yet.';

create function private.find_signer(
  edge_token text, token text, bot_id uuid, out token_id uuid, out client_id uuid)
language plpgsql set search_path = '' as $$
declare
  runner_hash constant bytea := private.hash_of_token(find_signer.token);
  edge_hash constant bytea := private.hash_of_token(find_signer.edge_token);
  edge_id uuid;
  edge_is_noted boolean;
begin
  select runner.id, edge.id, edge.use_is_noted, signs.client_id into token_id, edge_id, edge_is_noted, client_id
    from private.tokens_in_force as runner
    left join private.tokens_in_force as edge on edge.token_hash = edge_hash and edge.scope = 'edge'
    left join public.machine_token_bots as signs
      on signs.token_id = runner.id and signs.bot_id = find_signer.bot_id and edge.id is not null
    where runner.token_hash = runner_hash and runner.scope = 'bots';
  if token_id is null then perform private.raise_token_invalid(); end if;
  -- Only the edge may state what is signed, and only the edge gets the envelope.
  if edge_id is null then perform private.raise_edge_token_invalid(); end if;
  if not edge_is_noted then perform private.note_use_of_token(edge_id); end if;
  if client_id is null then perform private.raise_not_found(); end if;
end $$;
comment on function private.find_signer(text, text, uuid) is
  'Checks the token of the runner and of the edge, in the way of find_token and admit_edge, and finds the client whose bot the token signs for. One statement, because it runs for every signature.';

create function private.share_for_signing(client_id uuid, bot_id uuid, token_id uuid) returns boolean
language plpgsql set search_path = '' as $$
declare
  gate constant bigint := private.lock_of_gate(share_for_signing.client_id);
  keys constant bigint := private.lock_of_keys(share_for_signing.client_id);
  bot constant bigint := private.lock_of_bot(share_for_signing.bot_id);
  token constant bigint := private.lock_of_token(share_for_signing.token_id);
begin
  -- Tried here first, because a call of wait_for_lock for each lock takes longer than the locks.
  if not pg_try_advisory_xact_lock_shared(gate) then perform private.wait_for_lock(gate, true, share_for_signing.client_id); end if;
  if not pg_try_advisory_xact_lock_shared(keys) then perform private.wait_for_lock(keys, true, share_for_signing.client_id); end if;
  if current_setting('transaction_isolation') <> 'read committed' then
    perform private.require_current_snapshot(share_for_signing.client_id);
  end if;
  if not pg_try_advisory_xact_lock_shared(bot) then perform private.wait_for_lock(bot, true, share_for_signing.client_id); end if;
  if not pg_try_advisory_xact_lock_shared(token) then perform private.wait_for_lock(token, true, share_for_signing.client_id); end if;
  return true;
end $$;
comment on function private.share_for_signing(uuid, uuid, uuid) is
  'Takes the shared locks of signing in the order of the list: gate and keys of the client, as share_client does, then bot and token. Returns true, because plpgsql evaluates an expression faster than PERFORM.';

create function private.was_replaced(client_id uuid, bot_id uuid, address text) returns boolean
language plpgsql stable set search_path = '' as $$
declare
  -- Events have whole milliseconds.
  first_wallet_at constant timestamptz := (
    select date_trunc('milliseconds', min(wallets.created_at)) from public.bot_wallets as wallets
    where wallets.client_id = was_replaced.client_id and wallets.bot_id = was_replaced.bot_id);
  replaced_at constant timestamptz := (
    select date_trunc('milliseconds', trading_keys.rotated_at) from public.trading_keys
    where trading_keys.client_id = was_replaced.client_id);
begin
  return exists (
    select from (
      select chained.event, chained.bot_id, chained.created_at from public.key_events as chained
      where chained.client_id = was_replaced.client_id and chained.address = was_replaced.address
        and chained.event in ('key_added', 'key_rotated', 'wallet_added')
      union all
      select queued.event, queued.bot_id, queued.created_at from private.queued_key_events as queued
      where queued.client_id = was_replaced.client_id and queued.address = was_replaced.address
        and queued.event in ('key_added', 'key_rotated', 'wallet_added')) as held
    where held.created_at < replaced_at
      -- A new trading key is written to every wallet that exists at that time.
      and case held.event when 'wallet_added' then held.bot_id = was_replaced.bot_id
        else held.created_at >= first_wallet_at end);
end $$;
comment on function private.was_replaced(uuid, uuid, text) is
  'Whether a wallet of this bot had the address before the current trading key of the client was stored, which replaced the keys of all wallets. Only called if no wallet of the bot has the address. It reads the events of this client only, so a runner learns nothing about addresses of other clients.';

create function public.check_out_key(
  edge_token text, token text, bot_id uuid, signing jsonb, wallet text default null, once jsonb default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  signer constant record := private.find_signer(check_out_key.edge_token, check_out_key.token, check_out_key.bot_id);
  caller constant text := 'token ' || signer.token_id;
  hash constant bytea := private.hash_of_token(check_out_key.token);
  claim text;
  first jsonb;
  is_shared boolean;
  held record;
  reserved boolean := false;
  event_id uuid;
begin
  if once ? 'find' then
    return jsonb_build_object('filled', private.first_answer_to(caller, once, 'check_out_key') -> 'filled');
  end if;
  -- The characters are checked by ltrim. A regular expression with a count, such as {64}, takes several times as long.
  if not coalesce(
    signing ->> 'kind' = any (private.signing_kinds())
    and length(signing ->> 'value') between 1 and 78 and ltrim(signing ->> 'value', '0123456789') = ''
    and length(signing ->> 'digest') = 64 and ltrim(signing ->> 'digest', '0123456789abcdef') = ''
    and jsonb_typeof(signing -> 'recipients') = 'array', false)
  then
    raise sqlstate 'PT422' using message = 'The description of what to sign is malformed.', hint = 'validation_failed';
  end if;
  if once is not null then
    -- A repeated request is checked again, except for the value, which is reserved only once. So it must describe the same
    -- thing to sign.
    first := private.first_answer_to(caller, once, 'check_out_key');
    claim := encode(sha256(convert_to(jsonb_build_object(
      'bot_id', check_out_key.bot_id, 'wallet', check_out_key.wallet, 'signing', signing)::text, 'UTF8')), 'hex');
    if first ->> 'claim' <> claim then
      -- The edge filled in other fields than for the first request, such as the next nonce. It signs with the first ones.
      if first -> 'filled' <> once -> 'filled' then
        return jsonb_build_object('replayed', true, 'filled', first -> 'filled');
      end if;
      perform private.raise_key_reused();
    end if;
    reserved := coalesce((first ->> 'reserved')::boolean, false);
  end if;
  -- Every key change, stop and end of a token takes these locks exclusively. So such a change has either ended before this
  -- point, or it begins after this transaction ends. The next statement reads the state under these locks.
  is_shared := private.share_for_signing(signer.client_id, check_out_key.bot_id, signer.token_id);
  select runner.use_is_noted, bots.client_id, bots.status, picked.count as candidates, picked.id as wallet_id,
      picked.address, picked.chain, picked.key_id, picked.encrypted_key, policies.bot_id is not null as is_limited, policies as policy
    into held
    from private.tokens_in_force as runner
    left join public.machine_token_bots as signs on signs.token_id = runner.id and signs.bot_id = check_out_key.bot_id
    left join public.bots on bots.id = signs.bot_id
    left join lateral (
      select wallets.id, wallets.address, wallets.chain, wallets.key_id, wallets.encrypted_key, count(*) over ()
      from public.bot_wallets as wallets
      where wallets.client_id = bots.client_id and wallets.bot_id = bots.id
        and (check_out_key.wallet is null or check_out_key.wallet in (wallets.id::text, wallets.address))
      limit 1) as picked on true
    left join public.bot_policies as policies on policies.bot_id = bots.id
    where runner.token_hash = hash and runner.scope = 'bots';
  if not found then perform private.raise_token_invalid(); end if;
  if held.client_id is null then perform private.raise_not_found(); end if;
  if held.status <> 'running' then
    raise sqlstate 'PT409' using message = 'The bot is not running.', hint = 'bot_not_running';
  end if;
  if held.candidates is null and check_out_key.wallet is not null then
    if private.was_replaced(held.client_id, check_out_key.bot_id, check_out_key.wallet) then
      raise sqlstate 'PT409' using message = 'The address of the wallet was replaced.', hint = 'wallet_address_replaced';
    end if;
    perform private.raise_not_found();
  end if;
  if held.candidates > 1 then
    raise sqlstate 'PT409' using message = 'The bot has several wallets. Name one.', hint = 'wallet_ambiguous';
  end if;
  if held.encrypted_key is null then
    raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_key_missing';
  end if;
  if first is not null and (first ->> 'wallet_id', first ->> 'key_id') <> (held.wallet_id::text, held.key_id::text) then
    raise sqlstate 'PT409' using
      message = 'The key of the wallet has changed since the first request with this idempotency key.', hint = 'wallet_key_changed';
  end if;
  if held.chain <> split_part(signing ->> 'kind', '.', 1) then
    raise sqlstate 'PT422' using message = 'The wallet belongs to another chain family.', hint = 'chain_mismatch';
  end if;
  if signing ? 'signers' and not signing -> 'signers' ? held.address then
    raise sqlstate 'PT422' using message = 'The wallet is not a required signer of this transaction.', hint = 'wallet_not_signer';
  end if;
  if held.is_limited then reserved := private.apply_policy(held.policy, signing, reserved); end if;
  if not held.use_is_noted then perform private.note_use_of_token(signer.token_id); end if;
  event_id := private.record_key_event(
    'key_released', held.client_id, check_out_key.bot_id, held.address, held.chain, held.key_id, null,
    jsonb_build_object('kind', signing -> 'kind', 'digest', signing -> 'digest', 'token_id', signer.token_id)
      || case when first is null then '{}' else jsonb '{"replayed": true}' end);
  if once is null then
    null;
  elsif first is null then
    perform private.keep_answer_to(caller, once, 'check_out_key', jsonb_build_object(
      'claim', claim, 'wallet_id', held.wallet_id, 'key_id', held.key_id, 'reserved', reserved)
      || case when once ? 'filled' then jsonb_build_object('filled', once -> 'filled') else '{}' end);
  elsif reserved and not (first ->> 'reserved')::boolean then
    -- A 24-hour limit was set since the first request: this request has reserved the value, and later ones reserve nothing.
    update private.kept_answers set answer = kept_answers.answer || '{"reserved": true}'
      where kept_answers.caller = 'token ' || signer.token_id and kept_answers.key = decode(once ->> 'key', 'hex');
  end if;
  return jsonb_build_object(
    'client_id', held.client_id, 'chain', held.chain, 'address', held.address, 'key_id', held.key_id,
    'encrypted_key', held.encrypted_key, 'replayed', first is not null);
end $$;
comment on function public.check_out_key(text, text, uuid, jsonb, text, jsonb) is
  'POST /bots/{id}/sign: checks token, bot, wallet and policy, reserves the value, records the event and returns the envelope to the edge, in one transaction. once.filled has the fields of a transaction that the edge filled in: if a repeated request has others, the stored ones are returned, and no envelope. With once.find only these fields are returned, or null. Definer: a machine token is not a session.';

grant execute on function public.check_out_key(text, text, uuid, jsonb, text, jsonb) to anon;
