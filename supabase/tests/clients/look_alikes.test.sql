begin;
\ir ../people.psql
select plan(6);

-- An address that only looks like the client's, or equals it after Unicode case folding, is another mailbox.
create function tests.linked_to(person text) returns text language sql stable security definer
return (select users.email from public.clients join auth.users on users.id = clients.user_id
  where clients.id = tests.client_id(person));
create function tests.sign_up_as(email text) returns void language sql as $$
  insert into auth.users (id, aud, role, email, email_confirmed_at)
  values (gen_random_uuid(), 'authenticated', 'authenticated', email, now()) $$;

select tests.create_client('kira');
select tests.sign_up_as(e'\u212aira@pgtap.test');
select is(tests.linked_to('kira'), null, 'an address with the Kelvin sign instead of k is not linked');
select tests.sign_up_as('kıra@pgtap.test'), tests.sign_up_as('ｋira@pgtap.test'), tests.sign_up_as(e'kira\u200b@pgtap.test'),
  tests.sign_up_as('kira@pgtap.test '), tests.sign_up_as('кira@pgtap.test'), tests.sign_up_as('kira+1@pgtap.test');
select is(tests.linked_to('kira'), null, 'addresses with similar letters or invisible characters are not linked');
select tests.sign_up_as('KIRA@pgtap.test');
select is(tests.linked_to('kira'), 'KIRA@pgtap.test', 'an address in capital letters is linked');

select tests.sign_up_as(e'\u212aim@pgtap.test');
select tests.create_client('kim');
select is(tests.linked_to('kim'), null, 'an address with the Kelvin sign is not linked if the account is older than the client');
select tests.sign_up_as('Kim@pgtap.test');
select is(tests.linked_to('kim'), 'Kim@pgtap.test', 'the account with the right address is linked');

select tests.act_as('ada');
select public.create_client('Another', e'\u212aira@pgtap.test', link_account => true);
select tests.act_as('operator');
select results_eq($$select users.email::text from public.clients join auth.users on users.id = clients.user_id
    where clients.name = 'Another'$$, array[e'\u212aira@pgtap.test'],
  'a client whose address begins with a Kelvin sign is linked to that account');

select * from finish();
rollback;
