-- A page ends with its size in items or with its size in bytes, whichever comes first.
begin;
\ir ../people.psql
select plan(9);

create function tests.rows_of_size(count integer, bytes integer) returns jsonb language sql immutable
return (
  select coalesce(jsonb_agg(jsonb_build_object('id', n::text, 'seq', n, 'text', repeat('x', bytes)) order by n), '[]')
  from generate_series(1, count) as n);
create function tests.page(count integer, bytes integer, page_size integer) returns text language sql immutable
return (
  select format('%s items, next %s', jsonb_array_length(page -> 'items'), coalesce(page ->> 'next_cursor', 'none'))
  from private.page_json(tests.rows_of_size(count, bytes), page_size) as page);

select is(tests.page(0, 10, 50), '0 items, next none', 'an empty page');
select is(tests.page(50, 10, 50), '50 items, next none', 'a page with all items');
select is(tests.page(51, 10, 50), '50 items, next 50', 'a full page');
select is(tests.page(100, 20000, 99), '26 items, next 26', 'a page that ends at 512 KiB');
select is(tests.page(26, 20000, 50), '26 items, next none', 'a page with all items just below 512 KiB');
select is(tests.page(2, 600000, 50), '1 items, next 1', 'a page of one item that is larger than a page');
select is(tests.page(1, 600000, 50), '1 items, next none', 'the last item, larger than a page');
select is(private.page_json(tests.rows_of_size(30, 20000), 50, 'seq') ->> 'next_cursor', '26',
  'a page with a cursor by seq ends with the seq of its last item');
select is(private.page_json(tests.rows_of_size(30, 20000), 50) -> 'items' -> 25 ->> 'id', '26',
  'the cursor is the id of the last item of the page');

select * from finish();
rollback;
