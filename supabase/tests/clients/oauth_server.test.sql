begin;
\ir ../people.psql
select plan(12);

-- A token that Supabase's OAuth 2.1 server issued to another program for an account of this project.
create function tests.act_as_program_of(person text) returns void language sql as $$
  select tests.act_as(person);
  select set_config('request.jwt.claims',
    (current_setting('request.jwt.claims')::jsonb || '{"client_id": "b5e1f3c2-8a0e-4d5c-9f5e-2d6b6f7a8c9d"}')::text, true);
$$;
create function tests.seen() returns text[] language plpgsql as $$
declare
  seen text[] := '{}';
  name text;
  has_rows boolean;
begin
  for name in
    select c.oid::regclass::text from pg_class as c
    where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and c.relkind = 'r'
      and has_any_column_privilege(c.oid, 'select') order by 1
  loop
    execute format('select exists (select from %s)', name) into has_rows;
    if has_rows then seen := seen || name; end if;
  end loop;
  return seen;
end $$;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'));
select public.set_policy(tests.bot_id('first'), '{}');
select public.issue_token(tests.bot_id('first'), '{}', 'first', repeat('ab', 32), null);
select private.chain_own_key_events(tests.client_id('anna'));
select ok(tests.seen() @> array['bots', 'bot_policies', 'bot_wallets', 'clients', 'key_events', 'machine_tokens', 'trading_keys'],
  'a client''s own session sees its rows');

select tests.act_as('eve');
select is(tests.seen(), array['bot_types', 'private.monitor_settings', 'private.monitor_state', 'private.settings'],
  'an account without a client sees only the tables that belong to no client');

select tests.act_as_program_of('anna');
select is(tests.seen(), array['bot_types', 'private.monitor_settings', 'private.monitor_state', 'private.settings'], 'a program with a token for a client''s account sees no more');
select is(tests.refusal('select public.get_own_client()'), 'PT404 account_not_linked', 'the program has no client');
select is(tests.refusal($$select tests.rotate('anna', 'N')$$), 'PT404 resource_not_found', 'the program cannot rotate');
select is(tests.refusal($$select public.revoke_key(tests.client_id('anna'))$$), 'PT404 resource_not_found', 'the program cannot revoke');
select is(tests.refusal($$select public.stop_bot(tests.bot_id('first'))$$), 'PT404 resource_not_found', 'the program cannot stop a bot');
select is(tests.rows_of('delete from public.trading_keys') + tests.rows_of('delete from public.machine_tokens')
  + tests.rows_of($$update public.clients set name = 'x'$$), 0::bigint, 'the program cannot change a row');
select is(tests.refusal($$select tests.setup_bot('anna', 'second')$$), 'PT404 resource_not_found', 'the program cannot set up a bot');

select tests.act_as_program_of('ada');
select is(tests.seen(), array['bot_types', 'private.monitor_settings', 'private.monitor_state', 'private.settings'], 'a program with a token for an admin''s account sees no more');
select is(tests.refusal($$select public.create_client('x', 'x@pgtap.test')$$), 'PT403 admin_required', 'a program with a token for an admin''s account is not an admin');
select tests.act_as('anna');
select is(tests.trading_key('anna'), 'A version 1 under first', 'the trading key is unchanged');

select * from finish();
rollback;
