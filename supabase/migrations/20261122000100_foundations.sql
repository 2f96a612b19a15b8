create schema private;
comment on schema private is 'Tables and functions that policies and functions use, and that PostgREST does not expose.';
grant usage on schema private to authenticated;

-- A role has only the rights that a migration grants. The default rights of a Supabase project are removed.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;

-- All functions are in plpgsql, also those of one line: plpgsql caches its plans for the connection. A function in SQL
-- that sets search_path cannot be inlined, and PostgreSQL plans it again in every statement that calls it.

create function private.uuid_v7() returns uuid
language plpgsql volatile parallel safe set search_path = '' as $$
declare
  microseconds bigint := extract(epoch from clock_timestamp()) * 1000000;
begin
  -- 48 bits of milliseconds, 4 bits of version, and 12 bits of the fraction of a millisecond (RFC 9562, section 6.2,
  -- method 3). So ids sort in the order in which they are created.
  return encode(
    overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send(microseconds / 1000) from 3)
        || int2send((28672 + (microseconds % 1000) * 4096 / 1000)::smallint)
      from 1 for 8),
    'hex')::uuid;
end $$;
comment on function private.uuid_v7() is
  'A UUID of version 7 (RFC 9562). Ids sort by time of creation, and lists are paged by id. PostgreSQL 18 has a built-in function.';

create function private.rfc3339(moment timestamptz) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
end $$;
comment on function private.rfc3339(timestamptz) is 'A time as responses show it: in UTC, with milliseconds.';

create function private.is_shown_time(moment timestamptz) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return moment between '2000-01-01 00:00:00+00' and '9999-12-31 23:59:59.999+00';
end $$;
comment on function private.is_shown_time(timestamptz) is
  'Whether a response can show this time. RFC 3339 has four digits for the year and no infinity. The result for null is null, which passes a CHECK.';

create function private.is_name(name text) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return length(name) between 1 and 200
    -- No control characters, and no bidirectional controls, which make one name look like another (CVE-2021-42574).
    and name collate "C" !~ '[\u0001-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]'
    -- No white space (as ECMAScript defines it) at either end.
    and name collate "C" !~ (
      '^[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]'
      '|[ \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]$');
end $$;
comment on function private.is_name(text) is
  'Whether a text is a valid display name. The same rule as `Name` in src/contract/common.ts, except that length is counted in characters here and in UTF-16 units there.';

grant execute on function private.uuid_v7(), private.rfc3339(timestamptz), private.is_shown_time(timestamptz), private.is_name(text)
to authenticated;
