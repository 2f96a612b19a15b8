-- The API can return every row that a table allows. So if the type of a column has no limit, the column has a limit by
-- a CHECK, by the row that it refers to, or by its generating expression.
begin;
\ir ../people.psql
\ir guards.psql
select plan(8);

create view tests.columns_without_a_limit as
select format('%s.%s', t.attrelid::regclass, t.attname) collate "default" as found
from pg_attribute as t join pg_class as c on c.oid = t.attrelid join tests.our_schemas as s on s.oid = c.relnamespace
join pg_type as y on y.oid = t.atttypid
where c.relkind in ('r', 'p') and t.attnum > 0 and not t.attisdropped and t.attgenerated = ''
  -- Types of variable size, and times with infinities and years that RFC 3339 cannot represent.
  and (y.typlen < 0 or y.oid in ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype,
    'float4'::regtype, 'float8'::regtype))
  and not exists (
    select from pg_constraint as k
    where k.conrelid = t.attrelid and k.contype in ('c', 'f') and t.attnum = any (k.conkey));

-- Columns that only now() or functions that no API role can call set, and that no response shows.
create view tests.columns_of_the_database_alone as
select found from unnest(array[
    'private.admins.created_at', 'private.imported_rows.imported_at', 'private.kept_answers.expires_at',
    'private.refusal_counts.minute', 'private.event_counts.minute', 'value_reservations.created_at',
    -- at most 100 entries; the response only shows their number
    'bot_signing_failures.recent'
  ]) as found;

select is_empty($$select found from tests.columns_without_a_limit
  except select found from tests.columns_of_the_database_alone$$, 'every column has a limit');
select is(private.is_shown_time(moment), shown, 'a time of ' || moment)
from (values
  ('infinity'::timestamptz, false), ('-infinity', false), ('20000-01-01', false), ('0001-01-01 BC', false),
  ('9999-12-31 23:59:59.999+00', true)) as times (moment, shown);

-- The guard finds a column without a limit.
alter table public.bots add column notes text, add column due timestamptz, add column tags text[], add column rank integer;
select results_eq($$select found from tests.columns_without_a_limit
  except select found from tests.columns_of_the_database_alone order by 1$$,
  array['bots.due', 'bots.notes', 'bots.tags'], 'a column without a limit is found');
alter table public.bots add constraint "notes are short" check (length(notes) <= 10);
select is_empty($$select found from tests.columns_without_a_limit where found = 'bots.notes'$$, 'a column with a limit is not found');

select * from finish();
rollback;
