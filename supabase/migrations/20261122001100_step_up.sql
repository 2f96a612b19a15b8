-- Step-up: the edge requires a second factor or a recent sign-in for changes of keys (REQUIRE_AAL2,
-- MAX_SIGN_IN_AGE_SECONDS). This file requires the same from sessions that call the REST API directly. Stopping, revoking
-- and reading only need a session, so that a user who has lost the second factor can still stop a thief.

create table private.settings (
  only_row boolean primary key default true,
  require_aal2 boolean not null default false,
  max_sign_in_age_seconds integer,
  constraint "there is one row of settings" check (only_row),
  constraint "an age of sign-ins is positive" check (max_sign_in_age_seconds > 0)
);
comment on table private.settings is
  'What a session needs to change keys. Only the operator writes this table. If its row is missing, no session can change keys.';
insert into private.settings default values;

alter table private.settings enable row level security;
alter table private.settings force row level security;

create policy "everybody signed in sees the settings" on private.settings
  for select to authenticated using (true);

grant select on private.settings to authenticated;

create function private.signed_in_at(claims jsonb) returns numeric
language plpgsql immutable set search_path = '' as $$
begin
  return (
    select case
      when coalesce(jsonb_typeof(claims -> 'amr'), 'null') = 'null' then given.auth_time
      when given.first_factor_at is not null then least(given.first_factor_at, given.auth_time)
    end
    from (
      select
        case when jsonb_typeof(claims -> 'auth_time') = 'number' then (claims ->> 'auth_time')::numeric end as auth_time,
        (
          select max((entry ->> 'timestamp')::numeric)
          from jsonb_array_elements(case when jsonb_typeof(claims -> 'amr') = 'array' then claims -> 'amr' end) as entry
          where jsonb_typeof(entry -> 'timestamp') = 'number'
            -- The same list as FIRST_FACTORS in src/auth/signed-in-at.ts, which explains it.
            and entry ->> 'method' in (
              'email/signup', 'invite', 'magiclink', 'oauth', 'otp', 'passkey', 'password', 'recovery', 'sso/saml', 'web3')
        ) as first_factor_at
    ) as given);
end $$;
comment on function private.signed_in_at(jsonb) is
  'When the user last signed in with a first factor, in seconds since the epoch. Refreshing a session or verifying a second factor does not change this time. The claim auth_time can only make it older.';

create function private.require_step_up() returns boolean
language plpgsql stable set search_path = '' as $$
declare
  claims jsonb := auth.jwt();
  required private.settings;
begin
  select * into required from private.settings;
  if not found or (required.require_aal2 and claims ->> 'aal' is distinct from 'aal2') then
    raise sqlstate 'PT403' using message = 'This action requires a second factor.', hint = 'second_factor_required';
  end if;
  if required.max_sign_in_age_seconds is not null and not coalesce(
    private.signed_in_at(claims) >= extract(epoch from now()) - required.max_sign_in_age_seconds, false)
  then
    raise sqlstate 'PT401' using message = 'The sign-in is too old for this action. Sign in again.', hint = 'sign_in_too_old';
  end if;
  return true;
end $$;
comment on function private.require_step_up() is
  'Returns true, or raises an error that says what is missing. A policy that returns false could not say what is missing.';

-- WITH CHECK and not USING: the statement fails for a row that must not be changed. USING would skip the row silently.
create policy "putting a key in takes what the operator asks" on public.trading_keys
  as restrictive for insert to authenticated with check ((select private.require_step_up()));
create policy "rotating a key takes what the operator asks" on public.trading_keys
  as restrictive for update to authenticated with check ((select private.require_step_up()));
create policy "adding a wallet takes what the operator asks" on public.bot_wallets
  as restrictive for insert to authenticated with check ((select private.require_step_up()));
create policy "creating a bot takes what the operator asks" on public.bots
  as restrictive for insert to authenticated with check ((select private.require_step_up()));
create policy "starting a bot takes what the operator asks, stopping nothing" on public.bots
  as restrictive for update to authenticated
  with check (case when status = 'stopped' then true else (select private.require_step_up()) end);
create policy "issuing a token takes what the operator asks" on public.machine_tokens
  as restrictive for insert to authenticated with check ((select private.require_step_up()));
create policy "letting a token sign for a bot takes what the operator asks" on public.machine_token_bots
  as restrictive for insert to authenticated with check ((select private.require_step_up()));
create policy "setting a policy takes what the operator asks" on public.bot_policies
  as restrictive for insert to authenticated with check ((select private.require_step_up()));
create policy "changing a policy takes what the operator asks" on public.bot_policies
  as restrictive for update to authenticated with check ((select private.require_step_up()));

create function public.step_up_agrees(require_aal2 boolean, max_sign_in_age_seconds integer default null)
returns boolean
language plpgsql stable security definer set search_path = '' as $$
begin
  return exists (
    select from private.settings
    where settings.require_aal2 = step_up_agrees.require_aal2
      and settings.max_sign_in_age_seconds is not distinct from step_up_agrees.max_sign_in_age_seconds);
end $$;
comment on function public.step_up_agrees(boolean, integer) is
  'For GET /ready: whether the edge and the database have the same step-up settings. Definer: it is called without a session. The settings are not secret, because every signed-in user can read them.';

grant execute on function private.signed_in_at(jsonb), private.require_step_up() to authenticated;
grant execute on function public.step_up_agrees(boolean, integer) to anon, authenticated;
