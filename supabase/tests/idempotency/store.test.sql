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

-- Only the functions can read and write stored responses.
select tests.act_as(person), is(tests.refusal(statement), '42501', person || ': ' || statement)
from (values ('anon'), ('anna'), ('ada')) as people (person), (values
  ('select from private.kept_answers'), ('delete from private.kept_answers'),
  ('select private.first_answer_to('''', null, '''')'), ('select private.keep_answer_to('''', null, '''', null)'),
  ('select private.prune_answers(1)')) as statements (statement);
select tests.act_as('anon');
select is(tests.refusal('select private.first_answer(null, '''')'), '42501', 'a caller without a session cannot call first_answer');

-- A response is stored once, and contains nothing secret.
select tests.act_as('operator');
select is(tests.keeping(jsonb_build_object(secret, 'x')), '23514', 'a response with ' || secret || ' is not stored')
from unnest(array['private_key', 'encrypted_key', 'token', 'token_hash', 'signature', 'signed_transaction']) as secret;
select is(tests.keeping(answer), code, 'a response that is not an object is not stored: ' || answer::text)
from (values ('["private_key"]'::jsonb, '23514'), ('"a text"', '22023'), ('null', '22023')) as kept (answer, code);
select is(
  tests.refusal(format('insert into private.kept_answers (caller, key, fingerprint, operation, answer)
    values (%L, %L, %L, %L, %L)', caller, key, fingerprint, operation, answer)), '23514', 'a response ' || what || ' is not stored')
from (values
  ('of an unknown kind of caller', 'eve', sha256(''), sha256(''), 'x', '{}'),
  ('whose caller is the text of a token', 'token tk_' || repeat('x', 33), sha256(''), sha256(''), 'x', '{}'),
  ('under a key that is not hashed', 'account ' || tests.account_id('eve'), 'a key'::bytea, sha256(''), 'x', '{}'),
  ('with a body in place of its fingerprint', 'account ' || tests.account_id('eve'), sha256(''),
    '{"private_key": "0x1"}'::bytea, 'x', '{}'),
  ('of an unknown function', 'account ' || tests.account_id('eve'), sha256(''), sha256(''), 'a text of any length', '{}'),
  ('with a config', 'account ' || tests.account_id('eve'), sha256(''), sha256(''), 'x', '{"config": {}}'),
  ('of more than 32 KiB', 'account ' || tests.account_id('eve'), sha256(''), sha256(''), 'x',
    jsonb_build_object('id', repeat('x', 32768))::text)
) as kept (what, caller, key, fingerprint, operation, answer);
select is(tests.keeping('{"id": 1, "config": {"a": 1}}'), 'allowed', 'a response is stored');
select is(tests.kept('kept'), '[{"id": 1}]', 'a stored response has no config');
select is(tests.keeping('{"id": 2}'), '40001', 'a stored response that has not expired is not replaced');

-- The largest response can be stored: a bot with the maximum number of wallets and the longest name.
select is(tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', %L)', 'account ' || tests.account_id('eve'),
  tests.once('large'), private.bot_json(
    jsonb_populate_record(null::public.bots, jsonb_build_object(
      'id', gen_random_uuid(), 'client_id', gen_random_uuid(), 'bot_type', repeat('x', 64), 'status', 'stopped',
      'name', repeat(U&'\+01F600', 200), 'stop_reason', 'chain_mismatch', 'started_at', now(), 'stopped_at', now(),
      'created_at', now())),
    (select jsonb_agg(jsonb_build_object(
      'id', gen_random_uuid(), 'address', repeat('x', 64), 'chain', 'solana', 'key_source', 'trading',
      'key_id', gen_random_uuid(), 'created_at', private.rfc3339(now()))) from generate_series(1, 100))))),
  'allowed', 'the largest possible response can be stored');
delete from private.kept_answers where key = decode(tests.once('large') ->> 'key', 'hex');

-- At most the newest 1,000 responses of each caller are stored.
create function tests.ages_of(person text) returns int8range language sql stable security definer
return (
  select int8range(min(age), max(age), '[]') from (
    select (extract(epoch from now() + interval '24 hours' - expires_at))::bigint as age
    from private.kept_answers where caller = 'account ' || tests.account_id(person)) as ages);
insert into private.kept_answers (caller, key, fingerprint, operation, answer, expires_at)
  select 'account ' || tests.account_id(person), sha256(n::text::bytea), sha256(''), 'x', '{}',
    now() + interval '24 hours' - n * interval '1 second'
  from unnest(array['anna', 'boris']) as person, generate_series(1, 1005) as n;
select is(tests.ages_of('boris'), '[1,1005]', 'another caller has 1,005 responses');
select is(tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', ''{}'')',
  'account ' || tests.account_id('anna'), tests.once('newest'))), 'allowed', 'a further response is stored');
select is(tests.ages_of('anna'), '[0,999]', 'only the newest 1,000 responses of the caller stay');
select is(tests.refusal(format('select private.keep_answer_to(%L, %L, ''x'', ''{}'')',
  'account ' || tests.account_id('anna'), tests.once('newer'))), 'allowed', 'one more response is stored');
select is(tests.ages_of('anna'), '[0,998]', 'the oldest response of the caller is deleted');
select is(tests.ages_of('boris'), '[1,1005]', 'the responses of the other caller stay');
delete from private.kept_answers where caller in (
  'account ' || tests.account_id('anna'), 'account ' || tests.account_id('boris'));

-- Each stored response deletes expired ones.
select tests.expire(12, '10 years');
select is(private.prune_answers(4), 4, 'prune_answers deletes at most the given number of expired responses');
select is((select min(expires_at) from private.kept_answers), now() - interval '10 years 8 seconds', 'the oldest responses are deleted first');
select tests.act_as('ada');
select public.create_client('One', 'once-1@pgtap.test', tests.once('k1'));
select is(tests.left_over(), 7::bigint, 'each stored response deletes two expired ones');
select tests.act_as('operator');
select private.prune_answers(1000);
select is(tests.left_over(), 1::bigint, 'prune_answers deletes only expired responses');
select is(jsonb_array_length(tests.kept('k1')), 1, 'a response that has not expired stays');

select * from finish();
rollback;
