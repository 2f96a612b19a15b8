begin;
\ir ../people.psql
select plan(22);

select tests.act_as('ada');
select ok(public.create_client('Carla',
  'Carla@pgtap.test') @> '{"name": "Carla", "email": "carla@pgtap.test", "linked": false}',
  'an admin can create a client, and its e-mail is stored in lower case');
select is(tests.refusal($$select public.create_client('Carla', 'CARLA@pgtap.test')$$), 'PT409 email_taken',
  'the same e-mail twice -> 409');
select tests.sign_up('dora') from (select tests.act_as('operator')) as operator;
select tests.act_as('ada');
select is(public.create_client('Dora', tests.email('dora'), link_account => true) -> 'linked', 'true',
  'create_client with link_account links an existing account');
select is(tests.refusal($$select public.create_client('', 'empty@pgtap.test')$$), '23514', 'an empty name is rejected');

select is(jsonb_array_length(public.list_clients(2) -> 'items'), 2, 'a page has the requested number of clients');
select is(public.list_clients(2) -> 'items' -> 1 -> 'id', public.list_clients(2) -> 'next_cursor',
  'next_cursor is the id of the last client of the page');
select is(
  public.list_clients(1, (public.list_clients(1) ->> 'next_cursor')::uuid) -> 'items' -> 0,
  public.list_clients(2) -> 'items' -> 1, 'the next page continues after the cursor');
select is(public.list_clients(10, '00000000-0000-0000-0000-000000000000'), '{"items": [], "next_cursor": null}',
  'the last page has no next_cursor');
select is(tests.refusal('select public.get_own_client()'), 'PT404 account_not_linked', 'an admin has no client');

select tests.act_as('dora');
select is(public.get_own_client() -> 'name', '"Dora"', 'a client can read itself');
select is(public.get_own_client(), public.get_client((public.get_own_client() ->> 'id')::uuid), 'get_own_client and get_client return the same');
select is(jsonb_array_length(public.list_clients(10) -> 'items'), 1, 'a client lists only itself');
select is(tests.refusal($$select public.create_client('x', 'x@pgtap.test')$$), 'PT403 admin_required',
  'a client cannot create a client');

select tests.act_as('eve');
select is(tests.refusal('select public.get_own_client()'), 'PT404 account_not_linked',
  'get_own_client of an account without a client -> 404');
select is(public.list_clients(10), '{"items": [], "next_cursor": null}', 'an account without a client sees no client');
select is(tests.refusal($$select public.create_client('x', 'x@pgtap.test')$$), 'PT403 admin_required',
  'an account without a client cannot create a client');

select tests.act_as('anna');
select bag_eq(
  $$select jsonb_array_elements(public.list_bot_options(tests.client_id('anna')) -> 'bot_types') ->> 'id'$$,
  $$select id from public.bot_types where enabled$$, 'the options are the enabled bot types');
select tests.act_as('operator');
insert into public.bot_types (id, name, description, chain, enabled) values ('pgtap-off', 'Off', '', 'evm', false);
select tests.act_as('anna');
select is(public.list_bot_options(tests.client_id('anna')) @> '{"bot_types": [{"id": "pgtap-off"}]}', false,
  'a disabled bot type is not listed');
select is(tests.refusal($$select tests.setup_bot('anna', 'x', tests.wallet('anna', 'A'), 'pgtap-off')$$),
  'PT422 bot_type_unknown', 'setup_bot with a disabled bot type -> 422');

select tests.act_as('anon');
select isnt(public.schema_version(), null, 'a caller without a session can read the version of the schema');
select is(tests.refusal('select public.list_clients(10)'), '42501', 'a caller without a session cannot list clients');
select is(tests.refusal('select public.get_own_client()'), '42501', 'a caller without a session cannot call get_own_client');

select * from finish();
rollback;
