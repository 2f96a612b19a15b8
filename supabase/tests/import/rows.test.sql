begin;
\ir ../people.psql
select plan(18);

create function tests.row(change jsonb default '{}') returns private.imported_rows language sql stable
return jsonb_populate_record(null::private.imported_rows, jsonb_build_object(
  'source', 'legacy', 'old_table', 'bots', 'old_id', '1', 'new_id', tests.client_id('anna'),
  'client_id', tests.client_id('anna'), 'imported_at', now()) || change);
create function tests.imported(change jsonb default '{}') returns text language sql
return tests.refusal(format('insert into private.imported_rows select (tests.row(%L)).*', change));
create function tests.key(old_table text) returns jsonb language sql stable
return jsonb_build_object('old_table', old_table, 'address', 'A', 'key_id', tests.key_id('A'));
grant execute on all functions in schema tests to public;

-- Only the operator can read and write imported rows.
select tests.act_as(person), is(tests.refusal(statement), '42501', person || ': ' || statement)
from (values ('anon'), ('anna'), ('ada')) as people (person), (values
  ('select from private.imported_rows'), ('delete from private.imported_rows')) as statements (statement);

select tests.act_as('operator');
select is(tests.imported(), 'allowed', 'an imported row is recorded');
select is(tests.imported('{"new_id": "00000000-0000-0000-0000-000000000001"}'), '23505', 'the same old row is not recorded twice');
select is(tests.imported('{"source": "other"}'), 'allowed', 'the same id of another source is another row');
select is(tests.imported('{"old_table": "clients"}'), 'allowed', 'an old client is recorded with its new client');
select is(tests.imported('{"old_table": "clients", "old_id": "2"}'), '23505', 'a second old client of the source cannot have the same new client');
select is(tests.imported('{"old_table": "clients", "source": "other"}'), 'allowed', 'an old client of another source can have the same new client');
select is(tests.imported(tests.key('trading_keys')), 'allowed', 'an imported key is recorded with its address and key id');
select is(tests.imported(change), '23514', 'rejected: ' || what)
from (values
  ('a key without its address and id', '{"old_table": "bot_wallets"}'::jsonb),
  ('a key without its id', tests.key('bot_wallets') - 'key_id'),
  ('a bot with those of a key', tests.key('bots') || '{"old_id": "2"}'),
  ('a row of another table', '{"old_table": "users"}'),
  ('a source of another form', '{"source": "Legacy"}')) as refused (what, change);

select * from finish();
rollback;
