create schema private;
comment on schema private is 'What policies and functions use and PostgREST does not expose.';
grant usage on schema private to authenticated;

-- Nothing is granted unless a migration says so, whatever the project's defaults were.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;

-- Functions are plpgsql, one-liners too: it keeps the plan of what it ran for the connection, where a function in
-- SQL that cannot be inlined (it sets search_path) is planned anew by every statement that calls it.

create function private.uuid_v7() returns uuid
language plpgsql volatile parallel safe set search_path = '' as $$
declare
  microseconds bigint := extract(epoch from clock_timestamp()) * 1000000;
begin
  -- 48 bits of milliseconds, the version, and 12 bits of what of a millisecond has passed (RFC 9562, section 6.2, method
  -- 3): what is made one after the other sorts so.
  return encode(
    overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send(microseconds / 1000) from 3)
        || int2send((28672 + (microseconds % 1000) * 4096 / 1000)::smallint)
      from 1 for 8),
    'hex')::uuid;
end $$;
comment on function private.uuid_v7() is
  'RFC 9562 UUID version 7: ids sort by time of creation, which is what pages are cut by. Built in from PostgreSQL 18.';

create function private.rfc3339(moment timestamptz) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
end $$;
comment on function private.rfc3339(timestamptz) is 'A time as answers show it: UTC, milliseconds.';

create function private.is_shown_time(moment timestamptz) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return moment between '2000-01-01 00:00:00+00' and '9999-12-31 23:59:59.999+00';
end $$;
comment on function private.is_shown_time(timestamptz) is
  'Whether an answer can show a time: RFC 3339 has four digits for the year and no infinity. Null is no time and passes a CHECK.';

create function private.is_name(name text) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return length(name) between 1 and 200
    -- Control characters, and the bidirectional controls with which one name can look like another (CVE-2021-42574).
    and name collate "C" !~ '[\u0001-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]'
    -- The white space of ECMAScript, at either end.
    and name collate "C" !~ (
      '^[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]'
      '|[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]$');
end $$;
comment on function private.is_name(text) is
  'Whether a text is a name for people, by the rule of `Name` in src/contract/common.ts. Length is counted in characters here and in UTF-16 units there.';

grant execute on function private.uuid_v7(), private.rfc3339(timestamptz), private.is_shown_time(timestamptz), private.is_name(text)
to authenticated;
