create schema private;
comment on schema private is 'Tables and functions that policies and functions use, and that PostgREST does not expose.';
grant usage on schema private to authenticated;

-- A role has only the rights that a migration grants. The default rights of a Supabase project are removed.
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on tables from anon, authenticated, service_role;
alter default privileges in schema public revoke all on sequences from anon, authenticated, service_role;
alter default privileges in schema public revoke all on functions from anon, authenticated, service_role;

-- The names of triggers decide their order. PostgreSQL runs the triggers that fire at the same moment (before or after, for
-- a statement or for each row) in the order of their names, and capital letters come before small ones. So names follow a rule:
--
--   a_…                a BEFORE trigger that must run before all others of its moment. It rejects a statement without the edge
--                      token, counts the rows of the statement, or takes the first locks. The letter has no meaning: it
--                      only sorts before "after_" and "before_". supabase/tests/guards/triggers.test.sql checks this rule
--   a_admit_edge       runs before a_lock_own_client, so that a statement without the edge token takes no lock
--   "RECORD_REVOKED"   runs before the triggers of PostgreSQL that carry out ON DELETE, whose names begin with "RI_"

-- All functions are in plpgsql, also those of one line: plpgsql caches its plans for the connection. A function in SQL
-- that sets search_path cannot be inlined, and PostgreSQL plans it again in every statement that calls it. One without the
-- setting is inlined, but the security advisor of Supabase warns of it.
--
-- In functions that run in every request, a call without a result that matters is an assignment and not a PERFORM. plpgsql
-- evaluates an expression without a query in it directly, in 1 µs. PERFORM runs a statement, in 6 µs, even for a single
-- function. For the same reason a function returns early if an argument makes its query unnecessary.

-- A list that a constraint and functions, or several constraints, need is one function, such as private.chain_families().
-- PostgreSQL replaces the call by its result when it plans a statement, so the list costs nothing for each row. A list in
-- a CHECK is slower: PostgreSQL reads the text of a CHECK in every statement. With the 34 names of events as literals in the
-- CHECK, an INSERT took 166 µs, and with private.event_names() 31 µs. test/database/lists compares the lists with those of
-- the edge.

-- ids, times and texts ----------------------------------------------------------------------------------------

create function private.uuid_v7() returns uuid
language plpgsql volatile parallel safe set search_path = '' as $$
declare
  -- date_part returns a double, which represents these microseconds exactly until the year 2255, and is faster than extract.
  microseconds constant bigint := date_part('epoch', clock_timestamp()) * 1000000;
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

create function private.first_id_at(moment timestamptz) returns uuid
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
end $$;
comment on function private.first_id_at(timestamptz) is 'An id that sorts before every id that is created from this time on.';

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

create function private.is_list(list text[], form text) returns boolean
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  if list is null or cardinality(list) = 0 then return true; end if;
  if array_ndims(list) <> 1 or cardinality(list) > 100 then return false; end if;
  return not exists (select from unnest(list) as members (member) where not coalesce(member ~ form, false));
end $$;
comment on function private.is_list(text[], text) is
  'Whether a list is null, or has one dimension and at most 100 members, none of them null and each of the given form.';

create function private.chain_families() returns text[]
language plpgsql immutable parallel safe set search_path = '' as $$
begin
  return array['evm', 'solana'];
end $$;
comment on function private.chain_families() is
  'The chain families. The same list as CHAINS in src/keys/chain.ts.';

-- pages and errors --------------------------------------------------------------------------------------------

create function private.require_page_size(page_size integer) returns void
language plpgsql immutable set search_path = '' as $$
begin
  if page_size between 1 and 100 then return; end if;
  raise sqlstate 'PT422' using message = 'The page size must be 1 to 100 items.', hint = 'validation_failed';
end $$;
comment on function private.require_page_size(integer) is 'The same limit as at the edge, for callers that call the REST API directly.';

create function private.page_json(rows jsonb, page_size integer, cursor text default 'id') returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  most_bytes constant integer := 524288;
  shown integer := page_size;
begin
  -- The binary form is checked first, because writing a page as text takes longer than everything else here. The text of an
  -- item is at most 6 times as long as its binary form: no list has numbers of more than 15 digits.
  if pg_column_size(rows) > most_bytes / 8 and octet_length(rows::text) > most_bytes then
    select greatest(count(*), 1) into shown from (
      select sum(octet_length(item::text)) over (order by place) as bytes
      from jsonb_array_elements(rows) with ordinality as items (item, place)
      where place <= page_size) as read
    where read.bytes <= most_bytes;
  end if;
  return case
    when jsonb_array_length(rows) > shown then jsonb_build_object(
      'items', jsonb_path_query_array(rows, 'strict $[0 to $last]', jsonb_build_object('last', shown - 1)),
      'next_cursor', rows -> (shown - 1) ->> page_json.cursor)
    else jsonb_build_object('items', rows, 'next_cursor', null) end;
end $$;
comment on function private.page_json(jsonb, integer, text) is
  'Makes a page. `rows` has one row more than the page size if there is a next page. The page ends early when its items exceed 512 KiB, so that no page uses up the memory of an isolate, but it has at least one item. The cursor is the last id or seq on the page.';

create function private.raise_not_found() returns void
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT404' using message = 'The resource does not exist, or you have no access to it.', hint = 'resource_not_found';
end $$;

-- tables that only grow ---------------------------------------------------------------------------------------

create function private.refuse_change() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT405' using
    message = 'Rows of this table are added and never changed.', hint = 'append_only';
end $$;

create function private.refuse_truncate() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise sqlstate 'PT405' using message = 'Use DELETE instead. TRUNCATE does not run the triggers of rows.', hint = 'append_only';
end $$;

grant execute on function
  private.uuid_v7(), private.rfc3339(timestamptz), private.is_shown_time(timestamptz), private.is_name(text),
  private.is_list(text[], text), private.chain_families(), private.require_page_size(integer),
  private.page_json(jsonb, integer, text), private.raise_not_found()
to authenticated;
