begin;
\ir ../people.psql
\ir once.psql
select plan(36);

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
select is(tests.keeping(answer), '23514', 'nor anything but an object: ' || answer::text)
from unnest(array['["private_key"]', '"a text"', 'null']::jsonb[]) as answer;
select is(
  tests.refusal(format('insert into private.kept_answers (caller, key, fingerprint, operation, answer)
    values (%L, %L, %L, ''x'', ''{}'')', caller, key, fingerprint)), '23514', 'nor ' || what)
from (values
  ('for a caller of no kind', 'eve', sha256(''), sha256('')),
  ('for a token''s text', 'token tk_' || repeat('x', 33), sha256(''), sha256('')),
  ('under a key as it came', 'account ' || tests.account_id('eve'), 'a key'::bytea, sha256('')),
  ('with a body for its fingerprint', 'account ' || tests.account_id('eve'), sha256(''), '{"private_key": "0x1"}'::bytea)
) as kept (what, caller, key, fingerprint);
select is(tests.keeping('{"id": 1}'), 'allowed', 'an answer is kept');
select is(tests.keeping('{"id": 2}'), '40001', 'and not replaced while it is in force');

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
