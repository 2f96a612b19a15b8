begin;
\ir ../people.psql
\ir once.psql
select plan(55);

create function tests.clients_made() returns bigint language sql stable security definer
return (select count(*) from public.clients where email like 'once-%');
create table tests.answers as select null::jsonb as first, null::jsonb as second, null::jsonb as third limit 0;

-- Every function that takes `once` and names a client or a bot. %s is the place of `once`.
create table tests.calls (name text primary key, person text, call text);
insert into tests.calls values
  ('create_bot', 'ada', $$public.create_bot('edge', tests.client_id('boris'), 'evm-grid', 'made', '{"a": 1}', '[]', %s)$$),
  ('setup_bot', 'boris', $$public.setup_bot('edge', tests.client_id('boris'), 'evm-grid', 'another', '{"a": 2}', '{}', %s)$$),
  ('add_wallet', 'ada', $$public.add_wallet('edge', tests.bot_id('b'), tests.wallet('boris', 'B2'), %s)$$),
  ('start_bot', 'boris', $$public.start_bot(tests.bot_id('b'), %s)$$),
  ('issue_token', 'boris',
    $$public.issue_token(tests.bot_id('b'), '{}', 'x', encode(sha256(gen_random_uuid()::text::bytea), 'hex'), null, %s)$$),
  ('rotate_key', 'boris',
    $$public.rotate_key('edge', tests.client_id('boris'), 'B3', 'evm', tests.key_id('B3'), tests.envelope('boris', 'B3'), %s)$$);

create function tests.twice(person text, name text, call text) returns text language plpgsql as $$
declare
  statement text := format('select ' || call, 'tests.once(' || quote_literal(name) || ')');
  first jsonb;
  second jsonb;
begin
  perform tests.act_as(person);
  execute statement into first;
  execute statement into second;
  return case
    when first ? 'replayed' then 'the first is replayed'
    when second = first || '{"replayed": true}' then 'once'
    else 'twice' end;
end $$;
create function tests.by_anna(name text, call text) returns text language plpgsql as $$
begin
  perform tests.act_as('anna');
  return tests.refusal(format('select ' || call, 'tests.once(' || quote_literal(name) || ')'));
end $$;
create function tests.bequeath(person text, name text) returns void language sql security definer
begin atomic
  update private.kept_answers set caller = 'account ' || tests.account_id(person)
    where key = decode(tests.once(name) ->> 'key', 'hex');
end;
comment on function tests.bequeath(text, text) is 'Makes a stored response belong to this person, as if this person had sent the first request and had lost the right since.';
create function tests.traces() returns bigint[] language sql stable security definer
return array[
  (select count(*) from public.bots where client_id = tests.client_id('boris')),
  (select count(*) from public.bot_wallets where client_id = tests.client_id('boris')),
  (select count(*) from public.machine_tokens where client_id = tests.client_id('boris')),
  (select count(*) from private.every_key_event where client_id = tests.client_id('boris')),
  (select key_version from public.clients where id = tests.client_id('boris'))];
grant all on all tables in schema tests to public;
grant execute on all functions in schema tests to public;

-- The same request is carried out only once.
select tests.act_as('ada');
insert into tests.answers values (public.create_client('One', 'once-1@pgtap.test', tests.once('k1')));
update tests.answers set second = public.create_client('One', 'once-1@pgtap.test', tests.once('k1'));
update tests.answers set third = public.create_client('One', 'once-1@pgtap.test', tests.once('k1'));
select is((select first ? 'replayed' from tests.answers), false, 'a first response is the same as without a key');
select is((select second from tests.answers), (select first || '{"replayed": true}' from tests.answers),
  'the second response is the first one, with replayed: true');
select is((select third from tests.answers), (select second from tests.answers), 'every further response is the same');
select is(tests.clients_made(), 1::bigint, 'only one client was created');
select is(tests.refusal($$select public.create_client('One', 'once-1@pgtap.test')$$), 'PT409 email_taken',
  'the same request without the key is carried out');
select is(tests.refusal($$select public.create_client('One', 'once-1@pgtap.test', tests.once('k2'))$$),
  'PT409 email_taken', 'the same request with another key is carried out');
select is(tests.kept('k2'), null, 'an error is not stored');
select isnt(public.create_client('Two', 'once-2@pgtap.test', tests.once('k2')) ->> 'id', null,
  'the key of a rejected request can be used again');

-- A key can be used for one request only.
select is(tests.refusal($$select public.create_client('One', 'once-1@pgtap.test', tests.once('k1', 'another'))$$),
  'PT422 idempotency_key_reused', 'another body with the same key -> 422');
select is(tests.refusal($$select public.start_bot(md5('')::uuid, tests.once('k1'))$$),
  'PT422 idempotency_key_reused', 'another operation with the same key and fingerprint -> 422');
select is(tests.kept('k1'), (select jsonb_build_array(first) from tests.answers), 'the first response stays stored');

-- Each caller has its own keys, and its rights are checked again.
select tests.act_as('operator');
select tests.sign_up('arno');
insert into private.admins (user_id) values (tests.account_id('arno'));
select tests.act_as('arno');
select is(public.create_client('Three', 'once-3@pgtap.test', tests.once('k1')) ? 'replayed', false,
  'the same key of another caller is a different key');
select is(jsonb_array_length(tests.kept('k1')), 2, 'the response of the other caller is stored too');
select tests.act_as('operator');
delete from private.admins where user_id = tests.account_id('arno');
select tests.act_as('arno');
select is(tests.refusal($$select public.create_client('Three', 'once-3@pgtap.test', tests.once('k1'))$$),
  'PT403 admin_required', 'a caller who is no longer an admin does not get the stored response');

-- All other functions.
select bag_eq(
  $$select proname::text from pg_proc where pronamespace = 'public'::regnamespace and 'once' = any (proargnames)$$,
  $$select name from tests.calls union all values ('create_client'), ('check_out_key'), ('record_heartbeat')$$,
  'every function that takes a key is called here, or in signing.test.sql');
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'));
select public.stop_bot(tests.bot_id('b'));
select tests.act_as('operator');
select is(tests.refusal($$select public.start_bot(tests.bot_id('b'), tests.once('k3'))$$), '23502',
  'the operator has no account and cannot use a key');
select is(tests.twice(person, name, call), 'once', name || ' twice with the same key is carried out once')
from tests.calls order by name;
select is(tests.traces(), array[3, 3, 1, 15, 2]::bigint[], 'each call wrote its rows once');
select is(tests.by_anna(name, call), 'PT404 resource_not_found', name || ' by another client with the same key -> 404')
from tests.calls order by name;
select tests.bequeath('anna', name) from tests.calls;
select is(tests.by_anna(name, call), 'PT404 resource_not_found', name || ' does not return the stored response to a caller without access')
from tests.calls order by name;

select tests.bequeath('boris', name) from tests.calls where person = 'ada';
select tests.act_as('boris');
select is(tests.refusal(format('select ' || call, 'tests.once(' || quote_literal(name) || ')')), 'PT403 admin_required',
  name || ' does not return the stored response to a caller who is not an admin')
from tests.calls where person = 'ada' order by name;

-- A stored response has no config. The current config of the bot is returned with it.
select tests.act_as('operator');
create function tests.configured() returns jsonb language sql
return public.create_bot('edge', 
  tests.client_id('anna'), 'evm-grid', 'configured', '{"pair": "first"}', '[]', tests.once('config'));
grant execute on all functions in schema tests to public;
select tests.act_as('ada');
select is(tests.configured() -> 'config', '{"pair": "first"}', 'a first response has the config');
select is((tests.kept('config') -> 0) ? 'config', false, 'the stored response has no config');
select tests.act_as('operator');
update public.bots set config = '{"pair": "second"}' where name = 'configured';
select tests.act_as('ada');
select is(tests.configured(), (tests.kept('config') -> 0) || '{"config": {"pair": "second"}, "replayed": true}',
  'a repeated request gets the first response with the current config');
select tests.act_as('operator');
delete from public.bots where name = 'configured';
select tests.act_as('ada');
select is(tests.configured() -> 'config', '{}', 'a repeated request gets an empty config if the bot was deleted');

-- A stored response expires after a day.
select tests.act_as('ada');
select tests.grow_old('k2', '23 hours 59 minutes');
select ok(public.create_client('Two', 'once-2@pgtap.test', tests.once('k2')) ? 'replayed', 'a response is stored for a day');
select tests.grow_old('k2', '1 minute');
select is(public.create_client('Four', 'once-4@pgtap.test', tests.once('k2', 'another')) ->> 'name', 'Four',
  'after that, the key can be used for any request');
select is(jsonb_array_length(tests.kept('k2')), 1, 'the new response replaces the expired one');
select ok(public.create_client('Four', 'once-4@pgtap.test', tests.once('k2', 'another')) ? 'replayed', 'the response of the other request is stored for a day');
select is(tests.refusal($$select public.create_client('Two', 'once-2@pgtap.test', tests.once('k2'))$$),
  'PT422 idempotency_key_reused', 'the old request with this key -> 422');

-- Values of `once` that a caller sends directly to the REST API.
select is(tests.refusal(format($$select public.create_client('x', 'once-x@pgtap.test', %L)$$, once)),
  'PT400 idempotency_key_malformed', 'malformed: ' || what)
from (values
  ('null', 'null'::jsonb), ('a text', '"text"'), ('a list', '[]'), ('nothing in it', '{}'),
  ('no fingerprint', tests.once('k9') - 'fingerprint'), ('no key', tests.once('k9') - 'key'),
  ('a short key', tests.once('k9') || '{"key": "00"}'),
  ('a number', tests.once('k9') || '{"key": 12}'),
  ('capital letters', jsonb_set(tests.once('k9'), '{fingerprint}', to_jsonb(upper(tests.once('k9') ->> 'fingerprint'))))
) as malformed (what, once);

select * from finish();
rollback;
