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
select is(tests.refusal($$select tests.put_in_alone('anna', 'A')$$), 'PT403 envelope_write_denied',
  'a session without the edge token cannot store a key');
select is(tests.refusal($$select tests.put_in_alone('boris', 'A')$$), 'PT403 envelope_write_denied',
  'without the edge token, a key for another client -> 403 too, so that the caller does not learn which clients exist');
select lives_ok($$select tests.put_in('anna', 'A')$$, 'a client can store its first key with the edge token');
select is(tests.refusal($$select tests.replace_alone('anna', 'A2')$$), 'PT403 envelope_write_denied',
  'a session without the edge token cannot rotate its key');
select is(tests.refusal($$select tests.replace_alone('boris', 'A2')$$), 'PT403 envelope_write_denied', 'a session without the edge token cannot rotate a key of another client');
select is(tests.refusal($$select tests.put_in('anna', 'A2')$$), 'PT409 value_not_unique', 'a second trading key -> 409');
select is(tests.refusal($$select tests.put_in('boris', 'X')$$), 'PT404 resource_not_found', 'a key for another client -> 404');
select private.admit_edge('edge');
select is(
  tests.refusal($$insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    values (gen_random_uuid(), 'X', 'evm', tests.key_id('X'), tests.envelope('boris', 'X'))$$),
  'PT404 resource_not_found', 'a key for a client that does not exist -> 404');

select tests.act_as('boris');
select tests.put_in('boris', 'B');
select results_eq('select address from public.trading_keys', array['B'], 'a client sees only the row of its own key');
select is(tests.replace_by('anna', 'X'), 0::bigint, 'a rotation of another client''s key affects no row');
select private.admit_edge('edge');
select is(tests.rows_of($$update public.trading_keys set encrypted_key = 'x' where address = 'A'$$), 0::bigint,
  'an update of another client''s key by its address affects no row');
select is(tests.rows_of($$delete from public.trading_keys where client_id = tests.client_id('anna')$$), 0::bigint,
  'a revocation of another client''s key affects no row');
select is(tests.trading_key('anna'), 'A version 1 under first', 'the key of the other client is unchanged');
select is(tests.replace_by('boris', 'B2'), 1::bigint, 'a rotation of the own key affects one row');
select is(tests.trading_key('boris'), 'B2 version 2 under first', 'the row has the new key and the next version number');
select is(tests.rows_of('delete from public.trading_keys'), 1::bigint,
  'a DELETE without a condition deletes only the own row');
select is(tests.trading_key('anna'), 'A version 1 under first', 'the key of the other client still exists');

select tests.act_as('ada');
select is(tests.refusal($$select tests.put_in_alone('boris', 'B3')$$), 'PT403 envelope_write_denied',
  'an admin without the edge token cannot store a key');
select is(tests.refusal($$select tests.replace_alone('anna', 'A3')$$), 'PT403 envelope_write_denied', 'an admin without the edge token cannot rotate a key');
select is(tests.replace_by('anna', 'A3'), 1::bigint, 'an admin can rotate the key of any client');
select lives_ok($$select tests.put_in('boris', 'B3')$$, 'an admin can store the first key of a client');
select is(tests.trading_key('boris'), 'B3 version 3 under first', 'version numbers continue after a revocation');

select tests.act_as('eve');
select is_empty('select id from public.trading_keys', 'an account without a client sees no key');
select is(tests.rows_of('delete from public.trading_keys'), 0::bigint, 'an account without a client cannot delete a key');

select tests.act_as('anon');
select is(tests.refusal('select id from public.trading_keys'), '42501', 'a caller without a session cannot read keys');
select is(tests.refusal('delete from public.trading_keys'), '42501', 'a caller without a session cannot delete keys');
select is(tests.refusal($$select tests.put_in('anna', 'A')$$), '42501', 'a caller without a session cannot store a key');

select * from finish();
rollback;
