begin;
\ir ../people.psql
select plan(16);

select tests.act_as('anna');
select results_eq('select name from public.clients', array['anna'], 'a client sees only itself');
select is(tests.rows_of($$update public.clients set name = 'Anna' where id = tests.client_id('anna')$$), 1::bigint,
  'a client renames itself');
select is(tests.rows_of($$update public.clients set name = 'Boris' where id = tests.client_id('boris')$$),
  0::bigint,
  'a client cannot rename another client');
select is(tests.refusal($$update public.clients set email = 'other@pgtap.test'$$), '42501',
  'a client cannot change its e-mail');
select is(tests.refusal($$update public.clients set user_id = tests.account_id('eve')$$), '42501',
  'a client cannot link itself to another account');
select is(tests.refusal($$update public.clients set key_version = 7$$), '42501',
  'a client cannot change its key_version');
select is(tests.refusal($$insert into public.clients (name, email) values ('mine', 'mine@pgtap.test')$$), '42501',
  'a client cannot create a client');
select is(tests.refusal($$delete from public.clients$$), '42501', 'a client cannot delete clients');
select is_empty('select * from private.admins', 'a client sees no admin');
select is(tests.refusal($$insert into private.admins (user_id) values (tests.account_id('anna'))$$), '42501',
  'a client cannot make itself an admin');

select tests.act_as('ada');
select results_eq($$select name from public.clients where email like '%@pgtap.test' order by name$$,
  array['Anna', 'boris'], 'an admin sees every client');
select is(tests.rows_of($$update public.clients set name = 'Boris' where id = tests.client_id('boris')$$),
  1::bigint,
  'an admin renames any client');
select is(tests.refusal($$insert into private.admins (user_id) values (tests.account_id('eve'))$$), '42501',
  'an admin cannot make another account an admin');

select tests.act_as('eve');
select is_empty('select * from public.clients', 'an account without a client sees no client');

select tests.act_as('anon');
select is(tests.refusal('select * from public.clients'), '42501', 'a caller without a session cannot read clients');
select is(tests.refusal('select * from private.admins'), '42501', 'a caller without a session cannot read admins');

select * from finish();
rollback;
