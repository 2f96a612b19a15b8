begin;
\ir ../people.psql
\ir once.psql
select plan(47);

create function tests.expire(count integer, age interval) returns void language sql security definer
begin atomic
  insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
    select 'account ' || tests.account_id('eve'), sha256(n::text::bytea), sha256(''), 'x', '{}',
      now() - age - n * interval '1 second'
    from generate_series(1, count) as n;
end;
create function tests.left_over() returns bigint language sql stable security definer
return (select count(*) from private.kept_answers where caller = 'account ' || tests.account_id('eve'));
create function tests.keeping(answer jsonb) returns text language sql
return tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', %L)',
  'account ' || tests.account_id('eve'), tests.once('kept'), answer));
grant execute on all functions in schema tests to public;

-- Nobody but the functions reads or writes it.
select tests.act_as(person), is(tests.refusal(statement), '42501', person || ': ' || statement)
from (values ('anon'), ('anna'), ('ada')) as people (person), (values
  ('select from private.kept_answers'), ('delete from private.kept_answers'),
  ('select private.first_answer_to('''', null, '''')'), ('select private.keep_answer_to('''', null, '''', null)'),
  ('select private.prune_answers(1)')) as statements (statement);
select tests.act_as('anon');
select is(tests.refusal('select private.first_answer(null, '''')'), '42501', 'who is not signed in has no first answer');

-- An answer is kept once, and holds nothing secret.
select tests.act_as('operator');
select is(tests.keeping(jsonb_build_object(secret, 'x')), '23514', 'no ' || secret || ' is kept')
from unnest(array['private_key', 'encrypted_key', 'token', 'token_hash', 'signature', 'signed_transaction']) as secret;
select is(tests.keeping(answer), code, 'nor anything but an object: ' || answer::text)
from (values ('["private_key"]'::jsonb, '23514'), ('"a text"', '22023'), ('null', '22023')) as kept (answer, code);
select is(
  tests.refusal(format('insert into private.kept_answers (caller, key, fingerprint, operation, answer)
    values (%L, %L, %L, %L, %L)', caller, key, fingerprint, operation, answer)), '23514', 'nor ' || what)
from (values
  ('for a caller of no kind', 'eve', sha256(''), sha256(''), 'x', '{}'),
  ('for a token''s text', 'token tk_' || repeat('x', 33), sha256(''), sha256(''), 'x', '{}'),
  ('under a key as it came', 'account ' || tests.account_id('eve'), 'a key'::bytea, sha256(''), 'x', '{}'),
  ('with a body for its fingerprint', 'account ' || tests.account_id('eve'), sha256(''),
    '{"private_key": "0x1"}'::bytea, 'x', '{}'),
  ('of no function', 'account ' || tests.account_id('eve'), sha256(''), sha256(''), 'a text of any length', '{}'),
  ('with a config', 'account ' || tests.account_id('eve'), sha256(''), sha256(''), 'x', '{"config": {}}'),
  ('of more than 32 KiB', 'account ' || tests.account_id('eve'), sha256(''), sha256(''), 'x',
    jsonb_build_object('id', repeat('x', 32768))::text)
) as kept (what, caller, key, fingerprint, operation, answer);
select is(tests.keeping('{"id": 1, "config": {"a": 1}}'), 'allowed', 'an answer is kept');
select is(tests.kept('kept'), '[{"id": 1}]', 'without its config');
select is(tests.keeping('{"id": 2}'), '40001', 'and not replaced while it is in force');

-- The answers with the most wallets that a bot can have, and the longest name, are kept.
select is(tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', %L)', 'account ' || tests.account_id('eve'),
  tests.once('large'), private.bot_json(
    jsonb_populate_record(null::public.bots, jsonb_build_object(
      'id', gen_random_uuid(), 'client_id', gen_random_uuid(), 'bot_type', repeat('x', 64), 'status', 'stopped',
      'name', repeat(U&'\+01F600', 200), 'stop_reason', 'chain_mismatch', 'started_at', now(), 'stopped_at', now(),
      'created_at', now())),
    (select jsonb_agg(jsonb_build_object(
      'id', gen_random_uuid(), 'address', repeat('x', 64), 'chain', 'solana', 'key_source', 'trading',
      'key_id', gen_random_uuid(), 'created_at', private.rfc3339(now()))) from generate_series(1, 100))))),
  'allowed', 'the largest answer there is can be kept');
delete from private.kept_answers where key = decode(tests.once('large') ->> 'key', 'hex');

-- Of each caller the newest 1,000 are kept, and no more.
create function tests.ages_of(person text) returns int8range language sql stable security definer
return (
  select int8range(min(age), max(age), '[]') from (
    select (extract(epoch from now() + interval '24 hours' - expires_at))::bigint as age
    from private.kept_answers where caller = 'account ' || tests.account_id(person)) as ages);
insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
  select 'account ' || tests.account_id(person), sha256(n::text::bytea), sha256(''), 'x', '{}',
    now() + interval '24 hours' - n * interval '1 second'
  from unnest(array['anna', 'boris']) as person, generate_series(1, 1005) as n;
select is(tests.ages_of('boris'), '[1,1005]', 'answers of another caller');
select is(tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', ''{}'')',
  'account ' || tests.account_id('anna'), tests.once('newest'))), 'allowed', 'one more is kept');
select is(tests.ages_of('anna'), '[0,999]', 'and 1,000 in all, the newest');
select is(tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', ''{}'')',
  'account ' || tests.account_id('anna'), tests.once('newer'))), 'allowed', 'another one is kept');
select is(tests.ages_of('anna'), '[0,998]', 'in the place of the oldest');
select is(tests.ages_of('boris'), '[1,1005]', 'and not of another caller''s');
delete from private.kept_answers where caller in (
  'account ' || tests.account_id('anna'), 'account ' || tests.account_id('boris'));

-- Using it keeps it small.
select tests.expire(12, '10 years');
select is(private.prune_answers(4), 4, 'a few that have expired are deleted');
select is((select min(expires_at) from private.kept_answers), now() - interval '10 years 8 seconds', 'the oldest first');
select tests.act_as('ada');
select public.create_client('One', 'once-1@pgtap.test', tests.once('k1'));
select is(tests.left_over(), 7::bigint, 'each answer that is kept deletes two');
select tests.act_as('operator');
select private.prune_answers(1000);
select is(tests.left_over(), 1::bigint, 'the rest at once, and not what has not expired');
select is(jsonb_array_length(tests.kept('k1')), 1, 'such as this');

select * from finish();
rollback;
