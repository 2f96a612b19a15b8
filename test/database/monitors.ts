/** The monitor and reports of failures directly at the database, as PostgREST calls them for a machine token. */
import { randomBytes } from 'node:crypto';
import type postgres from 'postgres';
import { inject } from 'vitest';
import { type Outcome, outcomeOf, untilNotBusy } from '../support/outcome.ts';
import type { TokenRow } from '../support/rows.ts';

type Transaction = postgres.TransactionSql;

/** What a run reports about itself. */
export interface Run {
  readonly busy: boolean;
  readonly complete: boolean;
  readonly bots_checked: number;
}

/** The lock timeout: a statement that would wait for ever fails. */
export const LOCK_TIMEOUT = '3s';

export async function newMonitorToken(sql: postgres.Sql): Promise<string> {
  const token = randomBytes(32).toString('hex');
  await sql`insert into public.machine_tokens (name, scope, token_hash)
    values ('a monitor', 'monitor', sha256(${token}::text::bytea))`;
  return token;
}

/**
 * No other run begins until this transaction ends. Its own run begins with the bots after `after`, and at once, because the
 * pause between rounds is over.
 */
export async function takeMonitor(sql: Transaction, after?: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(private.lock_of('monitor', ''))`;
  await sql`update private.monitor_state set checked_up_to = ${after ?? null}, round_ended_at = null`;
}

export async function runMonitor(sql: Transaction, token: string, batch = 5_000): Promise<Run> {
  await sql`select set_config('role', 'anon', true), set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`;
  const [row] = await sql<[{ run: Run }]>`select public.monitor_bots(${token}, batch => ${batch}) as run`;
  await sql`select set_config('role', 'none', true)`;
  return row.run;
}

export function reportFailure(
  sql: postgres.Sql,
  { token }: TokenRow,
  bot: string,
  code = 'policy_value_exceeded',
): Promise<Outcome> {
  return untilNotBusy(() =>
    sql
      .begin(async (transaction) => {
        await transaction`select set_config('role', 'anon', true), set_config('request.jwt.claims', '', true)`;
        const [row] = await transaction<[{ report: { quarantined: boolean } }]>`
          select public.report_signing_failure(${inject('edgeToken')}, ${token}, ${bot}, ${code}) as report`;
        return row.report.quarantined ? 'quarantined' : 'counted';
      })
      .catch((error) => {
        if (typeof error?.code !== 'string') throw error;
        return outcomeOf(error.code, error.hint);
      }),
  );
}
