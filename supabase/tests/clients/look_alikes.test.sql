begin;
\ir ../people.psql
select plan(6);

-- An address that only looks like a client's, or is made like it by folding case, is another's mailbox.
create function tests.linked_to(person text) returns text language sql stable security definer
return (select users.email from public.clients join auth.users on users.id = clients.user_id
  where clients.id = tests.client_id(person));
create function tests.sign_up_as(email text) returns void language sql as $$
  insert into auth.users (id, aud, role, email, email_confirmed_at)
  values (gen_random_uuid(), 'authenticated', 'authenticated', email, now()) $$;

select tests.create_client('kira');
select tests.sign_up_as(e'\u212aira@pgtap.test');
select is(tests.linked_to('kira'), null, 'the Kelvin sign is no k');
select tests.sign_up_as('kıra@pgtap.test'), tests.sign_up_as('ｋira@pgtap.test'), tests.sign_up_as(e'kira\u200b@pgtap.test'),
  tests.sign_up_as('kira@pgtap.test '), tests.sign_up_as('кira@pgtap.test'), tests.sign_up_as('kira+1@pgtap.test');
select is(tests.linked_to('kira'), null, 'nor are letters that look alike, or what cannot be seen');
select tests.sign_up_as('KIRA@pgtap.test');
select is(tests.linked_to('kira'), 'KIRA@pgtap.test', 'capital letters are the same mailbox');

select tests.sign_up_as(e'\u212aim@pgtap.test');
select tests.create_client('kim');
select is(tests.linked_to('kim'), null, 'nor is the Kelvin sign where the account was first');
select tests.sign_up_as('Kim@pgtap.test');
select is(tests.linked_to('kim'), 'Kim@pgtap.test', 'the right account is linked when it comes');

select tests.act_as('ada');
select public.create_client('Another', e'\u212aira@pgtap.test', link_account => true);
select tests.act_as('operator');
select results_eq($$select users.email::text from public.clients join auth.users on users.id = clients.user_id
    where clients.name = 'Another'$$, array[e'\u212aira@pgtap.test'],
  'a client whose mailbox begins with a Kelvin sign is one of its own');

select * from finish();
rollback;
