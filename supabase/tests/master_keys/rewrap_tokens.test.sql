begin;
\ir ../people.psql
select plan(57);

create function tests.token(name text, scope text, target text default null, ends timestamptz default now() + interval '1 day')
returns void language sql
begin atomic
  insert into public.machine_tokens (name, token_hash, scope, master_key_id, expires_at)
  values (name, decode(tests.hash(name), 'hex'), scope, target, ends);
end;
-- Named so that no envelope of another test is among them.
create function tests.list(token text, batch integer default 100, variadic ids text[] default '{pgtap-new,pgtap-old}')
returns text[] language sql
return (
  select coalesce(array_agg(item ->> 'address' order by item ->> 'address'), '{}')
  from jsonb_array_elements(public.list_envelopes_to_rewrap('edge', token, ids, batch) -> 'items') as item);
create function tests.under(person text, address text, master_key_id text) returns jsonb language sql immutable
return tests.wallet(person, address) || jsonb_build_object(
  'encrypted_key', tests.envelope(person, address, 'evm', master_key_id));
-- What an edge hands back for an envelope that it was handed.
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

-- The token decides, and it alone.
create table tests.calls (call text);
insert into tests.calls values
  ('select public.list_envelopes_to_rewrap(''edge'', %L, ''{pgtap-new,pgtap-old}'', 10)'),
  ('select public.rewrap_keys(''edge'', %L, jsonb_build_array(tests.rewrapped(''anna'', ''A'')))'),
  ('select public.count_keys_to_rewrap(%L)');
grant select on tests.calls to public;
select tests.act_as('anon');
select is(tests.refusal(format(call, 'runner')), 'PT401 token_invalid', 'a runner''s token does not do: ' || call) from tests.calls;
select is(tests.refusal(format(call, 'monitor')), 'PT401 token_invalid', 'nor does the monitor''s: ' || call) from tests.calls;
select is(tests.refusal(format(call, 'nobody')), 'PT401 token_invalid', 'nor nobody''s: ' || call) from tests.calls;
select tests.act_as('ada');
select is(tests.refusal(format(call, 'rewrap')), '42501', 'nor a session, an admin''s included: ' || call) from tests.calls;
select tests.act_as('operator');
update public.machine_tokens set expires_at = now() where name = 'rewrap';
select tests.act_as('anon');
select is(tests.refusal(format(call, 'rewrap')), 'PT401 token_invalid', 'nor one that has ended: ' || call) from tests.calls;
select tests.act_as('operator');
update public.machine_tokens set expires_at = now() + interval '1 day' where name = 'rewrap';
select is(tests.sealed('anna'),
  array['a1 A pgtap-old', 'a2 A pgtap-old', 'a3 Aown pgtap-old', 'key A pgtap-old'], 'and nothing was moved by any of it');

-- What is let out.
select tests.act_as('anon');
select is(tests.refusal($$select tests.list('other')$$), 'PT503 rewrap_token_mismatch',
  'a token for another master key lets nothing out');
select is(tests.refusal($$select tests.list('rewrap', 10, 'pgtap-old', 'pgtap-new')$$), 'PT503 rewrap_token_mismatch',
  'the master key to move to is the first');
select is(tests.refusal(format('select public.list_envelopes_to_rewrap(''edge'', %L, %L, 10)', 'rewrap', ids)),
  'PT503 rewrap_token_mismatch', 'or there is none') from unnest(array['{}', null]) as ids;
select is(tests.refusal($$select tests.list('rewrap', 0)$$), 'PT422 validation_failed', 'a batch of none');
select is(tests.refusal($$select tests.list('rewrap', 201)$$), 'PT422 validation_failed', 'or of too many');
select is(tests.list('rewrap'), array['A', 'Aown'],
  'what the target sealed stays; a key with copies comes once, and so does a wallet''s own');
select is(tests.list('rewrap', 100, 'pgtap-new', 'pgtap-new'), '{}', 'also when the target is named as an older key');
select is(tests.list('rewrap', 1), array['Aown'], 'one at a time, in the order of ids');
select is(tests.list('rewrap', 1), array['A'], 'the next call goes on behind the last');
select is(tests.list('rewrap', 1), '{}', 'up to the end');
select is(tests.list('rewrap', 1), array['Aown'], 'and then begins anew');
select is(tests.list('rewrap', 2), array['A'], 'to the end, which it now sees');
select is(tests.list('rewrap', 2), array['A', 'Aown'], 'so that it begins anew at once');

-- What is taken back.
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'A', 'pgtap-old', 'pgtap-other'))$$),
  'PT422 envelope_not_bound', 'an envelope of another master key than the target is not taken');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'A'), tests.rewrapped('anna', 'Aown', 'pgtap-old', 'pgtap-old'))$$),
  'PT422 envelope_not_bound', 'nor are others beside it');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'A') || '{"encrypted_key": "%%.x"}')$$),
  'PT422 envelope_not_bound', 'nor is what is no envelope');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'X') || '{"encrypted_key": null}')$$),
  'PT422 envelope_not_bound', 'or none, whether or not there is a key to put it in the place of');
select is(tests.refusal($$select tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown') || jsonb_build_object('encrypted_key', tests.envelope('boris', 'Aown', 'evm', 'pgtap-new')))$$),
  'PT422 envelope_not_bound', 'nor one of another client');
select is(tests.refusal($$select public.rewrap_keys('edge', 'rewrap', '{}')$$), 'PT422 validation_failed', 'nor no list');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'A', 'pgtap-older'), tests.rewrapped('anna', 'X'),
  tests.rewrapped('boris', 'B', 'pgtap-new')), 'changed changed changed',
  'nothing takes the place of an envelope other than was handed out, of none, or of one that the target sealed');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', key) || '{"replaced_hash": null}'), 'changed',
  'nor of one that is not named: ' || key) from unnest(array['A', 'Aown', 'X']) as key;
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown'), tests.rewrapped('anna', 'A')), 'moved moved',
  'what was handed out is replaced');
select is(tests.sealed('anna'),
  array['a1 A pgtap-new', 'a2 A pgtap-new', 'a3 Aown pgtap-new', 'key A pgtap-new'], 'in every place that held it');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown'), tests.rewrapped('anna', 'A')), 'changed changed',
  'and once only');
select is(tests.list('rewrap'), '{}', 'when all is moved nothing is let out any more');
select tests.act_as('operator');
select results_eq($$select format('%s %s by %s', event, address, actor) from public.key_events
    where client_id = tests.client_id('anna') and event = 'key_rewrapped' order by address$$,
  array['key_rewrapped A by operator', 'key_rewrapped Aown by operator'], 'each key has one event, however many copies');
select is(tests.bots('anna'), array['a1: running', 'a2: running', 'a3: running'], 'and no bot stopped');

-- A rotation or revocation between the handing out and the taking back wins.
select tests.act_as('anna');
select public.rotate_key('edge', tests.client_id('anna'), 'A2', 'evm', tests.key_id('A2'), tests.envelope('anna', 'A2', 'evm', 'pgtap-old'));
select tests.act_as('anon');
select is(tests.list('rewrap'), array['A2'], 'a key that came under the older master key meanwhile is handed out too');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'A'), tests.rewrapped('anna', 'Aown')), 'changed changed',
  'what was rotated away does not come back');
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));
select tests.act_as('anon');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'A2')), 'changed', 'nor does what was revoked');
select is(tests.sealed('anna'), array['a1 A2 empty', 'a2 A2 empty', 'a3 A2 empty'], 'not in a single wallet');

-- What a call has no time for is for the next: here each key takes longer than a call has.
select tests.act_as('anna');
select tests.put_in('anna', 'A4');
select tests.act_as('operator');
create function tests.take_time() returns trigger language plpgsql as $$ begin perform pg_sleep(0.12); return null; end $$;
update public.trading_keys set encrypted_key = tests.envelope(person, address, 'evm', 'pgtap-old')
  from (values ('anna', 'A4'), ('boris', 'B')) as kept (person, held) where held = address;
create trigger takes_time after update on public.trading_keys for each row execute function tests.take_time();
select tests.act_as('anon');
select is(string_agg(outcome, ' ' order by outcome), 'deferred moved', 'what there is no time for is deferred, and one is not')
  from regexp_split_to_table(tests.rewrap('rewrap', tests.rewrapped('anna', 'A4'), tests.rewrapped('boris', 'B')), ' ') as outcome;
select tests.act_as('operator');
drop trigger takes_time on public.trading_keys;
update public.trading_keys set encrypted_key = tests.envelope('boris', 'B', 'evm', 'pgtap-new') where address = 'B';
select tests.act_as('anna');
select public.revoke_key(tests.client_id('anna'));

-- Two envelopes of one key id: a client may store that, straight at the REST API.
select tests.act_as('anna');
select tests.put_in('anna', 'A3');
select tests.setup_bot('anna', 'a4', tests.under('anna', 'Aown2', 'pgtap-old'));
select tests.setup_bot('anna', 'a5', tests.under('anna', 'Aown2', 'pgtap-oldest'));
select tests.act_as('anon');
select is(tests.list('rewrap', 100, 'pgtap-new', 'pgtap-old', 'pgtap-oldest'), array['Aown2', 'Aown2'], 'both are handed out');
select is(tests.rewrap('rewrap', tests.rewrapped('anna', 'Aown2', 'pgtap-oldest')), 'moved', 'one is moved');
select is((tests.sealed('anna'))[4:5], array['a4 Aown2 pgtap-old', 'a5 Aown2 pgtap-new'], 'and the other stays');

-- What cannot be, by the triggers: a copy that was left behind. What the target sealed is not let out beside it.
select tests.act_as('operator');
alter table public.bot_wallets disable trigger user;
update public.bot_wallets set encrypted_key = tests.envelope('boris', 'B', 'evm', 'pgtap-old') where address = 'B';
alter table public.bot_wallets enable trigger user;
select tests.act_as('anon');
select is(tests.list('rewrap', 100, 'pgtap-new', 'pgtap-old'), array['Aown2', 'B'],
  'of a key that the target sealed a copy alone is handed out');
select is(tests.rewrap('rewrap', tests.rewrapped('boris', 'B')), 'changed', 'and nothing takes its place, since the key has moved');

select tests.act_as('operator');
delete from public.machine_tokens where name = 'rewrap';
select is((select count(*) from private.rewrap_progress as at
    where not exists (select from public.machine_tokens where id = at.token_id)), 0::bigint,
  'with a token its progress goes');

select * from finish();
rollback;
