/** The monitor and reports of failures at the database's own door, as PostgREST calls them for a machine token. */
import { createHash, randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { type Outcome, outcomeOf } from './sessions.ts';
import type { TokenRow } from './signers.ts';

type Transaction = postgres.TransactionSql;

/** What a run says of itself. */
export interface Run {
  readonly busy: boolean;
  readonly complete: boolean;
  readonly bots_checked: number;
}

/** Nothing here waits for a lock for longer: what would wait for ever fails. */
export const LOCK_TIMEOUT = '3s';

export async function newMonitorToken(sql: postgres.Sql): Promise<string> {
  const hash = createHash('sha256').update(randomBytes(32)).digest('hex');
  await sql`insert into public.machine_tokens (name, scope, token_hash)
    values ('a monitor', 'monitor', decode(${hash}, 'hex'))`;
  return hash;
}

/** No other run begins until this transaction ends; this one's begins at the bots after `after`. */
export async function takeMonitor(sql: Transaction, after?: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(private.name_of_lock('monitor', ''))`;
  await sql`update private.monitor_state set checked_up_to = ${after ?? null}`;
}

export async function runMonitor(sql: Transaction, token: string, batch = 20_000): Promise<Run> {
  await sql`select set_config('role', 'anon', true), set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
  const [row] = await sql<[{ run: Run }]>`select public.monitor_bots(${token}, batch => ${batch}) as run`;
  await sql`select set_config('role', 'none', true)`;
  return row.run;
}

export function reportFailure(
  sql: postgres.Sql,
  { hash }: TokenRow,
  bot: string,
  code = 'policy_value',
): Promise<Outcome> {
  return sql
    .begin(async (transaction) => {
      await transaction`select set_config('role', 'anon', true), set_config('request.jwt.claims', '', true)`;
      const [row] = await transaction<[{ quarantined: boolean }]>`
        select (public.report_signing_failure(${hash}, ${bot}, ${code}) ->> 'quarantined')::boolean as quarantined`;
      return row.quarantined ? 'quarantined' : 'counted';
    })
    .catch((error) => {
      if (typeof error?.code !== 'string') throw error;
      return outcomeOf(error.code, error.hint);
    });
}
