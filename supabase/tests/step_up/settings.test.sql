begin;
\ir ../people.psql
select plan(13);

select results_eq('select require_aal2, max_sign_in_age_seconds from private.settings', $$values (false, null::integer)$$,
  'nothing is required unless the operator says so');
select is(tests.refusal('insert into private.settings (only_row) values (true)'), '23505', 'there is one row');
select is(tests.refusal('insert into private.settings (only_row) values (false)'), '23514', 'and no other');
select is(tests.refusal('update private.settings set max_sign_in_age_seconds = 0'), '23514', 'an age is positive');

select ok(public.step_up_agrees(false), 'the edge asks for nothing either');
select ok(not public.step_up_agrees(true), 'the edge asks for more');
select ok(not public.step_up_agrees(false, 600), 'or for a sign-in of late');
update private.settings set require_aal2 = true, max_sign_in_age_seconds = 600;
select ok(public.step_up_agrees(true, 600) and not public.step_up_agrees(true) and not public.step_up_agrees(true, 601),
  'each has to agree');

select tests.act_as('ada');
select is(tests.refusal('update private.settings set require_aal2 = false'), '42501', 'an admin cannot change them');
select is(tests.refusal('delete from private.settings'), '42501', 'nor take them away');
select is(tests.refusal('insert into private.settings default values'), '42501', 'nor add others');
select tests.act_as('anon');
select is(tests.refusal('select * from private.settings'), '42501', 'who is not signed in sees none');
select ok(public.step_up_agrees(true, 600), 'but may ask whether they agree');

select * from finish();
rollback;
