-- Limits that let the API return every row: times that RFC 3339 can represent, and texts of limited length. This file limits
-- columns that only functions and the operator write. Columns that an API role can write have their limits in the file of
-- their table. A guard finds columns without a limit (supabase/tests/guards/bounds.test.sql).

alter table public.clients add constraint "its times can be shown" check (private.is_shown_time(created_at));
alter table public.bot_types add constraint "its times can be shown" check (private.is_shown_time(created_at));
alter table public.bots add constraint "its times can be shown" check (
  private.is_shown_time(created_at) and private.is_shown_time(started_at) and private.is_shown_time(stopped_at));
alter table public.bot_health_logs add constraint "its times can be shown" check (
  private.is_shown_time(since) and private.is_shown_time(created_at));
alter table public.trading_keys add constraint "its times can be shown" check (
  private.is_shown_time(created_at) and private.is_shown_time(rotated_at));
-- Written without is_shown_time for speed, because a rotation checks it for each wallet.
alter table public.bot_wallets add constraint "its times can be shown" check (
  created_at between '2000-01-01 00:00:00+00' and '9999-12-31 23:59:59.999+00');
alter table public.machine_tokens add constraint "its times can be shown" check (
  private.is_shown_time(created_at) and private.is_shown_time(last_used_at));
alter table public.bot_policies add constraint "its times can be shown" check (private.is_shown_time(updated_at));
alter table public.bot_heartbeats add constraint "its times can be shown" check (private.is_shown_time(beat_at));
alter table public.bot_signing_failures add constraint "its times can be shown" check (private.is_shown_time(last_at));
alter table public.audit_checkpoints add constraint "its times can be shown" check (private.is_shown_time(created_at));
alter table private.key_ids add constraint "its times can be shown" check (
  private.is_shown_time(held_since) and private.is_shown_time(ended_at));
alter table private.monitor_state add constraint "its times can be shown" check (private.is_shown_time(round_ended_at));

alter table private.queued_key_events
  add constraint "its times can be shown" check (private.is_shown_time(created_at)),
  add constraint "an event's texts are short" check (
    address ~ '^[0-9A-Za-z]{1,64}$' and chain ~ '^[a-z]{1,16}$' and request_id ~ '^[A-Za-z0-9_=-]{1,36}$');
alter table public.key_events
  add constraint "its times can be shown" check (private.is_shown_time(created_at)),
  add constraint "an event's texts are short" check (
    event ~ '^[a-z_]{1,40}$' and actor ~ '^[a-z]{1,16}$'
    and address ~ '^[0-9A-Za-z]{1,64}$' and chain ~ '^[a-z]{1,16}$' and request_id ~ '^[A-Za-z0-9_=-]{1,36}$'),
  add constraint "an event's detail has one canonical form" check (private.is_event_detail(detail));

alter table private.imported_rows add constraint "an old id and an address are short" check (
  length(old_id) <= 64 and length(address) <= 64);
