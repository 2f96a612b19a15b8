begin;
\ir ../people.psql
select plan(6);

-- Machine tokens are not sessions. The step-up settings do not affect them.
select tests.act_as('anna');
select tests.setup_bot('anna', 'first', tests.wallet('anna', 'A'));
select public.issue_token(tests.bot_id('first'), '{}', 'first', tests.hash('runner'), null);
select tests.act_as('operator');
insert into public.machine_tokens (scope, name, token_hash, master_key_id, expires_at) values
  ('rewrap', 'moves keys', sha256('rewrap'), 'newest', now() + interval '1 day'),
  ('monitor', 'looks after bots', sha256('monitor'), null, null);
update private.settings set require_aal2 = true, max_sign_in_age_seconds = 600;

select tests.act_as('anna');
select is(tests.refusal($$select tests.rotate('anna', 'N')$$), 'PT403 second_factor_required', 'a session without a second factor cannot rotate');
select tests.act_as('anon');
select is(public.check_out_key('edge', 'runner', tests.bot_id('first'),
    jsonb_build_object('kind', 'evm.message', 'value', '0', 'recipients', '[]'::jsonb, 'digest', repeat('ab', 32))) ->> 'address',
  'A', 'a runner can sign');
select lives_ok($$select public.record_heartbeat('runner', tests.bot_id('first'), 'ok')$$, 'a runner can send a heartbeat');
select lives_ok($$select public.monitor_bots('monitor', 100)$$, 'the monitor can run');
create temporary table handed_out as
select jsonb_path_query(
  public.list_envelopes_to_rewrap('edge', 'rewrap', array['newest', 'first'], 10), '$.items[*]') as item;
select is((select count(*) from handed_out), 1::bigint, 'envelopes to rewrap are listed');
select is(
  (select public.rewrap_keys('edge', 'rewrap', jsonb_agg(jsonb_build_object(
    'client_id', item -> 'client_id', 'key_id', item -> 'key_id',
    'replaced_hash', encode(sha256(convert_to(item ->> 'encrypted_key', 'UTF8')), 'hex'),
    'encrypted_key', tests.envelope('anna', 'A', 'evm', 'newest')))) -> 'outcomes' ->> 0 from handed_out),
  'moved', 'rewrapped envelopes are stored');

select * from finish();
rollback;
