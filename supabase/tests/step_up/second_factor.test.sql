begin;
\ir ../people.psql
select plan(47);

-- Actions of a session, each as a statement. The tests roll each one back.
create table tests.deeds (what text primary key, kind text, deed text);
insert into tests.deeds values
  ('puts in a first key', 'key change', $$select tests.put_in('boris', 'B')$$),
  ('sets up a bot', 'key change', $$select tests.setup_bot('boris', 'b', tests.wallet('boris', 'B'))$$),
  ('creates a bot, straight in the table', 'key change',
    $$insert into public.bots (client_id, bot_type, name) values (tests.client_id('boris'), 'evm-grid', 'b')$$),
  ('rotates', 'key change', $$select tests.rotate('anna', 'N')$$),
  ('rotates, straight in the table', 'key change', $$select tests.replace_by('anna', 'N')$$),
  ('sets up a bot without a key', 'key change', $$select tests.setup_bot('anna', 'second')$$),
  ('adds a wallet, straight in the table', 'key change',
    $$select private.admit_edge('edge');
    insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
      values (tests.bot_id('first'), tests.client_id('anna'), 'N', 'evm', tests.key_id('N'), tests.envelope('anna', 'N'))$$),
  ('starts a bot', 'key change', $$select public.start_bot(tests.bot_id('stopped'))$$),
  ('starts a bot, straight in the table', 'key change',
    $$update public.bots set status = 'running' where id = tests.bot_id('stopped')$$),
  ('issues a token', 'key change', $$select public.issue_token(tests.bot_id('first'), '{}', 'x', repeat('ab', 32), null)$$),
  ('issues a token, straight in the table', 'key change',
    $$insert into public.machine_tokens (client_id, name, token_hash) values (tests.client_id('anna'), 'x', sha256('x'))$$),
  ('sets a policy', 'key change', $$select public.set_policy(tests.bot_id('first'), '{}')$$),
  ('changes a policy, straight in the table', 'key change', $$update public.bot_policies set max_value = null where bot_id = tests.bot_id('first')$$),
  ('stops a bot', 'ending', $$select public.stop_bot(tests.bot_id('first'))$$),
  ('stops a bot, straight in the table', 'ending', $$update public.bots set status = 'stopped' where id = tests.bot_id('first')$$),
  ('revokes', 'ending', $$select public.revoke_key(tests.client_id('anna'))$$),
  ('revokes, straight in the table', 'ending', $$delete from public.trading_keys where client_id = tests.client_id('anna')$$),
  ('revokes a token', 'ending', $$delete from public.machine_tokens where client_id = tests.client_id('anna')$$),
  ('reads', 'ending', $$select public.get_trading_key(tests.client_id('anna'))$$);
grant select on tests.deeds to public;

create function tests.undone(statement text) returns text language plpgsql as $$
declare
  hint text;
begin
  execute statement;
  raise sqlstate 'PT200';
exception when others then
  get stacked diagnostics hint = pg_exception_hint;
  return case when sqlstate = 'PT200' then 'allowed' else trim(sqlstate || ' ' || hint) end;
end $$;
grant execute on function tests.undone(text) to public;

create function tests.claim(claims jsonb) returns void language sql as $$
select set_config('request.jwt.claims', (current_setting('request.jwt.claims')::jsonb || claims)::text, true) $$;
create function tests.ago(seconds integer) returns jsonb language sql stable
return jsonb_build_array(
  jsonb_build_object('method', 'password', 'timestamp', floor(extract(epoch from now()) - seconds)),
  jsonb_build_object('method', 'totp', 'timestamp', floor(extract(epoch from now()) - seconds - 1000)));
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'));
select tests.setup_bot('anna', 'stopped');
select public.stop_bot(tests.bot_id('stopped'));
select public.issue_token(tests.bot_id('first'), '{}', 'first', repeat('cd', 32), null);
select public.set_policy(tests.bot_id('first'), '{"max_value": 1}');
grant select on tests.deeds to public;

-- An admin can run each action.
select tests.act_as('ada');
select is_empty($$select what, tests.undone(deed) from tests.deeds where tests.undone(deed) <> 'allowed'$$,
  'if nothing is required, everything is allowed');

select tests.act_as('operator');
update private.settings set require_aal2 = true;
select tests.act_as('ada');
select tests.claim('{"aal": "aal1"}');
select is(tests.undone(deed), case kind when 'ending' then 'allowed' else 'PT403 second_factor_required' end,
  'with one factor, if two are required: ' || what) from tests.deeds;
select tests.claim('{"aal": "aal2"}');
select is(tests.undone(deed), 'allowed', 'with two factors: ' || what) from tests.deeds;
select tests.act_as('ada');
select is(tests.undone($$select tests.rotate('anna', 'N')$$), 'PT403 second_factor_required', 'a token without the claim aal -> 403');

select tests.act_as('operator');
select is(tests.undone($$select tests.replace_by('anna', 'N')$$), 'allowed', 'the operator needs no second factor');
update private.settings set require_aal2 = false, max_sign_in_age_seconds = 600;
select tests.act_as('ada');
select tests.claim(jsonb_build_object('amr', tests.ago(500)));
select is(tests.undone($$select tests.rotate('anna', 'N')$$), 'allowed', 'a recent sign-in is accepted');
select tests.claim('{"amr": [], "aal": "aal2"}');
select is(tests.undone($$select tests.rotate('anna', 'N')$$), 'PT401 sign_in_too_old', 'a token without a time of sign-in -> 401');
select tests.claim(jsonb_build_object('amr', tests.ago(700)));
select is_empty($$select what from tests.deeds
    where tests.undone(deed) <> case kind when 'ending' then 'allowed' else 'PT401 sign_in_too_old' end$$,
  'with an old sign-in, only ending something and reading are allowed');
select tests.claim(jsonb_build_object('amr', tests.ago(5), 'auth_time', floor(extract(epoch from now()) - 700)));
select is(tests.undone($$select tests.rotate('anna', 'N')$$), 'PT401 sign_in_too_old', 'auth_time makes a sign-in older');
select tests.act_as('ada');
select tests.claim(jsonb_build_object('aal', 'aal2', 'auth_time', floor(extract(epoch from now())), 'amr', tests.ago(700)
  || jsonb_build_array(jsonb_build_object('method', 'totp', 'timestamp', floor(extract(epoch from now()))))));
select is_empty($$select what from tests.deeds
    where tests.undone(deed) <> case kind when 'ending' then 'allowed' else 'PT401 sign_in_too_old' end$$,
  'a second factor that was verified just now does not make an old sign-in new');

select tests.act_as('operator');
delete from private.settings;
select tests.act_as('ada');
select tests.claim(jsonb_build_object('aal', 'aal2', 'amr', tests.ago(5)));
select is_empty($$select what from tests.deeds
    where tests.undone(deed) <> case kind when 'ending' then 'allowed' else 'PT403 second_factor_required' end$$,
  'without a row of settings, no session can change keys');


select * from finish();
rollback;
