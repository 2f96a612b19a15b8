-- A key that has ended stays ended. A kept copy of its row and envelope cannot be stored again, in either table.
begin;
\ir ../people.psql
select plan(70);

-- Copies of rows, made while the keys were held.
create table tests.kept (name text primary key, client_id uuid, address text, key_id uuid, encrypted_key text);
create function tests.keep(name text, person text, address text) returns void language sql security definer as $$
  insert into tests.kept values (
    keep.name, tests.client_id(person), keep.address, tests.key_id(keep.address), tests.envelope(person, keep.address)) $$;
-- The ways to store a key. API roles use the edge token, so that only the key id can be the reason of a rejection.
create table tests.ways (way text primary key, statement text);
insert into tests.ways values
  ('as the first trading key', $$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    select client_id, address, 'evm', key_id, encrypted_key from tests.kept where name = %L$$),
  ('by a rotation', $$update public.trading_keys as t
    set address = kept.address, key_id = kept.key_id, encrypted_key = kept.encrypted_key
    from tests.kept where kept.name = %L and t.client_id = kept.client_id$$),
  ('as a wallet''s own key', $$insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
    select tests.bot_id('spare'), client_id, address, 'evm', key_id, encrypted_key from tests.kept where name = %L$$);
grant select on all tables in schema tests to public;
create function tests.put_back(actor text, name text, way text) returns text language plpgsql as $$
declare
  outcome text;
begin
  perform tests.act_as(actor);
  if actor <> 'operator' then perform private.admit_edge('edge'); end if;
  outcome := tests.refusal(format((select statement from tests.ways where ways.way = put_back.way), name));
  perform tests.act_as('operator');
  return outcome;
end $$;
create function tests.state_of(address text) returns text language sql stable security definer
return (
  select case when ended_at is null then 'held' else 'ended' end from private.key_ids where key_id = tests.key_id(address));
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'own', tests.wallet('anna', 'Aown'));
select tests.setup_bot('anna', 'spare');
select is(array[tests.state_of('A'), tests.state_of('Aown'), tests.state_of('X')], array['held', 'held', null],
  'a key id is held while its key is stored');
select tests.act_as('operator');
select is((select client_id from private.key_ids where key_id = tests.key_id('A')), tests.client_id('anna'), 'a key id belongs to its client');
select tests.keep('the rotated key', 'anna', 'A'), tests.keep('the own key', 'anna', 'Aown');

-- A rewrap keeps its id.
update public.trading_keys set encrypted_key = tests.envelope('anna', 'A', 'evm', 'second') where address = 'A';
select is(tests.state_of('A'), 'held', 'a rewrapped key keeps its id');
select is(tests.put_back('anna', 'the rotated key', 'by a rotation'), 'allowed', 'the older envelope of a held key id is accepted');

-- A rotation ends the old trading key and every own key.
select tests.act_as('anna');
select tests.rotate('anna', 'A2');
select is(array[tests.state_of('A'), tests.state_of('Aown'), tests.state_of('A2')], array['ended', 'ended', 'held'],
  'a rotation ends the trading key and the wallets'' own keys');
select tests.act_as('operator');
select is((select ended_at from private.key_ids where key_id = tests.key_id('A')), now(), 'a key id ends at the time of the rotation');
select is(tests.put_back(actor, name, way), 'PT409 key_id_ended', format('after a rotation, %s writes %s %s -> 409', actor, name, way))
from unnest(array['anna', 'ada', 'operator']) as actor, unnest(array['the rotated key', 'the own key']) as name,
  unnest(array['by a rotation', 'as a wallet''s own key']) as way;
select is(tests.trading_key('anna'), 'A2 version 2 under first', 'the trading key is unchanged after rejected writes');
select is(tests.wallets('anna'), array['first: A2 trading', 'own: A2 trading', 'spare: A2 trading'], 'the wallets are unchanged after rejected writes');
select is(tests.refusal($$select tests.rotate('anna', 'A')$$), 'PT409 key_id_ended', 'rotate_key with a rotated key id -> 409');

-- A revocation ends all keys of the client.
select tests.act_as('anna');
select tests.setup_bot('anna', 'own again', tests.wallet('anna', 'Aown2'));
select tests.act_as('operator');
select tests.keep('the revoked key', 'anna', 'A2'), tests.keep('the revoked own key', 'anna', 'Aown2');
select tests.act_as('anna');
delete from public.trading_keys where client_id = tests.client_id('anna');
select is(array[tests.state_of('A2'), tests.state_of('Aown2')], array['ended', 'ended'],
  'a revocation ends the trading key and the wallets'' own keys');
select is(tests.put_back(actor, name, 'as the first trading key'), 'PT409 key_id_ended',
  format('after a revocation, %s writes %s as the first trading key -> 409', actor, name))
from unnest(array['anna', 'ada', 'operator']) as actor,
  unnest(array['the rotated key', 'the own key', 'the revoked key', 'the revoked own key']) as name;
select is(tests.trading_key('anna'), null, 'the client has no trading key after rejected writes');

-- The rule is by key id: the same private key submitted again is another key.
select tests.submit_again();
select tests.act_as('anna');
select is(tests.refusal($$select tests.put_in('anna', 'A2')$$), 'allowed', 'a revoked private key under a new key id is accepted');
select is(tests.refusal($$select tests.rotate('anna', 'A')$$), 'allowed', 'a rotated private key under a new key id is accepted');
select is(tests.put_back(actor, 'the revoked own key', 'as a wallet''s own key'), 'PT409 key_id_ended',
  'a revoked key id is rejected while the client has another trading key: ' || actor)
from unnest(array['anna', 'ada', 'operator']) as actor;

-- One row that has ended rejects its whole statement.
select tests.act_as('operator');
insert into public.bots (client_id, bot_type, name) values (tests.client_id('anna'), 'evm-grid', 'spare 2');
select tests.keep('a new key', 'anna', 'N');
select is(tests.refusal($$insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
    select tests.bot_id('spare 2'), client_id, address, 'evm', key_id, encrypted_key from tests.kept
    where name in ('a new key', 'the revoked key')$$), 'PT409 key_id_ended', 'a statement with one ended key id and one new one -> 409');
select is(array[(select count(*) from public.bot_wallets where bot_id = tests.bot_id('spare 2'))::text, tests.state_of('N')],
  array['0', null], 'a rejected statement stores neither row and no key id');

-- Another client cannot hold a key id of this client.
select tests.act_as('boris');
select tests.setup_bot('boris', 'his', tests.wallet('boris', 'B'));
select private.admit_edge('edge');
select is(tests.refusal(format($$update public.trading_keys set address = 'B2', key_id = %L, encrypted_key = %L
    where client_id = tests.client_id('boris')$$, id,
    tests.envelope_of(tests.header('boris', 'B2') || jsonb_build_object('jti', id)))), 'PT409 key_id_ended',
  'another client cannot hold the id of a key that ' || what)
from (values ('is held', tests.key_id('A')), ('has ended', (select key_id from tests.kept where name = 'the revoked key'))) as ids (what, id);
select is(tests.state_of('A'), 'held', 'the owner keeps a key id that another client tried to write');

-- An own key ends with the last wallet that holds it, however that happens.
select tests.act_as('ada');
select tests.create_bot('boris', bot, jsonb_build_array(tests.wallet('boris', 'Bown')))
from unnest(array['one', 'two', 'three']) as bot;
select tests.act_as('operator');
delete from public.bot_wallets where bot_id = tests.bot_id('one');
select is(tests.state_of('Bown'), 'held', 'an own key is held while two other wallets hold it');
update public.bot_wallets set key_id = null, encrypted_key = null where bot_id = tests.bot_id('two');
select is(tests.state_of('Bown'), 'held', 'an own key is held while one wallet holds it');
delete from public.bot_wallets where bot_id = tests.bot_id('three');
select is(tests.state_of('Bown'), 'ended', 'an own key ends when its last wallet is deleted');
select tests.submit_again();
insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
  select tests.bot_id('one'), tests.client_id('boris'), 'Bown', 'evm', tests.key_id('Bown'), tests.envelope('boris', 'Bown');
select is(tests.state_of('Bown'), 'held', 'an own key that is submitted again is held under a new id');
update public.bot_wallets set key_id = null, encrypted_key = null where bot_id = tests.bot_id('one') and address = 'Bown';
select is(tests.state_of('Bown'), 'ended', 'an own key ends when its last wallet loses it');

-- An own key that becomes the trading key keeps its id.
select tests.act_as('ada');
select public.add_wallet('edge', tests.bot_id('three'), tests.wallet('boris', 'Bnext'));
select tests.rotate('boris', 'Bnext');
select is(tests.state_of('Bnext'), 'held', 'an own key that becomes the trading key keeps its id');
select is(tests.trading_key('boris'), 'Bnext version 2 under first', 'the own key is the trading key');

-- A key that one statement ends and stores again.
select tests.act_as('operator');
select is(tests.refusal($$with gone as (delete from public.trading_keys where client_id = tests.client_id('boris') returning *)
    insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    select client_id, address, chain, key_id, encrypted_key from gone$$),
  'PT409 key_id_ended', 'one statement that revokes a key and stores it again -> 409');
select is(tests.state_of('Bnext'), 'held', 'the rejected statement ended no key');

-- The rows cannot be removed.
select tests.act_as(actor), is(tests.refusal(statement), '42501', actor || ' cannot: ' || statement)
from unnest(array['anna', 'ada', 'anon']) as actor cross join unnest(array['select * from private.key_ids', 'delete from private.key_ids where true',
  $$insert into private.key_ids (key_id, client_id) values (gen_random_uuid(), tests.client_id('anna'))$$]) as statement;
select tests.act_as('operator');
select is(tests.refusal(statement), 'PT405 append_only', 'the owner of the table cannot: ' || statement)
from unnest(array[
  $$delete from private.key_ids where key_id = tests.key_id('Bown')$$,
  $$update private.key_ids set ended_at = null where key_id = tests.key_id('Bown')$$,
  $$update private.key_ids set ended_at = now() + interval '1 day' where key_id = tests.key_id('Bown')$$,
  $$update private.key_ids set client_id = tests.client_id('anna') where key_id = tests.key_id('Bown')$$,
  $$update private.key_ids set key_id = gen_random_uuid() where key_id = tests.key_id('Bown')$$,
  $$update private.key_ids set held_since = '-infinity' where key_id = tests.key_id('Bown')$$,
  'truncate private.key_ids'
]) as statement;

select * from finish();
rollback;
