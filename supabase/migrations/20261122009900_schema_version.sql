-- The version of the schema. After a change of any migration, run `npm run schema:version`, which raises the version and writes
-- the hash. A test fails if the hash does not match the migrations. This migration is the last one, so that a database
-- with this version has all migrations.
--
-- SHA-256 of the other migrations: 24959d13d60950a6ec58430ab6a5fb5cab1182fae027289f0bf9057035d1234a

create function public.schema_version() returns integer
language plpgsql immutable set search_path = '' as $$
begin
  return 15;
end $$;
comment on function public.schema_version() is 'The version of the schema. GET /ready calls it to find out whether the database responds and is migrated.';
grant execute on function public.schema_version() to anon, authenticated;
