-- The answers that the API returns again if a request is repeated under its Idempotency-Key within 24 hours. Each
-- function that takes `once` looks for a first answer before it locks anything, and keeps its own answer in its last
-- statement: in the transaction that did the work, so that an answer is kept if and only if the work was done.
--
-- What is kept is limited, since nobody is charged for it: at most 1,000 answers for each caller, each without the
-- config of its bot. A repeatable call, such as stopping a bot, keeps none.

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
  -- A bot with 100 wallets, the most that one can have, takes 26 KiB.
  constraint "a kept answer holds no config and at most 32 KiB" check (
    not answer ? 'config' and octet_length(answer::text) <= 32768)
);
comment on table private.kept_answers is 'First answers, by caller and Idempotency-Key. No API role reads or writes it.';
comment on column private.kept_answers.key is 'SHA-256 of the Idempotency-Key.';
comment on column private.kept_answers.fingerprint is
  'HMAC of method, path and body under the Idempotency-Key, which is stored nowhere: it tells nobody else what a body was.';
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
  if not coalesce(once ->> 'key' ~ '^[0-9a-f]{64}$' and once ->> 'fingerprint' ~ '^[0-9a-f]{64}$', false) then
    raise sqlstate 'PT400' using message = 'This is no idempotency key.', hint = 'idempotency_key_malformed';
  end if;
  -- A concurrent request with the same key waits here until the first one has ended, and then reads its answer.
  perform private.wait_for_lock(
    private.name_of_lock('idempotency key of ' || first_answer_to.caller, once ->> 'key'), false);
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
  'The answer to give again, or null: then the work is to be done and its answer kept. once: {key, fingerprint} in hex, or null.';

create function private.raise_key_reused() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT422' using
    message = 'The idempotency key was used for another request.', hint = 'idempotency_key_reused';
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
  -- Somebody has answered since this transaction looked: what it did is undone. A snapshot that is older than that
  -- answer (repeatable read, serializable) fails in the statement itself, with the same code.
  if not found then
    raise sqlstate '40001' using message = 'The idempotency key was answered meanwhile.';
  end if;
  perform private.drop_oldest_answers(keep_answer_to.caller, most_kept);
  perform private.prune_answers(2);
end $$;
comment on function private.keep_answer_to(text, jsonb, text, jsonb) is
  'Keeps the answer, without the config of its bot, so that it can be returned again. Deletes what the caller has beyond its newest 1,000, and two answers that have expired: more than it adds, so that the table stays small by being used.';

create function private.drop_oldest_answers(caller text, at_most integer) returns void
language plpgsql set search_path = '' as $$
declare
  oldest_kept record;
  surplus record;
begin
  -- Two statements: with an offset, "for update" would lock every row that it skips.
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
  'Deletes all answers of a caller but its newest. Waits for nobody: an answer that a concurrent request holds is left to the next call.';

create function private.prune_answers(at_most integer) returns integer
language plpgsql set search_path = '' as $$
declare
  expired record;
  pruned integer := 0;
begin
  -- One by one, by the primary key: a plan for many, made while the table was empty, would read all of it.
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
  'Deletes answers that have expired, the oldest first, and says how many. Waits for nobody.';

-- for sessions ------------------------------------------------------------------------------------------------

create function private.first_answer(once jsonb, operation text) returns jsonb
language sql security definer set search_path = ''
return private.first_answer_to('account ' || auth.uid(), once, operation);
comment on function private.first_answer(jsonb, text) is
  'The caller''s own first answer, or null. Definer: API roles must not read what was answered to others.';

create function private.keep_answer(once jsonb, operation text, answer jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $$
begin
  perform private.keep_answer_to('account ' || auth.uid(), once, operation, answer);
  return answer;
end $$;
comment on function private.keep_answer(jsonb, text, jsonb) is
  'Keeps an answer of the caller''s own, and returns it. Definer: API roles must not write what is answered to others.';

grant execute on function private.first_answer(jsonb, text), private.keep_answer(jsonb, text, jsonb)
to authenticated;
