-- Stored responses. If a caller repeats a request with the same Idempotency-Key within 24 hours, the API returns the stored
-- response of the first request. Each function that takes `once` looks for a stored response before it locks anything, and
-- stores its own response in its last statement. The change and the response are in one transaction, so a response is
-- stored if and only if the change is committed.
--
-- Storage is limited: at most 1,000 responses for each caller, each without the config of its bot. A call that can be
-- repeated without harm, such as stopping a bot, stores nothing.

create table private.kept_answers (
  caller text not null,
  key bytea not null,
  fingerprint bytea not null,
  operation text not null,
  answer jsonb not null,
  expires_at timestamptz not null default now() + interval '24 hours',
  primary key (caller, key),
  constraint "a caller is an account or a machine token" check (caller ~ '^(account|token) [0-9a-f-]{36}$'),
  constraint "a key and a fingerprint are hashes" check (octet_length(key) = 32 and octet_length(fingerprint) = 32),
  constraint "an operation is a function's name" check (operation ~ '^[a-z_]{1,40}$'),
  constraint "a kept answer holds no key, envelope, token or signature" check (
    jsonb_typeof(answer) = 'object' and not answer ?| array[
      'private_key', 'encrypted_key', 'token', 'token_hash', 'signature', 'signed_transaction']),
  -- The response for a bot with 100 wallets, the maximum, has 26 KiB.
  constraint "a kept answer holds no config and at most 32 KiB" check (
    not answer ? 'config' and octet_length(answer::text) <= 32768)
);
comment on table private.kept_answers is 'Responses to first requests, by caller and Idempotency-Key. API roles can neither read nor write it.';
comment on column private.kept_answers.key is 'SHA-256 of the Idempotency-Key.';
comment on column private.kept_answers.fingerprint is
  'HMAC of method, path and body. Its key is the Idempotency-Key, which is not stored, so nobody can test guesses of a body against it.';
create index kept_answers_by_expiry on private.kept_answers (expires_at);
create index kept_answers_by_caller on private.kept_answers (caller, expires_at, key);

alter table private.kept_answers enable row level security;
alter table private.kept_answers force row level security;

create function private.first_answer_to(caller text, once jsonb, operation text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  kept private.kept_answers;
begin
  if once is null then return null; end if;
  if not coalesce(
    length(once ->> 'key') = 64 and ltrim(once ->> 'key', '0123456789abcdef') = ''
    and length(once ->> 'fingerprint') = 64 and ltrim(once ->> 'fingerprint', '0123456789abcdef') = '', false)
  then
    raise sqlstate 'PT400' using message = 'The idempotency key or the fingerprint is malformed.', hint = 'idempotency_key_malformed';
  end if;
  -- A concurrent request with the same key waits here until the other request has ended, and then reads its response.
  perform private.wait_for_lock(
    private.lock_of('idempotency key of ' || first_answer_to.caller, once ->> 'key'), false);
  select * into kept from private.kept_answers
    where kept_answers.caller = first_answer_to.caller and kept_answers.key = decode(once ->> 'key', 'hex')
      and kept_answers.expires_at > now();
  if not found then return null; end if;
  if (kept.operation, kept.fingerprint) is distinct from (operation, decode(once ->> 'fingerprint', 'hex')) then
    perform private.raise_key_reused();
  end if;
  return kept.answer || '{"replayed": true}';
end $$;
comment on function private.first_answer_to(text, jsonb, text) is
  'The stored response of a first request, or null. If it is null, the caller does the work and stores its response. once: {key, fingerprint} in hex, or null.';

create function private.raise_key_reused() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT422' using
    message = 'The idempotency key was used for a different request.', hint = 'idempotency_key_reused';
end $$;

create function private.keep_answer_to(caller text, once jsonb, operation text, answer jsonb) returns void
language plpgsql set search_path = '' as $$
declare
  most_kept constant integer := 1000;
begin
  if once is null then return; end if;
  insert into private.kept_answers as kept (caller, key, fingerprint, operation, answer)
  values (
    keep_answer_to.caller, decode(once ->> 'key', 'hex'), decode(once ->> 'fingerprint', 'hex'),
    keep_answer_to.operation, keep_answer_to.answer - 'config')
  on conflict on constraint kept_answers_pkey do update set
    fingerprint = excluded.fingerprint, operation = excluded.operation, answer = excluded.answer,
    expires_at = excluded.expires_at
    where kept.expires_at <= now();
  -- A concurrent request stored a response after this transaction looked. So this transaction is rolled back. If its
  -- snapshot is older than that response (repeatable read, serializable), the statement itself fails with the same code.
  if not found then
    raise sqlstate '40001' using message = 'A concurrent request with the same idempotency key has completed. Retry the request.';
  end if;
  perform private.drop_oldest_answers(keep_answer_to.caller, most_kept);
  perform private.prune_answers(2);
end $$;
comment on function private.keep_answer_to(text, jsonb, text, jsonb) is
  'Stores a response, without the config of its bot. Deletes the responses of the caller except its newest 1,000, and two expired responses of any caller. It deletes more than it adds, so the table stays small.';

create function private.drop_oldest_answers(caller text, at_most integer) returns void
language plpgsql set search_path = '' as $$
declare
  oldest_kept record;
  surplus record;
begin
  -- Two statements, because "for update" with an offset would also lock every row that the offset skips.
  select kept.expires_at, kept.key into oldest_kept from private.kept_answers as kept
    where kept.caller = drop_oldest_answers.caller
    order by kept.expires_at desc, kept.key desc offset at_most - 1 limit 1;
  if not found then return; end if;
  for surplus in
    select kept.key from private.kept_answers as kept
    where kept.caller = drop_oldest_answers.caller
      and (kept.expires_at, kept.key) < (oldest_kept.expires_at, oldest_kept.key)
    order by kept.expires_at, kept.key for update skip locked
  loop
    delete from private.kept_answers as kept
      where kept.caller = drop_oldest_answers.caller and kept.key = surplus.key;
  end loop;
end $$;
comment on function private.drop_oldest_answers(text, integer) is
  'Deletes all responses of a caller except its newest. It never waits: if a concurrent request has locked a response, the next call deletes it.';

create function private.prune_answers(at_most integer) returns integer
language plpgsql set search_path = '' as $$
declare
  expired record;
  pruned integer := 0;
begin
  -- One row at a time, by the primary key. A cached plan for many rows, made while the table was empty, would read all rows.
  for expired in
    select kept.caller, kept.key from private.kept_answers as kept
    where kept.expires_at <= now() order by kept.expires_at limit at_most for update skip locked
  loop
    delete from private.kept_answers as kept where (kept.caller, kept.key) = (expired.caller, expired.key);
    pruned := pruned + 1;
  end loop;
  return pruned;
end $$;
comment on function private.prune_answers(integer) is
  'Deletes expired responses, oldest first, and returns how many were deleted. It never waits for a lock.';

-- for sessions ------------------------------------------------------------------------------------------------

create function private.first_answer(once jsonb, operation text) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if once is null then return null; end if;
  return private.first_answer_to('account ' || auth.uid(), once, operation);
end $$;
comment on function private.first_answer(jsonb, text) is
  'The stored response of the caller''s own first request, or null. Definer: API roles must not read responses of other callers.';

create function private.keep_answer(once jsonb, operation text, answer jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  if once is not null then perform private.keep_answer_to('account ' || auth.uid(), once, operation, answer); end if;
  return answer;
end $$;
comment on function private.keep_answer(jsonb, text, jsonb) is
  'Stores a response for the caller, and returns it. Definer: API roles must not write responses of other callers.';

grant execute on function private.first_answer(jsonb, text), private.keep_answer(jsonb, text, jsonb)
to authenticated;
