/** Settings that PostgREST reads from the catalog and applies to each transaction. lite does not do this. */
import type postgres from 'postgres';

type Settings = readonly (readonly [name: string, value: string])[];

export interface TransactionSettings {
  /** By the role of a request, for example from `alter role authenticated set statement_timeout = '5s'`. */
  readonly ofRole: (role: string) => Settings;
  /** By the name of a function in the schema `public`. */
  readonly ofFunction: (name: string) => FunctionSettings;
}

interface FunctionSettings {
  /** PostgREST applies `statement_timeout` before the call, because inside the function it is too late for this call. */
  readonly settings: Settings;
  /** A stable or immutable function runs in a READ ONLY transaction, whatever the method of the request. */
  readonly readOnly: boolean;
}

const NO_FUNCTION: FunctionSettings = { settings: [], readOnly: false };

/** Reads the settings as `authenticator` sees them: of the roles that it can switch to, and that it can change. */
export async function readTransactionSettings(sql: postgres.Sql): Promise<TransactionSettings> {
  const roles = await sql<{ role: string; settings: Settings }[]>`
    select r.rolname as role, json_agg(json_build_array(s.name, s.value)) as settings
    from pg_auth_members as m join pg_roles as r on r.oid = m.roleid
    cross join unnest(r.rolconfig) as entry
    cross join lateral (
      select split_part(entry, '=', 1) as name, substr(entry, strpos(entry, '=') + 1) as value) as s
    join pg_settings as p on p.name = s.name
      and (p.context = 'user' or has_parameter_privilege('authenticator', p.name, 'set'))
    where m.member = 'authenticator'::regrole and s.name <> 'default_transaction_isolation'
    group by r.rolname`;
  const functions = await sql<{ name: string; timeout: string | null; read_only: boolean }[]>`
    select p.proname as name, bool_and(p.provolatile <> 'v') as read_only,
      min(substr(entry, length('statement_timeout=') + 1)) as timeout
    from pg_proc as p left join unnest(p.proconfig) as entry on entry like 'statement_timeout=%'
    where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
    group by p.proname`;
  const byRole = new Map(roles.map(({ role, settings }) => [role, settings]));
  const byFunction = new Map(
    functions.map(({ name, timeout, read_only }): [string, FunctionSettings] => [
      name,
      { settings: timeout === null ? [] : [['statement_timeout', timeout]], readOnly: read_only },
    ]),
  );
  return {
    ofRole: (role) => byRole.get(role) ?? [],
    ofFunction: (name) => byFunction.get(name) ?? NO_FUNCTION,
  };
}
