begin;
\ir ../people.psql
select plan(27);

create function tests.put_in_alone(person text, address text) returns void language sql as $$
  insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    values (tests.client_id(person), address, 'evm', tests.key_id(address), tests.envelope(person, address)) $$;
create function tests.replace_alone(person text, address text) returns void language sql as $$
  update public.trading_keys as t
    set address = replace_alone.address, key_id = tests.key_id(replace_alone.address),
      encrypted_key = tests.envelope(person, replace_alone.address)
    where t.client_id = tests.client_id(person) $$;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select is(tests.refusal($$select tests.put_in_alone('anna', 'A')$$), 'PT403 edge_required',
  'a session alone puts in no key');
select is(tests.refusal($$select tests.put_in_alone('boris', 'A')$$), 'PT403 edge_required',
  'whosever it is, so that nobody is told which clients there are');
select lives_ok($$select tests.put_in('anna', 'A')$$, 'a client puts in its own first key through the edge');
select is(tests.refusal($$select tests.replace_alone('anna', 'A2')$$), 'PT403 edge_required',
  'a session alone rotates nothing');
select is(tests.refusal($$select tests.replace_alone('boris', 'A2')$$), 'PT403 edge_required', 'nor another''s key');
select is(tests.refusal($$select tests.put_in('anna', 'A2')$$), 'PT409 value_taken', 'and has one at a time');
select is(tests.refusal($$select tests.put_in('boris', 'X')$$), 'PT404 resource_not_found', 'not a key of another client');
select private.admit_edge('edge');
select is(
  tests.refusal($$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    values (gen_random_uuid(), 'X', 'evm', tests.key_id('X'), tests.envelope('boris', 'X'))$$),
  'PT404 resource_not_found', 'of which nothing shows, not even that the client exists');

select tests.act_as('boris');
select tests.put_in('boris', 'B');
select results_eq('select address from public.trading_keys', array['B'], 'a client sees its own key''s row only');
select is(tests.replace_by('anna', 'X'), 0::bigint, 'rotating another client''s key touches no row');
select private.admit_edge('edge');
select is(tests.rows_of($$update public.trading_keys set encrypted_key = 'x' where address = 'A'$$), 0::bigint,
  'nor does naming it by its address');
select is(tests.rows_of($$delete from public.trading_keys where client_id = tests.client_id('anna')$$), 0::bigint,
  'revoking another client''s key touches no row');
select is(tests.trading_key('anna'), 'A version 1 under first', 'and the other client''s key is as it was');
select is(tests.replace_by('boris', 'B2'), 1::bigint, 'rotating its own key touches its row');
select is(tests.trading_key('boris'), 'B2 version 2 under first', 'which has the new key and the next number');
select is(tests.rows_of('delete from public.trading_keys'), 1::bigint,
  'deleting everything deletes its own row only');
select is(tests.trading_key('anna'), 'A version 1 under first', 'and no other');

select tests.act_as('ada');
select is(tests.refusal($$select tests.put_in_alone('boris', 'B3')$$), 'PT403 edge_required',
  'an admin alone puts in no key');
select is(tests.refusal($$select tests.replace_alone('anna', 'A3')$$), 'PT403 edge_required', 'and rotates none');
select is(tests.replace_by('anna', 'A3'), 1::bigint, 'an admin rotates any client''s key');
select lives_ok($$select tests.put_in('boris', 'B3')$$, 'an admin puts in a client''s first key');
select is(tests.trading_key('boris'), 'B3 version 3 under first', 'numbers go on after a revocation');

select tests.act_as('eve');
select is_empty('select id from public.trading_keys', 'an account without a client sees no key');
select is(tests.rows_of('delete from public.trading_keys'), 0::bigint, 'and deletes none');

select tests.act_as('anon');
select is(tests.refusal('select id from public.trading_keys'), '42501', 'who is not signed in reads nothing');
select is(tests.refusal('delete from public.trading_keys'), '42501', 'deletes nothing');
select is(tests.refusal($$select tests.put_in('anna', 'A')$$), '42501', 'puts in nothing');

select * from finish();
rollback;
