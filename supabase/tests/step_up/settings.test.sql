begin;
\ir ../people.psql
select plan(13);

select results_eq('select require_aal2, max_sign_in_age_seconds from private.settings', $$values (false, null::integer)$$,
  'nothing is required by default');
select is(tests.refusal('insert into private.settings (only_row) values (true)'), '23505', 'a second row is rejected');
select is(tests.refusal('insert into private.settings (only_row) values (false)'), '23514', 'a row with only_row = false is rejected');
select is(tests.refusal('update private.settings set max_sign_in_age_seconds = 0'), '23514', 'an age of 0 is rejected');

select ok(public.step_up_agrees(false), 'step_up_agrees is true if neither requires anything');
select ok(not public.step_up_agrees(true), 'step_up_agrees is false if only the edge requires a second factor');
select ok(not public.step_up_agrees(false, 600), 'step_up_agrees is false if only the edge requires a recent sign-in');
update private.settings set require_aal2 = true, max_sign_in_age_seconds = 600;
select ok(public.step_up_agrees(true, 600) and not public.step_up_agrees(true) and not public.step_up_agrees(true, 601),
  'step_up_agrees is true only if both settings are equal');

select tests.act_as('ada');
select is(tests.refusal('update private.settings set require_aal2 = false'), '42501', 'an admin cannot change the settings');
select is(tests.refusal('delete from private.settings'), '42501', 'an admin cannot delete the settings');
select is(tests.refusal('insert into private.settings default values'), '42501', 'an admin cannot insert settings');
select tests.act_as('anon');
select is(tests.refusal('select * from private.settings'), '42501', 'a caller without a session cannot read the settings');
select ok(public.step_up_agrees(true, 600), 'a caller without a session can call step_up_agrees');

select * from finish();
rollback;
