-- The version of the schema. After a change of any migration, run `npm run schema:version`, which raises the version and writes
-- the hash. A test fails if the hash does not match the migrations. This migration is the last one, so that a database
-- with this version has all migrations.
--
-- SHA-256 of the other migrations: 325b26f4ff1481f23fc249820798ed41136669c92e502de101916c0da8897c4e

create function public.schema_version() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 11;
end $$;
comment on function public.schema_version() is 'The version of the schema. GET /ready calls it to find out whether the database responds and is migrated.';
grant execute on function public.schema_version() to anon, authenticated;
