create function public.schema_version() returns integer
language sql immutable set search_path = ''
return 1;
comment on function public.schema_version() is 'The version of the schema. GET /ready calls it to find out whether the database responds and is migrated.';

grant execute on function public.schema_version() to anon, authenticated;
