-- After a restore the operator loads a list of ended key ids that is newer than the backup.
begin;
\ir ../people.psql
select plan(30);

create function tests.ended_at(id uuid) returns timestamptz language sql stable security definer
return (select ended_at from private.key_ids where key_id = id);
create function tests.entry(id uuid, person text, ended_at text default '2026-01-02T03:04:05Z') returns jsonb language sql immutable
return jsonb_build_object('key_id', id, 'client_id', tests.client_id(person), 'ended_at', ended_at);
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'own', tests.wallet('anna', 'Aown'));
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select tests.setup_bot('boris', 'b own', tests.wallet('boris', 'Bown'));
select tests.setup_bot('boris', 'b own 2', tests.wallet('boris', 'Bown2'));
select tests.act_as('operator');
create table tests.kept as
  select client_id, address, key_id, encrypted_key from public.trading_keys where client_id = tests.client_id('anna');

select tests.act_as(actor), is(tests.refusal('select private.end_listed_keys(''[]'')'), '42501', actor || ' cannot call end_listed_keys')
from unnest(array['anna', 'ada', 'anon']) as actor;

select tests.act_as('operator');
select is(private.end_listed_keys('[]'), '{"ids_added": 0, "trading_keys_removed": 0, "own_keys_removed": 0}',
  'an empty list changes nothing');
select is(tests.wallets('anna') || tests.wallets('boris'), array['first: A trading', 'own: Aown own',
  'b: B trading', 'b own: Bown own', 'b own 2: Bown2 own'], 'every key is held after an empty list');

-- One list: a trading key, an own key of another client, and ids that the backup does not know.
select is(private.end_listed_keys(jsonb_build_array(
    tests.entry(tests.key_id('A'), 'anna'), tests.entry(tests.key_id('Bown'), 'boris'),
    tests.entry(md5('later key')::uuid, 'anna'), tests.entry(md5('key of a later client')::uuid, 'nobody'))),
  '{"ids_added": 4, "trading_keys_removed": 1, "own_keys_removed": 1}', 'end_listed_keys returns how many ids it added and keys it removed');
select is(tests.trading_key('anna'), null, 'a listed trading key is removed');
select is(tests.wallets('anna'), array['first: A empty', 'own: Aown empty'], 'a removed trading key is a revocation: every wallet of the client is empty');
select is(tests.bots('anna'), array['first: stopped key_revoked', 'own: stopped key_revoked'], 'the bots of a client whose trading key is removed stop');
select is((tests.events('anna'))[4], 'key_revoked A 1 by operator', 'a removed trading key is a key_revoked event');
select is(tests.trading_key('boris'), 'B version 1 under first', 'the other client keeps its trading key');
select is(tests.wallets('boris'), array['b: B trading', 'b own: Bown empty', 'b own 2: Bown2 own'], 'a wallet whose key is not listed keeps it');
select is(tests.bots('boris'), array['b: running', 'b own: stopped key_revoked', 'b own 2: running'], 'a bot without a key stops, and no other bot');
select is(tests.ended_at(id), '2026-01-02T03:04:05Z'::timestamptz, 'the time in the list is stored: ' || what)
from (values ('a key that was held', tests.key_id('A')), ('an own key', tests.key_id('Bown')),
  ('an id that the backup does not know', md5('later key')::uuid),
  ('an id of a client that the backup does not know', md5('key of a later client')::uuid)) as ids (what, id);
select is(tests.ended_at(tests.key_id('Aown')), now(), 'a key that is revoked with a listed key ends now');
select is(tests.ended_at(tests.key_id('B')), null, 'a key that is not listed is held');

-- Listed keys are rejected afterwards.
select is(tests.refusal($$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    select client_id, address, 'evm', key_id, encrypted_key from tests.kept$$), 'PT409 key_ended', 'a listed key is rejected');
select tests.act_as('anna');
select private.admit_edge('edge');
select is(tests.refusal(format($$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    values (tests.client_id('anna'), 'N', 'evm', %L, %L)$$, md5('later key')::uuid,
    tests.envelope_of(tests.header('anna', 'N') || jsonb_build_object('jti', md5('later key')::uuid)))),
  'PT409 key_ended', 'a listed key that the backup does not know is rejected');
select tests.submit_again();
select is(tests.refusal($$select tests.put_in('anna', 'A')$$), 'allowed', 'the same private key under a new key id is accepted');

-- A second list keeps the times of the first, and removes no key that was submitted since.
select tests.act_as('operator');
create table tests.theirs as select key_id from public.trading_keys where client_id = tests.client_id('boris');
select is(private.end_listed_keys(jsonb_build_array(
    tests.entry(md5('later key')::uuid, 'anna', '2026-06-01'), tests.entry((select key_id from tests.theirs), 'boris', null))),
  '{"ids_added": 1, "trading_keys_removed": 1, "own_keys_removed": 0}', 'a second list ends only the ids that are new in it');
select is(tests.ended_at(md5('later key')::uuid), '2026-01-02T03:04:05Z', 'the end of a key id that was listed before is unchanged');
select is(tests.ended_at((select key_id from tests.theirs)), now(), 'an entry without a time ends its key now');
select is(tests.trading_key('anna'), 'A version 2 under first', 'a key that was submitted after the first list is held');
select is(tests.trading_key('boris'), null, 'a trading key in the second list is removed');
select is(tests.refusal(format('select private.end_listed_keys(%L)', list)), outcome, 'a malformed list is rejected: ' || list)
from (values ('[{"client_id": "00000000-0000-0000-0000-000000000001"}]', '23502'), ('{}', '22023'),
  ('[{"key_id": "x"}]', '22P02')) as lists (list, outcome);

select * from finish();
rollback;
