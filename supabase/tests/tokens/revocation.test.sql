-- Every revocation ends, in the same transaction, every token that signs only for bots of the client.
begin;
\ir ../people.psql
select plan(23);

create function tests.tokens() returns text[] language sql stable security definer
return (
  select coalesce(array_agg(name order by name), '{}') from public.machine_tokens where name like 'pgtap %');
create function tests.issue(bot text, name text, variadic others text[] default '{}') returns uuid language sql
return (public.issue_token(tests.bot_id(bot), array(select tests.bot_id(other) from unnest(others) as other),
  'pgtap ' || name, tests.hash(name), null) ->> 'id')::uuid;
create function tests.check_out(token text, bot text) returns text language plpgsql as $$
begin
  perform tests.act_as('anon');
  return tests.refusal(format('select public.check_out_key(''edge'', %L, %L, %L)', token, tests.bot_id(bot),
    jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', tests.hash('digest'))));
end $$;
create function tests.set_up() returns void language plpgsql as $$
begin
  perform tests.submit_again();
  perform tests.act_as('operator');
  delete from public.machine_tokens where name like 'pgtap %';
  perform tests.act_as('boris');
  if tests.bot_id('his') is null then perform tests.setup_bot('boris', 'his', tests.wallet('boris', 'B')); end if;
  perform tests.issue('his', 'his');
  perform tests.act_as('anna');
  if tests.bot_id('one') is null then
    perform tests.setup_bot('anna', 'one', tests.wallet('anna', 'A'));
    perform tests.setup_bot('anna', 'two');
  else
    perform tests.put_in('anna', 'A');
    perform public.start_bot(tests.bot_id('one'));
    perform public.start_bot(tests.bot_id('two'));
  end if;
  perform tests.issue('one', 'one');
  perform tests.issue('one', 'one and two', 'two');
  insert into public.machine_tokens (client_id, name, token_hash) values (tests.client_id('anna'), 'pgtap no bots', sha256('no bots'));
  perform tests.act_as('ada');
  perform tests.issue('two', 'an admin''s');
  perform tests.issue('one', 'both', 'his');
  perform tests.act_as('operator');
  insert into public.machine_tokens (scope, name, token_hash) values ('monitor', 'pgtap monitor', sha256('monitor'));
  -- A token without a client that signs only for bots of one client.
  with token as (insert into public.machine_tokens (name, token_hash) values ('pgtap operator''s', sha256('operator')) returning id)
  insert into public.machine_token_bots select token.id, tests.bot_id('one'), tests.client_id('anna') from token;
end $$;

grant execute on all functions in schema tests to public;

-- Revocations by the function of the API and by a direct DELETE, of a client, an admin and the operator.
select tests.set_up();
select is(tests.check_out(token, bot), 'allowed', format('%s signs for %s', token, bot))
from (values ('one', 'one'), ('both', 'one'), ('both', 'his'), ('his', 'his')) as tokens (token, bot);
select tests.act_as('operator');
create table tests.ended as
  select array_agg(id order by id) as ids from public.machine_tokens
  where name in ('pgtap an admin''s', 'pgtap both', 'pgtap no bots', 'pgtap one', 'pgtap one and two', 'pgtap operator''s');
grant select on tests.ended to public;
select tests.act_as('anna');
select is(public.revoke_key(tests.client_id('anna')) -> 'tokens_ended', (select to_jsonb(ids) from tests.ended),
  'the response lists the tokens that ended, in the order of their ids');
select is(tests.tokens(), array['pgtap both', 'pgtap his', 'pgtap monitor'],
  'a token that also signs for another client''s bots stays, and so do other clients'' tokens');
select is(tests.check_out('one', 'one'), 'PT401 token_invalid', 'a token that ended -> 401');
select is(tests.check_out('both', 'one'), 'PT404 resource_not_found', 'a token that stays signs nothing for this client');
select is(tests.check_out('both', 'his'), 'allowed', 'a token that stays signs for the other client');
select tests.act_as('operator');
select results_eq($$select event, count(*) from private.every_key_event
    where client_id = tests.client_id('anna') and event like 'token\_revoked' group by event$$, $$values ('token_revoked', 6::bigint)$$,
  'each token that ended is an event');
select ok((select max(seq) from public.key_events where client_id = tests.client_id('anna') and event = 'token_revoked')
  < (select max(seq) from public.key_events where client_id = tests.client_id('anna') and event = 'key_revoked'),
  'the events of tokens precede the event of the revocation');

select tests.set_up();
select tests.act_as('ada');
select is(jsonb_array_length(public.revoke_key(tests.client_id('anna')) -> 'tokens_ended'), 6, 'a revocation by an admin ends the same number of tokens');
select is(tests.tokens(), array['pgtap both', 'pgtap his', 'pgtap monitor'], 'a revocation by an admin ends the same tokens');
select tests.set_up();
select tests.act_as('anna');
select is(tests.rows_of($$delete from public.trading_keys where client_id = tests.client_id('anna')$$), 1::bigint, 'a client deletes its trading key directly');
select is(tests.tokens(), array['pgtap both', 'pgtap his', 'pgtap monitor'], 'a direct DELETE ends the same tokens');
select tests.set_up();
select tests.act_as('operator');
delete from public.trading_keys where client_id = tests.client_id('anna');
select is(tests.tokens(), array['pgtap both', 'pgtap his', 'pgtap monitor'], 'a DELETE by the operator ends the same tokens');

-- A token that also signs for another client does not sign with the client's next key.
select tests.act_as('anna');
select tests.submit_again();
select tests.put_in('anna', 'A');
select public.start_bot(tests.bot_id('one'));
select is(tests.check_out('both', 'one'), 'PT404 resource_not_found', 'a token that was detached by a revocation does not sign with the next key');
select tests.act_as('operator');
delete from public.trading_keys where client_id = tests.client_id('anna');

-- A rotation ends no token.
select tests.set_up();
select tests.act_as('anna');
select tests.rotate('anna', 'A2');
select is(cardinality(tests.tokens()), 8, 'a rotation ends no token');
select is(tests.check_out('one', 'one'), 'allowed', 'a token signs with the new key after a rotation');

-- Who can list these tokens.
select tests.act_as('anna');
select is(cardinality(private.tokens_of_client(tests.client_id('anna'))), 6, 'a client can list the tokens that a revocation would end');
select is(tests.refusal($$select private.tokens_of_client(tests.client_id('boris'))$$), 'PT404 resource_not_found', 'the tokens of another client -> 404');
select tests.act_as('ada');
select is(cardinality(private.tokens_of_client(tests.client_id('boris'))), 2, 'an admin can list them for any client');
select is(tests.refusal($$delete from public.machine_tokens where name = 'pgtap both'$$), 'allowed', 'an admin can end a token of several clients');

select * from finish();
rollback;
