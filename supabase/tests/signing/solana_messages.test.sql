begin;
\ir ../people.psql
select plan(13);

-- Nothing is known of what the signature of a Solana message allows. So it passes no limit, also if the policy lists its kind.
create function tests.under(policy jsonb, kind text) returns text language plpgsql as $$
begin
  perform tests.act_as('anna');
  perform public.set_policy(tests.bot_id('hers'), under.policy);
  perform tests.act_as('operator');
  return tests.refusal(format(
    'select private.apply_policy(policies, %L, false) from public.bot_policies as policies where bot_id = tests.bot_id(''hers'')',
    jsonb_build_object('kind', under.kind, 'value', '0', 'recipients', '[]'::jsonb, 'opaque', true)));
end $$;
grant execute on all functions in schema tests to public;

select tests.act_as('anna');
select tests.setup_bot('anna', 'hers', tests.wallet('anna', 'A'));

select is(tests.under('{}', 'solana.message'), 'allowed', 'without limits it is allowed');
select is(tests.under('{"quarantine_after": 3}', 'solana.message'), 'allowed', 'quarantine does not limit what is signed');
select is(tests.under('{"kinds": ["solana.message"]}', 'solana.message'), 'allowed', 'it is a kind that a policy can list');
select is(tests.under('{"kinds": ["solana.transaction"]}', 'solana.message'), 'PT403 policy_kind_denied',
  'a policy that lists other kinds rejects it');
select is(tests.under('{"chain_ids": ["1"]}', 'solana.message'), 'PT403 policy_chain_denied', 'it is of no EVM chain');

select is(tests.under('{"max_value": "5"}', 'solana.message'), 'PT403 policy_kind_denied', 'a limit of one value rejects it');
select is(tests.under('{"max_value_24h": "5"}', 'solana.message'), 'PT403 policy_kind_denied', 'a limit of 24 hours rejects it');
select is(tests.under('{"recipients": ["A"]}', 'solana.message'), 'PT403 policy_kind_denied', 'a limit of recipients rejects it');
select is(tests.under('{"kinds": ["solana.message"], "max_value": "5"}', 'solana.message'), 'PT403 policy_kind_denied',
  'a limit of one value rejects it, also if it is listed');
select is(tests.under('{"kinds": ["solana.message"], "max_value_24h": "5"}', 'solana.message'), 'PT403 policy_kind_denied',
  'a limit of 24 hours rejects it, also if it is listed');
select is(tests.under('{"kinds": ["solana.message"], "recipients": []}', 'solana.message'), 'PT403 policy_kind_denied',
  'a limit of recipients rejects it, also if it is listed');
select is(tests.under('{"kinds": ["evm.message"], "max_value": "5"}', 'evm.message'), 'allowed',
  'a message of EVM is allowed beside limits, if it is listed');
select is(tests.under('{"max_value": "5", "recipients": ["A"]}', 'evm.message'), 'PT403 policy_kind_denied',
  'a message of EVM is rejected beside limits, if it is not listed');

select * from finish();
rollback;
