begin;
\ir ../people.psql
select plan(13);

create function tests.linked_to(person text) returns uuid language sql stable
return (select user_id from public.clients where id = tests.client_id(person));

select is(tests.linked_to('anna'), tests.account_id('anna'),
  'creating a client links the account that has its confirmed e-mail');

select tests.create_client('carla');
select is(tests.linked_to('carla'), null, 'a client without an account is linked to none');
select tests.sign_up('carla', confirmed => false);
select is(tests.linked_to('carla'), null, 'an unconfirmed e-mail links nothing at sign-up');
update auth.users set last_sign_in_at = now() where id = tests.account_id('carla');
select is(tests.linked_to('carla'), null, 'nor at sign-in');
update auth.users set email_confirmed_at = now() where id = tests.account_id('carla');
select is(tests.linked_to('carla'), tests.account_id('carla'), 'confirming it does');

select tests.create_client('dora');
select tests.sign_up('dora');
select is(tests.linked_to('dora'), tests.account_id('dora'), 'a confirmed sign-up links');

select tests.sign_up('emil', confirmed => false);
select tests.create_client('emil');
select is(tests.linked_to('emil'), null, 'creating a client links no account whose e-mail is unconfirmed');

update auth.users set email = 'was-anna@pgtap.test' where id = tests.account_id('anna');
update auth.users set email = tests.email('anna'), last_sign_in_at = now() where id = tests.account_id('eve');
select is(tests.linked_to('anna'), tests.account_id('anna'),
  'a linked client is never linked anew, whoever gets its e-mail');

select tests.sign_up('Frida');
select tests.create_client('frida');
select is(tests.linked_to('frida'), tests.account_id('Frida'), 'e-mails compare without case');

select tests.create_client('gerd');
update auth.users set email = tests.email('gerd'), last_sign_in_at = now() where id = tests.account_id('boris');
select is(tests.linked_to('gerd'), null, 'an account of one client is not linked to a second');

delete from auth.users where id = tests.account_id('dora');
select is(tests.linked_to('dora'), null, 'a deleted account leaves its client unlinked');

select tests.act_as('anna');
select is(tests.refusal($$select email from auth.users$$), '42501', 'a client reads no account');
select is(tests.refusal($$update auth.users set email = 'boris@pgtap.test'$$), '42501',
  'a client cannot give itself a confirmed e-mail');

select * from finish();
rollback;
