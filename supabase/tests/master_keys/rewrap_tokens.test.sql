begin;
\ir ../people.psql
select plan(57);

create function tests.token(name text, scope text, target text default null, ends timestamptz default now() + interval '1 day')
returns void language sql
begin atomic
  insert into public.machine_tokens (name, token_hash, scope, master_key_id, expires_at)
  values (name, decode(tests.hash(name), 'hex'), scope, target, ends);
end;
-- The names are unique, so that envelopes of other tests are not listed.
create function tests.list(token text, batch integer default 100, variadic ids text[] default '{pgtap-new,pgtap-old}')
returns text[] language sql
return (
  select coalesce(array_agg(item ->> 'address' order by item ->> 'address'), '{}')
  from jsonb_array_elements(public.list_envelopes_to_rewrap('edge', token, ids, batch) -> 'items') as item);
create function tests.under(person text, address text, master_key_id text) returns jsonb language sql immutable
return tests.wallet(person, address) || jsonb_build_object(
  'encrypted_key', tests.envelope(person, address, 'evm', master_key_id));
-- What the edge sends back for an envelope that it received.
create function tests.rewrapped(person text, address text, was text default 'pgtap-old', becomes text default 'pgtap-new')
returns jsonb language sql immutable
return jsonb_build_object(
  'client_id', tests.client_id(person), 'key_id', tests.key_id(address),
  'replaced_hash', tests.hash(tests.envelope(person, address, 'evm', was)),
  'encrypted_key', tests.envelope(person, address, 'evm', becomes));
create function tests.rewrap(token text, variadic keys jsonb[]) returns text language sql
return (
  select string_agg(outcome, ' ' order by place)
  from jsonb_array_elements_text(public.rewrap_keys('edge', token, to_jsonb(keys)) -> 'outcomes')
    with ordinality as outcomes (outcome, place));
create function tests.sealed(person text) returns text[] language sql stable security definer
return (
  select coalesce(array_agg(found order by found), '{}') from (
    select format('key %s %s', address, master_key_id) as found from public.trading_keys
    where client_id = tests.client_id(person)
    union all
    select format('%s %s %s', bots.name, address, coalesce(master_key_id, 'empty')) from public.bot_wallets as w
    join public.bots on bots.id = w.bot_id where w.client_id = tests.client_id(person)) as all_of_it);
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'a1', tests.under('anna', 'A', 'pgtap-old'));
select tests.setup_bot('anna', 'a2');
select tests.setup_bot('anna', 'a3', tests.under('anna', 'Aown', 'pgtap-old'));
select public.issue_token(tests.bot_id('a1'), '{}', 'runner', tests.hash('runner'), null);
select tests.act_as('boris');
select tests.setup_bot('boris', 'b', tests.under('boris', 'B', 'pgtap-new'));
select tests.act_as('operator');
select tests.token('rewrap', 'rewrap', 'pgtap-new');
select tests.token('other', 'rewrap', 'pgtap-other');
select tests.token('monitor', 'monitor');

-- Only a valid token of the scope rewrap is accepted.
create table tests.calls (call text);
insert into tests.calls values
  ('select public.list_envelopes_to_rewrap(''edge'', %L, ''{pgtap-new,pgtap-old}'', 10)'),
  ('select public.rewrap_keys(''edge'', %L, jsonb_build_array(tests.rewrapped(''anna'', ''A'')))'),
  ('select public.count_keys_to_rewrap(%L)');
grant select on tests.calls to public;
select tests.act_as('anon');
select is(tests.refusal(format(call, 'runner')), 'PT401 token_invalid', 'the token of a runner -> 401: ' || call) from tests.calls;
select is(tests.refusal(format(call, 'monitor')), 'PT401 token_invalid', 'the token of the monitor -> 401: ' || call) from tests.calls;
select is(tests.refusal(format(call, 'nobody')), 'PT401 token_invalid', 'an unknown token -> 401: ' || call) from tests.calls;
select tests.act_as('ada');
select is(tests.refusal(format(call, 'rewrap')), '42501', 'a session cannot call it, not even an admin: ' || call) from tests.calls;
select tests.act_as('operator');
update public.machine_tokens set expires_at = now() where name = 'rewrap';
select tests.act_as('anon');
select is(tests.refusal(format(call, 'rewrap')), 'PT401 token_invalid', 'an expired token -> 401: ' || call) from tests.calls;
select tests.act_as('operator');
update public.machine_tokens set expires_at = now() + interval '1 day' where name = 'rewrap';
select is(tests.sealed('anna'),
  array['a1 A pgtap-old', 'a2 A pgtap-old', 'a3 Aown pgtap-old', 'key A pgtap-old'], 'the rejected calls moved nothing');

-- The envelopes that are returned.
select tests.act_as('anon');
select is(tests.refusal($$select tests.list('other')$$), 'PT503 rewrap_token_mismatch',
  'a token for another master key -> 503');
select is(tests.refusal($$select tests.list('rewrap', 10, 'pgtap-old', 'pgtap-new')$$), 'PT503 rewrap_token_mismatch',
  'a list that does not begin with the master key of the token -> 503');
select is(tests.refusal(format('select public.list_envelopes_to_rewrap(''edge'', %L, %L, 10)', 'rewrap', ids)),
  'PT503 rewrap_token_mismatch', 'an empty list of master keys -> 503') from unnest(array['{}', null]) as ids;
select is(tests.refusal($$select tests.list('rewrap', 0)$$), 'PT422 validation_failed', 'a batch of 0 -> 422');
select is(tests.refusal($$select tests.list('rewrap', 201)$$), 'PT422 validation_failed', 'a batch of 201 -> 422');
select is(tests.list('rewrap'), array['A', 'Aown'],
  'trading keys and own keys are listed once each, without those that the target sealed');
select is(tests.list('rewrap', 100, 'pgtap-new', 'pgtap-new'), '{}', 'envelopes of the target are not listed, even if it is also named as an older master key');
select is(tests.list('rewrap', 1), array['Aown'], 'envelopes are listed in the order of ids');
select is(tests.list('rewrap', 1), array['A'], 'the next call continues after the last envelope');
select is(tests.list('rewrap', 1), '{}', 'at the end the list is empty');
select is(tests.list('rewrap', 1), array['Aown'], 'after the end, the next call begins again');
select is(tests.list('rewrap', 2), array['A'], 'a batch that is not full is the end');
select is(tests.list('rewrap', 2), array['A', 'Aown'], 'after a batch that is not full, the next call begins again');

-- The envelopes that are accepted.
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'A', 'pgtap-old', 'pgtap-other'))$$),
  'PT422 envelope_row_mismatch', 'an envelope of another master key than the target -> 422');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'A'), tests.rewrapped('anna', 'Aown', 'pgtap-old', 'pgtap-old'))$$),
  'PT422 envelope_row_mismatch', 'a list with an envelope of another master key -> 422');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'A') || '{"encrypted_key": "%%.x"}')$$),
  'PT422 envelope_row_mismatch', 'a text that is not an envelope -> 422');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'X') || '{"encrypted_key": null}')$$),
  'PT422 envelope_row_mismatch', 'null instead of an envelope -> 422');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown') || jsonb_build_object('encrypted_key', tests.envelope('boris', 'Aown', 'evm', 'pgtap-new')))$$),
  'PT422 envelope_row_mismatch', 'an envelope of another client -> 422');
select is(tests.refusal($$select public.rewrap_keys('edge', 'rewrap', '{}')$$), 'PT422 validation_failed', 'an object instead of a list -> 422');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'A', 'pgtap-older'), tests.rewrapped('anna', 'X'),
  tests.rewrapped('boris', 'B', 'pgtap-new')), 'changed changed changed',
  'an envelope is not stored if the hash differs, the key does not exist, or the target sealed the stored envelope');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', key) || '{"replaced_hash": null}'), 'changed',
  'an envelope without the hash of the replaced one is not stored: ' || key) from unnest(array['A', 'Aown', 'X']) as key;
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown'), tests.rewrapped('anna', 'A')), 'moved moved',
  'the listed envelopes are replaced');
select is(tests.sealed('anna'),
  array['a1 A pgtap-new', 'a2 A pgtap-new', 'a3 Aown pgtap-new', 'key A pgtap-new'], 'the envelopes are replaced in every row');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown'), tests.rewrapped('anna', 'A')), 'changed changed',
  'the same envelopes are not stored twice');
select is(tests.list('rewrap'), '{}', 'when all envelopes are moved, the list is empty');
select tests.act_as('operator');
select results_eq($$select format('%s %s by %s', event, address, actor) from public.key_events
    where client_id = tests.client_id('anna') and event = 'key_rewrapped' order by address$$,
  array['key_rewrapped A by operator', 'key_rewrapped Aown by operator'], 'each rewrapped key has one event, for any number of copies');
select is(tests.bots('anna'), array['a1: running', 'a2: running', 'a3: running'], 'a rewrap stops no bot');

-- A rotation or revocation between listing and storing wins.
select tests.act_as('anna');
select public.rotate_key('edge', tests.client_id('anna'), 'A2', 'evm', tests.key_id('A2'), tests.envelope('anna', 'A2', 'evm', 'pgtap-old'));
select tests.act_as('anon');
select is(tests.list('rewrap'), array['A2'], 'a key that was added meanwhile under the older master key is listed too');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'A'), tests.rewrapped('anna', 'Aown')), 'changed changed',
  'a rotated key is not stored again');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select tests.act_as('anon');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'A2')), 'changed', 'a revoked key is not stored again');
select is(tests.sealed('anna'), array['a1 A2 empty', 'a2 A2 empty', 'a3 A2 empty'], 'no wallet holds the revoked key');

-- A call has limited time and leaves the rest to the next call. Here each key takes longer than the time of a call.
select tests.act_as('anna');
select tests.put_in('anna', 'A4');
select tests.act_as('operator');
create function tests.take_time() returns trigger language plpgsql as $$ begin perform pg_sleep(0.12); return null; end $$;
update public.trading_keys set encrypted_key = tests.envelope(person, address, 'evm', 'pgtap-old')
  from (values ('anna', 'A4'), ('boris', 'B')) as kept (person, held) where held = address;
create trigger takes_time after update on public.trading_keys for each row execute function tests.take_time();
select tests.act_as('anon');
select is(string_agg(outcome, ' ' order by outcome), 'deferred moved', 'a call moves at least one key and defers the rest when its time is over')
  from regexp_split_to_table(tests.rewrap('rewrap', tests.rewrapped('anna', 'A4'), tests.rewrapped('boris', 'B')), ' ') as outcome;
select tests.act_as('operator');
drop trigger takes_time on public.trading_keys;
update public.trading_keys set encrypted_key = tests.envelope('boris', 'B', 'evm', 'pgtap-new') where address = 'B';
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));

-- Two different envelopes with one key id, which a client could store.
select tests.act_as('anna');
select tests.put_in('anna', 'A3');
select tests.setup_bot('anna', 'a4', tests.under('anna', 'Aown2', 'pgtap-old'));
select tests.setup_bot('anna', 'a5', tests.under('anna', 'Aown2', 'pgtap-oldest'));
select tests.act_as('anon');
select is(tests.list('rewrap', 100, 'pgtap-new', 'pgtap-old', 'pgtap-oldest'), array['Aown2', 'Aown2'], 'both envelopes are listed');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown2', 'pgtap-oldest')), 'moved', 'one of the envelopes is moved');
select is((tests.sealed('anna'))[4:5], array['a4 Aown2 pgtap-old', 'a5 Aown2 pgtap-new'], 'the other envelope stays');

-- A case that the triggers prevent: a copy of an older envelope. The envelopes that the target sealed are not listed.
select tests.act_as('operator');
alter table public.bot_wallets disable trigger user;
update public.bot_wallets set encrypted_key = tests.envelope('boris', 'B', 'evm', 'pgtap-old') where address = 'B';
alter table public.bot_wallets enable trigger user;
select tests.act_as('anon');
select is(tests.list('rewrap', 100, 'pgtap-new', 'pgtap-old'), array['Aown2', 'B'],
  'a copy under an older master key is listed, although the target sealed the trading key');
select is(tests.rewrap('rewrap', tests.rewrapped('boris', 'B')), 'changed', 'the copy is not replaced, because the trading key has moved');

select tests.act_as('operator');
delete from public.machine_tokens where name = 'rewrap';
select is((select count(*) from private.rewrap_progress as at
    where not exists (select from public.machine_tokens where id = at.token_id)), 0::bigint,
  'when a token is deleted, its progress is deleted too');

select * from finish();
rollback;
