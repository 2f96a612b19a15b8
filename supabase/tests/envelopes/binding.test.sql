begin;
\ir ../people.psql
select plan(48);

-- What may be wrong with an envelope for anna's key A, each with the text that carries it.
create table tests.wrong_envelopes (flaw text, envelope text);
insert into tests.wrong_envelopes
select 'names another ' || flaw, tests.envelope_of((tests.header('anna', 'A') || change)::text)
from (values
  ('client', jsonb_build_object('sub', tests.client_id('boris'))),
  ('address', '{"address": "B"}'),
  ('chain', '{"chain": "solana"}'),
  ('key id', jsonb_build_object('jti', tests.key_id('B'))),
  ('type', '{"typ": "JWT"}'),
  ('key management', '{"alg": "dir"}'),
  ('cipher', '{"enc": "A128CBC-HS256"}'),
  ('client among several',
  jsonb_build_object('sub', jsonb_build_array(tests.client_id('anna'), tests.client_id('boris')))),
  ('kind of master key id', '{"kid": 1}')
) as headers (flaw, change)
union all
select 'has no ' || member, tests.envelope_of((tests.header('anna', 'A') - member)::text)
from unnest('{alg, enc, typ, kid, sub, chain, address, jti}'::text[]) as member
union all
select 'has a header that is ' || flaw, tests.envelope_of(header)
from (values
  ('a list of one', jsonb_build_array(tests.header('anna', 'A'))::text),
  ('text', '"' || tests.client_id('anna') || '"'),
  ('null', 'null'),
  ('no JSON', 'not a header'),
  ('cut off', left(tests.header('anna', 'A')::text, -1)),
  ('given a zero character', replace(tests.header('anna', 'A')::text, '{', '{"x": "\u0000", ')),
  ('given a client twice',
    replace(tests.header('anna', 'A')::text, '{', '{"sub": "' || tests.client_id('boris') || '", ')),
  ('given a chain twice', replace(tests.header('anna', 'A')::text, '}', ', "chain": "evm"}'))
) as headers (flaw, header)
union all
select flaw, envelope
from tests.envelope('anna', 'A') as good cross join lateral (values
  ('is empty', ''),
  ('is a private key', repeat('4c', 32)),
  ('is five dots', '.....'),
  ('is garbage in the right form', 'AAAA.' || split_part(good, '.', 2) || '.' || split_part(good, '.', 3)
    || '.' || split_part(good, '.', 4) || '.' || split_part(good, '.', 5)),
  ('has a header of impossible length', overlay(good placing 'A.' from position('.' in good) for 1)),
  ('has bytes that are no text', 'gICA' || substring(good from position('.' in good))),
  ('is cut off by a character', left(good, -1)),
  ('is cut off by a part', left(good, -23)),
  ('is longer by a character', good || 'A'),
  ('is longer by a part', good || '.AAAA'),
  ('ends in a line break', good || e'\n'),
  ('is padded', good || '='),
  ('has no ciphertext', regexp_replace(good, '\.[^.]+(\.[^.]+)$', '.\1')),
  ('is twice as long', good || good),
  ('is far too long',
  tests.envelope_of((tests.header('anna', 'A') || jsonb_build_object('x', repeat('x', 4096)))::text))
) as envelopes (flaw, envelope);
grant select on tests.wrong_envelopes to public;

create function tests.put_envelope(envelope text) returns void language sql
begin atomic
  insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
  values (tests.client_id('anna'), 'A', 'evm', tests.key_id('A'), envelope);
end;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select is(tests.refusal(format('select tests.put_envelope(%L)', envelope)), 'PT422 envelope_not_bound',
  'refused: an envelope that ' || flaw)
from tests.wrong_envelopes;
select is(tests.refusal($$select tests.put_envelope(null)$$), 'PT422 envelope_not_bound', 'refused: no envelope');
select is(tests.refusal($$select tests.put_in('anna', 'A')$$), 'allowed', 'the right one is taken');

-- The same law for a rotation, for a wallet's own key and for the owner.
select is((select array_agg(distinct tests.refusal(
    format('update public.trading_keys set key_id = tests.key_id(''A''), encrypted_key = %L', envelope)))
  from tests.wrong_envelopes), array['PT422 envelope_not_bound'], 'none of them can be rotated to');
select is(tests.refusal($$update public.trading_keys set encrypted_key = null$$), 'PT422 envelope_not_bound',
  'nor can nothing');
select is(tests.refusal($$update public.trading_keys set address = 'B'$$), 'PT422 envelope_not_bound',
  'an address is not changed under its envelope');
select is(tests.refusal($$update public.trading_keys set key_id = tests.key_id('B')$$), 'PT422 envelope_not_bound',
  'nor a key id');
select is(tests.refusal(
    $$update public.trading_keys set address = 'B', encrypted_key = tests.envelope_of(
      (tests.header('anna', 'B') || jsonb_build_object('jti', tests.key_id('A')))::text)$$),
  'PT422 envelope_not_bound', 'another private key does not go by an old key id');
select tests.act_as('operator');
select is((select array_agg(distinct tests.refusal(format('update public.trading_keys set encrypted_key = %L
    where client_id = tests.client_id(''anna'')', envelope))) from tests.wrong_envelopes),
  array['PT422 envelope_not_bound'], 'the owner of the tables is refused as well');

select * from finish();
rollback;
