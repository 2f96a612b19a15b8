-- Signing: check_out_key, the one function that returns an envelope for signing, and how it applies the policy of a bot. It is
-- security definer: a machine token is not a session, so the caller has the role `anon`, and the token decides instead of
-- row-level security. Its first statement checks the token, and nothing is read before that.

create function private.refuse_by_policy(failure text) returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT403' using message = 'The policy of the bot does not allow this.', hint = 'policy_' || failure;
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
  if policy.max_value_24h is not null then
    -- The lock makes requests for the same bot wait, so that each one counts what the requests before it have reserved.
    select * into policy from public.bot_policies where bot_policies.bot_id = bot.id for update;
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
    and not coalesce(chain_id = any (policy.chain_ids), false)
  then perform private.refuse_by_policy('chain_denied'); end if;
  if kind not in ('evm.transaction', 'solana.transaction') then return reserved; end if;
  if policy.recipients is not null and not (
    cardinality(recipients) > 0 and recipients <@ policy.recipients)
  then perform private.refuse_by_policy('recipient_denied'); end if;
  -- If the value is unknown, it exceeds every limit. If only called programs can hide value, allowed recipients are enough.
  if value is null or (signing @> '{"opaque": true}' and policy.recipients is null) then
    if policy.max_value is not null then perform private.refuse_by_policy('value_exceeded'); end if;
    if policy.max_value_24h is not null then perform private.refuse_by_policy('value_24h_exceeded'); end if;
  end if;
  if value > policy.max_value then perform private.refuse_by_policy('value_exceeded'); end if;
  if policy.max_value_24h is not null and value > 0 then
    select coalesce(sum(earlier.value), 0) into spent from public.value_reservations as earlier
      where earlier.bot_id = bot.id and earlier.created_at > now() - interval '24 hours';
    if spent + (case when reserved then 0 else value end) > policy.max_value_24h then
      perform private.refuse_by_policy('value_24h_exceeded');
    end if;
    if not reserved then
      insert into public.value_reservations (bot_id, client_id, value) values (bot.id, bot.client_id, value);
    end if;
    return true;
  end if;
  return reserved;
end $$;
comment on function private.apply_policy(public.bots, jsonb, boolean) is
  'Rejects what the policy of the bot forbids, and reserves the value of the transaction under the 24-hour limit, unless that was done before. Returns whether the value is reserved. signing: kind, chain_id, recipients and value, opaque if called programs can move value that the edge cannot see, and fee, which is not limited yet.';

create function public.check_out_key(
  edge_token text, token text, bot_id uuid, signing jsonb, wallet text default null, once jsonb default null)
returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  runner constant uuid := private.find_token(check_out_key.token);
  caller constant text := 'token ' || runner;
  bot public.bots;
  claim text;
  first jsonb;
  candidates public.bot_wallets[];
  picked public.bot_wallets;
  reserved boolean;
begin
  -- Only the edge may state what is signed, and only the edge gets the envelope.
  perform private.admit_edge(check_out_key.edge_token);
  bot := private.require_token_bot(runner, check_out_key.bot_id);
  if not coalesce(
    signing ->> 'kind' = any (private.signing_kinds())
    and signing ->> 'value' ~ '^[0-9]{1,78}$' and signing ->> 'digest' ~ '^[0-9a-f]{64}$'
    and jsonb_typeof(signing -> 'recipients') = 'array', false)
  then
    raise sqlstate 'PT422' using message = 'The description of what to sign is malformed.', hint = 'validation_failed';
  end if;
  -- A repeated request is checked again, except for the value, which is reserved only once. So it must describe the same
  -- thing to sign.
  first := private.first_answer_to(caller, once, 'check_out_key');
  claim := encode(sha256(convert_to(
    jsonb_build_object('bot_id', bot.id, 'wallet', check_out_key.wallet, 'signing', signing)::text, 'UTF8')), 'hex');
  if first ->> 'claim' <> claim then perform private.raise_key_reused(); end if;
  -- Every key change, stop and end of a token takes these locks exclusively. So such a change has either ended before this
  -- point, or it begins after this transaction ends. All following statements read the state under these locks.
  perform private.share_client(bot.client_id);
  perform private.wait_for_lock(private.lock_of_bot(bot.id), true, bot.client_id);
  perform private.wait_for_lock(private.lock_of_token(runner), true, bot.client_id);
  bot := private.require_token_bot(private.find_token(check_out_key.token), check_out_key.bot_id);
  if bot.status <> 'running' then
    raise sqlstate 'PT409' using message = 'The bot is not running.', hint = 'bot_not_running';
  end if;
  select array_agg(wallets) into candidates from public.bot_wallets as wallets
    where wallets.client_id = bot.client_id and wallets.bot_id = bot.id
      and (check_out_key.wallet is null or check_out_key.wallet in (wallets.id::text, wallets.address));
  if candidates is null and check_out_key.wallet is not null then perform private.raise_not_found(); end if;
  if cardinality(candidates) > 1 then
    raise sqlstate 'PT409' using message = 'The bot has several wallets. Name one.', hint = 'wallet_ambiguous';
  end if;
  picked := candidates[1];
  if picked.encrypted_key is null then
    raise sqlstate 'PT409' using message = 'The bot has no key.', hint = 'bot_key_missing';
  end if;
  if first is not null and (first ->> 'wallet_id', first ->> 'key_id') <> (picked.id::text, picked.key_id::text) then
    raise sqlstate 'PT409' using
      message = 'The key of the wallet has changed since the first request with this idempotency key.', hint = 'wallet_key_changed';
  end if;
  if picked.chain <> split_part(signing ->> 'kind', '.', 1) then
    raise sqlstate 'PT422' using message = 'The wallet belongs to another chain family.', hint = 'chain_mismatch';
  end if;
  if signing ? 'signers' and not signing -> 'signers' ? picked.address then
    raise sqlstate 'PT422' using message = 'The wallet is not a required signer of this transaction.', hint = 'wallet_not_signer';
  end if;
  reserved := private.apply_policy(bot, signing, coalesce((first ->> 'reserved')::boolean, false));
  perform private.note_use_of_token(runner);
  perform private.record_key_event(
    'key_released', bot.client_id, bot.id, picked.address, picked.chain, picked.key_id, null,
    jsonb_build_object('kind', signing -> 'kind', 'digest', signing -> 'digest', 'token_id', runner)
      || case when first is null then '{}' else jsonb '{"replayed": true}' end);
  if first is null then
    perform private.keep_answer_to(caller, once, 'check_out_key', jsonb_build_object(
      'claim', claim, 'wallet_id', picked.id, 'key_id', picked.key_id, 'reserved', reserved));
  elsif reserved and not (first ->> 'reserved')::boolean then
    -- A 24-hour limit was set since the first request: this request has reserved the value, and later ones reserve nothing.
    update private.kept_answers set answer = kept_answers.answer || '{"reserved": true}'
      where kept_answers.caller = 'token ' || runner and kept_answers.key = decode(once ->> 'key', 'hex');
  end if;
  return jsonb_build_object(
    'client_id', bot.client_id, 'chain', picked.chain, 'address', picked.address, 'key_id', picked.key_id,
    'encrypted_key', picked.encrypted_key, 'replayed', first is not null);
end $$;
comment on function public.check_out_key(text, text, uuid, jsonb, text, jsonb) is
  'POST /bots/{id}/sign: checks token, bot, wallet and policy, reserves the value, records the event and returns the envelope to the edge, in one transaction. Definer: a machine token is not a session.';

grant execute on function public.check_out_key(text, text, uuid, jsonb, text, jsonb) to anon;
