-- Failures to sign, and quarantine: the stop of a bot after too many of them.

create function private.counted_failures() returns text[]
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return array[
    'key_decryption_failed', 'policy_chain_denied', 'policy_kind_denied', 'policy_recipient_denied', 'policy_value_exceeded',
    'policy_value_24h_exceeded'];
end $$;
comment on function private.counted_failures() is
  'The codes of failures to sign that count towards a quarantine. The same list as COUNTED_FAILURES in src/services/signing-failures.ts.';

create table public.bot_signing_failures (
  bot_id uuid primary key,
  client_id uuid not null,
  recent timestamptz[] not null,
  last_code text not null,
  last_at timestamptz not null,
  constraint "a failure is of a client's bot"
    foreign key (bot_id, client_id) references public.bots (id, client_id) on delete cascade,
  constraint "at most 100 failures are kept" check (cardinality(recent) <= 100),
  constraint "a failure to sign is a known one" check (last_code = any (private.counted_failures())),
  constraint "its times can be shown" check (private.is_shown_time(last_at))
);
comment on table public.bot_signing_failures is
  'Failures to sign of each bot within the last hour and since its last start. At most the newest 100 are stored.';
create index bot_signing_failures_by_client on public.bot_signing_failures (client_id);

alter table public.bot_signing_failures enable row level security;
alter table public.bot_signing_failures force row level security;

create policy "a client sees the failures of its own bots, an admin all" on public.bot_signing_failures
  for select to authenticated
  using (client_id = (select private.own_client_id()) or (select private.is_admin()));

grant select on public.bot_signing_failures to authenticated;

create function private.quarantine(
  bot_id uuid, client_id uuid, started_at timestamptz, token_id uuid, code text, failures integer
) returns boolean
language plpgsql set search_path = '' as $$
begin
  -- Like a stop, this waits for the signatures that have begun. If the bot was stopped meanwhile, nothing changes.
  update public.bots set status = 'stopped', stop_reason = 'quarantined'
    -- If the bot was started again meanwhile, its failures are counted from zero again.
    where bots.id = quarantine.bot_id and bots.status = 'running' and bots.started_at = quarantine.started_at;
  if not found then return false; end if;
  insert into public.bot_health_logs (bot_id, client_id, state, since, detail)
    values (quarantine.bot_id, quarantine.client_id, 'quarantined', now(),
      jsonb_build_object('reason', 'quarantined', 'code', quarantine.code, 'failures', quarantine.failures));
  perform private.record_key_event(
    'bot_quarantined', quarantine.client_id, quarantine.bot_id, wallet.address, wallet.chain, wallet.key_id, null,
    jsonb_build_object('reason', quarantine.code, 'failures', quarantine.failures, 'token_id', quarantine.token_id))
  from (
    select * from public.bot_wallets where bot_wallets.client_id = quarantine.client_id and bot_wallets.bot_id = quarantine.bot_id
    order by bot_wallets.id limit 1) as wallet;
  return true;
end $$;

create function public.report_signing_failure(edge_token text, token text, bot_id uuid, code text) returns jsonb
language plpgsql security definer set search_path = '' as $$
declare
  runner constant record := private.find_runner(report_signing_failure.token, report_signing_failure.bot_id);
  failures integer;
  quarantine_after integer;
  quarantined boolean;
begin
  perform private.admit_edge(report_signing_failure.edge_token);
  perform private.share_client(runner.client_id);
  if not coalesce(code = any (private.counted_failures()), false) then
    raise sqlstate 'PT422' using message = 'The code is not a failure to sign that is counted.', hint = 'validation_failed';
  end if;
  insert into public.bot_signing_failures as kept (bot_id, client_id, recent, last_code, last_at)
    values (report_signing_failure.bot_id, runner.client_id, array[now()], report_signing_failure.code, now())
    on conflict on constraint bot_signing_failures_pkey do update set
      recent = array(
        select at from unnest(now() || kept.recent) as at
        where at > now() - interval '1 hour' and at >= runner.started_at
        order by at desc limit 100),
      last_code = excluded.last_code, last_at = excluded.last_at
    returning cardinality(kept.recent) into failures;
  select policies.quarantine_after into quarantine_after
    from public.bot_policies as policies where policies.bot_id = report_signing_failure.bot_id;
  quarantined :=
    coalesce(failures >= quarantine_after or (code = 'key_decryption_failed' and quarantine_after is not null), false)
      and private.quarantine(
        report_signing_failure.bot_id, runner.client_id, runner.started_at, runner.token_id, code, failures);
  if not runner.use_is_noted then perform private.note_use_of_token(runner.token_id); end if;
  return jsonb_build_object(
    'bot_id', report_signing_failure.bot_id, 'client_id', runner.client_id, 'failures', failures, 'quarantined', quarantined);
end $$;
comment on function public.report_signing_failure(text, text, uuid, text) is
  'Called after a failed POST /bots/{id}/sign. Counts the failure, and stops the bot if its policy requires it. Only the edge can report a failure. Definer: a machine token is not a session.';

grant execute on function public.report_signing_failure(text, text, uuid, text) to anon;
