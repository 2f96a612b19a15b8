begin;
\ir ../people.psql
select plan(73);

-- Faults of an envelope for anna's key A, each with the envelope that has the fault.
create table tests.wrong_envelopes (flaw text, envelope text);
insert into tests.wrong_envelopes
select 'names another ' || flaw, tests.envelope_of(tests.header('anna', 'A') || change)
from (values
  ('client', jsonb_build_object('sub', tests.client_id('boris'))),
  ('address', '{"address": "B"}'),
  ('address of the same letters', '{"address": "a"}'),
  ('chain', '{"chain": "solana"}'),
  ('key id', jsonb_build_object('jti', tests.key_id('B'))),
  ('key id''s spelling', jsonb_build_object('jti', upper(tests.key_id('A')::text))),
  ('type', '{"typ": "JWT"}'),
  ('key management', '{"alg": "dir"}'),
  ('cipher', '{"enc": "A128CBC-HS256"}'),
  ('client among several',
  jsonb_build_object('sub', jsonb_build_array(tests.client_id('anna'), tests.client_id('boris')))),
  ('kind of master key id', '{"kid": 1}')
) as headers (flaw, change)
union all
select 'has ' || flaw, tests.envelope_of(tests.header('anna', 'A') || change)
from (values
  ('an empty master key id', '{"kid": ""}'::jsonb),
  ('a long master key id', jsonb_build_object('kid', repeat('k', 65))),
  ('a master key id with a quotation mark', '{"kid": "\""}'),
  ('a master key id with a space', '{"kid": "first key"}'),
  ('a short iv', jsonb_build_object('iv', repeat('A', 15))),
  ('an iv of another alphabet', jsonb_build_object('iv', repeat('+', 16))),
  ('a long tag', jsonb_build_object('tag', repeat('A', 23))),
  ('a tag with bits left over', jsonb_build_object('tag', repeat('B', 22))),
  ('a member more', '{"zip": "DEF"}'),
  ('a critical member', '{"crit": ["exp"], "exp": 1}')
) as headers (flaw, change)
union all
select 'has no ' || member, tests.envelope_of(tests.header('anna', 'A') - member)
from unnest('{alg, enc, typ, kid, sub, chain, address, jti, iv, tag}'::text[]) as member
union all
select 'has a header that is ' || flaw, tests.envelope_of(header)
from tests.written(tests.header('anna', 'A')) as good cross join lateral (values
  ('a list of one', '[' || good || ']'),
  ('text', '"' || tests.client_id('anna') || '"'),
  ('null', 'null'),
  ('no JSON', 'not a header'),
  ('cut off', left(good, -1)),
  ('written with spaces', tests.header('anna', 'A')::text),
  ('written with a line break at its end', good || e'\n'),
  ('written with an escape', replace(good, 'evm', '\u0065vm')),
  ('written in another order', regexp_replace(good, '("chain":[^,]*),("address":[^,]*)', '\2,\1')),
  ('given a zero character', replace(good, '{', '{"x":"\u0000",')),
  ('given a client twice', replace(good, '{', '{"sub":"' || tests.client_id('boris') || '",')),
  ('given a chain twice', replace(good, '}', ',"chain":"evm"}'))
) as headers (flaw, header)
union all
select 'has ' || case ending when 'fQ' then 'four' else 'two' end || ' bits left over in its header',
  replace(good, ending || '.', case ending when 'fQ' then 'fR.' else 'In1.' end)
from generate_series(1, 3) as letters
cross join tests.envelope('anna', 'A', master_key_id => repeat('k', letters)) as good
cross join right(split_part(good, '.', 1), 2) as last
cross join lateral (select case last when 'fQ' then 'fQ' when 'n0' then 'In0' end as ending) as endings
where ending is not null
union all
select flaw, envelope
from tests.envelope('anna', 'A') as good cross join lateral (values
  ('is empty', ''),
  ('is a private key', repeat('4c', 32)),
  ('is five dots', '.....'),
  ('is garbage in the right form', 'AAAA.' || split_part(good, '.', 2) || '.' || split_part(good, '.', 3)
    || '.' || split_part(good, '.', 4) || '.' || split_part(good, '.', 5)),
  ('has a header of impossible length', overlay(good placing 'A.' from position('.' in good) for 1)),
  ('has a header that is not UTF-8', 'gICA' || substring(good from position('.' in good))),
  ('is cut off by a character', left(good, -1)),
  ('is cut off by a part', left(good, -23)),
  ('is longer by a character', good || 'A'),
  ('is longer by a part', good || '.AAAA'),
  ('ends in a line break', good || e'\n'),
  ('is padded', good || '='),
  ('has no ciphertext', regexp_replace(good, '\.[^.]+(\.[^.]+)$', '.\1')),
  ('is twice as long', good || good),
  ('has a header in padded base64', regexp_replace(good, '\.', '=.')),
  ('is far too long', tests.envelope_of(tests.header('anna', 'A') || jsonb_build_object('x', repeat('x', 4096))))
) as envelopes (flaw, envelope);
grant select on tests.wrong_envelopes to public;

create function tests.put_envelope(envelope text) returns void language sql
begin atomic
  insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id('anna'), 'A', 'evm', tests.key_id('A'), envelope);
end;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select is((select array_agg(distinct tests.refusal(format('select tests.put_envelope(%L)', envelope)))
  from tests.wrong_envelopes), array['PT403 envelope_write_denied'], 'a session without the edge token cannot store any of them');
select is(tests.refusal($$select tests.put_envelope(tests.envelope('anna', 'A'))$$), 'PT403 envelope_write_denied',
  'a session without the edge token cannot store a correct envelope');
select private.admit_edge('edge');
select is(tests.refusal(format('select tests.put_envelope(%L)', envelope)), 'PT422 envelope_row_mismatch',
  'rejected: an envelope that ' || flaw)
from tests.wrong_envelopes;
select is(tests.refusal($$select tests.put_envelope(null)$$), 'PT422 envelope_row_mismatch', 'rejected: no envelope');
select is(tests.refusal($$select tests.put_in('anna', 'A')$$), 'allowed', 'a correct envelope is accepted');

-- The same rules apply to a rotation, an own key of a wallet, and the owner of the tables.
select is((select array_agg(distinct tests.refusal(
    format('update public.trading_keys set key_id = tests.key_id(''A''), encrypted_key = %L', envelope)))
  from tests.wrong_envelopes), array['PT403 envelope_write_denied'], 'a session without the edge token cannot rotate to any of them');
select is(tests.refusal($$update public.trading_keys set address = 'B'$$), 'PT403 envelope_write_denied',
  'a session without the edge token cannot change another column of a key');
select private.admit_edge('edge');
select is((select array_agg(distinct tests.refusal(
    format('update public.trading_keys set key_id = tests.key_id(''A''), encrypted_key = %L', envelope)))
  from tests.wrong_envelopes), array['PT422 envelope_row_mismatch'], 'a rotation to any of them -> 422');
select is(tests.refusal($$update public.trading_keys set encrypted_key = null$$), 'PT422 envelope_row_mismatch',
  'a rotation to null -> 422');
select is(tests.refusal($$update public.trading_keys set address = 'B'$$), 'PT422 envelope_row_mismatch',
  'a change of the address alone -> 422');
select is(tests.refusal($$update public.trading_keys set key_id = tests.key_id('B')$$), 'PT422 envelope_row_mismatch',
  'nor a key id');
select is(tests.refusal(
    $$update public.trading_keys set address = 'B', encrypted_key = tests.envelope_of(
      tests.header('anna', 'B') || jsonb_build_object('jti', tests.key_id('A')))$$),
  'PT422 envelope_row_mismatch', 'another private key under the old key id -> 422');
select tests.act_as('operator');
select is((select array_agg(distinct tests.refusal(format('update public.trading_keys set encrypted_key = %L
    where client_id = tests.client_id(''anna'')', envelope))) from tests.wrong_envelopes),
  array['PT422 envelope_row_mismatch'], 'the owner of the tables cannot write any of them');

select * from finish();
rollback;
