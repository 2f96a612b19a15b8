-- Each guard is a view over the catalog. What it lists is either wrong, or is compared with an explicit list.
-- (Names in the catalog collate as "C", and pgTAP compares only what collates alike.)
create view tests.our_schemas as
select oid, nspname from pg_namespace where nspname in ('public', 'private');

create view tests.tables_without_forced_row_security as
select c.oid::regclass::text collate "default" as found from pg_class as c join tests.our_schemas as s on s.oid = c.relnamespace
where c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity);

create view tests.tables_without_comment as
select c.oid::regclass::text collate "default" as found from pg_class as c join tests.our_schemas as s on s.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm') and obj_description(c.oid, 'pg_class') is null;

create view tests.foreign_keys_without_index as
select format('%s: %s', k.conrelid::regclass, k.conname) collate "default" as found
from pg_constraint as k join tests.our_schemas as s on s.oid = k.connamespace
where k.contype = 'f' and not exists (
  -- An index that begins with any of the columns finds the few rows: ids are unique in themselves.
  select from pg_index where indrelid = k.conrelid and indkey[0] = any (k.conkey) and indpred is null);

create view tests.loose_policies as
select format('%s.%s: %s', schemaname, tablename, policyname) collate "default" as found from pg_policies
where schemaname in ('public', 'private')
  and (roles <> '{authenticated}' or cmd = 'ALL' or permissive <> 'PERMISSIVE');

create view tests.policies_evaluated_for_each_row as
select format('%s.%s: %s', schemaname, tablename, policyname) collate "default" as found from pg_policies
where schemaname in ('public', 'private')
  and regexp_replace(concat_ws(' ', qual, with_check), 'SELECT (auth|private)\.\w+\(\)', '', 'g') ~ '\w+\.\w+\(';

create view tests.policies_that_let_anything_be_written as
select format('%s.%s: %s', schemaname, tablename, policyname) collate "default" as found from pg_policies
where schemaname in ('public', 'private')
  and cmd <> 'SELECT' and (coalesce(with_check, qual) = 'true' or qual = 'true');

create view tests.our_functions as
select p.oid, s.nspname, p.prosecdef, p.proconfig,
  format('%s.%s(%s)', s.nspname, p.proname, oidvectortypes(p.proargtypes)) collate "default" as found
from pg_proc as p join tests.our_schemas as s on s.oid = p.pronamespace;

create view tests.functions_without_search_path as
select found from tests.our_functions where not coalesce('search_path=""' = any (proconfig), false);

create view tests.definer_functions as
select found from tests.our_functions where prosecdef;

-- privileges: everything that anybody but the owner was granted -----------------------------------------------

create view tests.schema_grants as
select format('%s on %s to %s', lower(a.privilege_type), s.nspname, coalesce(r.rolname, 'public')) collate "default" as found
from tests.our_schemas as s join pg_namespace as n on n.oid = s.oid
cross join aclexplode(n.nspacl) as a left join pg_roles as r on r.oid = a.grantee
where a.grantee <> n.nspowner;

create view tests.table_grants as
select format('%s on %s to %s', lower(a.privilege_type), c.oid::regclass, coalesce(r.rolname, 'public')) collate "default" as found
from pg_class as c join tests.our_schemas as s on s.oid = c.relnamespace
cross join aclexplode(c.relacl) as a left join pg_roles as r on r.oid = a.grantee
where a.grantee <> c.relowner;

create view tests.column_grants as
select format('%s (%s) on %s to %s', lower(a.privilege_type),
  string_agg(t.attname, ', ' order by t.attnum), c.oid::regclass, coalesce(r.rolname, 'public')) collate "default" as found
from pg_attribute as t join pg_class as c on c.oid = t.attrelid
join tests.our_schemas as s on s.oid = c.relnamespace
cross join aclexplode(t.attacl) as a left join pg_roles as r on r.oid = a.grantee
where a.grantee <> c.relowner
group by a.privilege_type, c.oid, r.rolname;

create view tests.function_grants as
select format('%s to %s', f.found, coalesce(r.rolname, 'public')) collate "default" as found
from tests.our_functions as f join pg_proc as p on p.oid = f.oid
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
left join pg_roles as r on r.oid = a.grantee
where a.grantee <> p.proowner;

create view tests.grants_that_can_be_passed_on as
select c.oid::regclass::text collate "default" as found from pg_class as c join tests.our_schemas as s on s.oid = c.relnamespace
cross join aclexplode(c.relacl) as a where a.is_grantable and a.grantee <> c.relowner
union all
select f.found from tests.our_functions as f join pg_proc as p on p.oid = f.oid
cross join aclexplode(p.proacl) as a where a.is_grantable and a.grantee <> p.proowner;

create view tests.readable_secrets as
select format('%s.%s by %s', t.attrelid::regclass, t.attname, r.rolname) collate "default" as found
from pg_attribute as t join pg_class as c on c.oid = t.attrelid
join tests.our_schemas as s on s.oid = c.relnamespace
cross join pg_roles as r
where c.relkind in ('r', 'p', 'v', 'm') and t.attname in ('encrypted_key', 'token_hash')
  and r.rolname in ('anon', 'authenticated', 'service_role', 'authenticator')
  and has_column_privilege(r.oid, t.attrelid, t.attnum, 'select');
