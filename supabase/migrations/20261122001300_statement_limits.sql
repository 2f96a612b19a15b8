-- Limits of one statement of an API role: how many rows it writes (and so how many locks it takes), how long it runs, and
-- that it cannot delay a revocation.

create function private.begin_counting_rows() returns trigger
language plpgsql set search_path = '' as $$
declare
  counted constant text := set_config('trading_keys.rows', '0', true);
begin
  return null;
end $$;

create function private.count_row() returns trigger
language plpgsql set search_path = '' as $$
declare
  most_rows_a_statement constant integer := 100;
  rows constant integer := current_setting('trading_keys.rows')::integer + 1;
  counted constant text := set_config('trading_keys.rows', rows::text, true);
begin
  if rows > most_rows_a_statement then
    raise sqlstate 'PT422' using
      message = 'One statement can write at most 100 rows.', hint = 'row_limit_exceeded';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
comment on function private.count_row() is
  'Runs before each row is written, so that rows beyond the limit cause no work. Each row could take locks, and the lock table of a server has room for only some thousands.';

do $$
declare
  written text;
begin
  foreach written in array array[
    'clients', 'bots', 'trading_keys', 'bot_wallets', 'machine_tokens', 'machine_token_bots', 'bot_policies']
  loop
    -- Counts only rows that the API role writes itself. Triggers write as the owner, for example the wallets of a rotation.
    execute format(
      'create trigger a_begin_counting_rows before insert or update or delete on public.%I
        for each statement when (current_user in (''anon'', ''authenticated''))
        execute function private.begin_counting_rows()', written);
    execute format(
      'create trigger a_count_row before insert or update or delete on public.%I
        for each row when (current_user in (''anon'', ''authenticated''))
        execute function private.count_row()', written);
    execute format(
      'create trigger a_share_gate_of_row before insert or update or delete on public.%I
        for each row when (current_user in (''anon'', ''authenticated''))
        execute function private.share_gate_of_row()', written);
  end loop;
end $$;

-- PostgREST applies the settings of the role of a request. It also applies the longer limit of a single function, such as
-- public.revoke_key_at_edge: a revocation may wait longer than any statement of an API role can hold a lock.
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '5s';
notify pgrst, 'reload config';
