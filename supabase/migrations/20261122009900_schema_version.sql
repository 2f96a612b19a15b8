-- The version of the schema. After a change of any migration, run `npm run schema:version`, which raises the version and writes
-- the hash. A test fails if the hash does not match the migrations. This migration is the last one, so that a database
-- with this version has all migrations.
--
-- SHA-256 of the other migrations: 3977a8f1a9382f35aa2f7284cd07a56048e9ea528497cdbd3d4c2c7c6b1bfd7f

create function public.schema_version() returns integer
language sql immutable set search_path = ''
return 3;
comment on function public.schema_version() is 'The version of the schema. GET /ready calls it to find out whether the database responds and is migrated.';
grant execute on function public.schema_version() to anon, authenticated;
