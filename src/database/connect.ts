import { PostgrestClient } from '@supabase/postgrest-js';
import { z } from 'zod';
import type { Settings } from '../env.ts';
import { Problem } from '../problem.ts';
import type { TimeLimits } from '../time-limits.ts';
import { CallFailure, fetchAnswer } from './answer.ts';
import { type Auditor, AuditorDatabase } from './as-auditor.ts';
import { type Caller, CallerDatabase } from './as-caller.ts';
import { type Monitor, MonitorDatabase } from './as-monitor.ts';
import { RewrapDatabase, type Rewrapper } from './as-rewrapper.ts';
import { type Runner, RunnerDatabase } from './as-runner.ts';
import type { Database as Schema } from './types.ts';

/** The only place that knows the REST API's client. It holds the publishable key and never one that bypasses policies. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  asAuditor(auditor: Auditor): AuditorDatabase;
  asMonitor(monitor: Monitor): MonitorDatabase;
  asRewrapper(rewrapper: Rewrapper): RewrapDatabase;
  /**
   * How many envelopes none of these master keys sealed: 1000 for that many or more, `null` for all there are.
   * @throws {Problem}
   */
  countUnopenable(masterKeyIds: readonly string[]): Promise<number | null>;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
  /** Whether the database asks the same of who changes keys as these settings do. @throws {Problem} as above */
  stepUpAgrees(settings: Pick<Settings, 'requireAal2' | 'maxSignInAgeSeconds'>): Promise<boolean>;
}

export interface Connection {
  readonly client: PostgrestClient<Schema>;
  readonly limits: TimeLimits;
}

/** `undefined` where the settings name no database. */
export function connect({ supabaseUrl, publishableKey }: Settings, limits: TimeLimits): Database | undefined {
  if (!supabaseUrl || !publishableKey) return undefined;
  // The part of supabase-js that the edge needs: the whole would be a quarter of the Worker.
  const client = new PostgrestClient<Schema>(`${supabaseUrl.href.replace(/\/$/, '')}/rest/v1`, {
    // Each call brings its caller's token; without one a call has the rights of `anon`: next to none.
    headers: { apikey: publishableKey, authorization: `Bearer ${publishableKey}` },
    schema: 'public',
    fetch: fetchAnswer,
  });
  const connection: Connection = { client, limits };
  return {
    asCaller: (caller) => new CallerDatabase(connection, caller),
    asRunner: (runner) => new RunnerDatabase(connection, runner),
    asAuditor: (auditor) => new AuditorDatabase(connection, auditor),
    asMonitor: (monitor) => new MonitorDatabase(connection, monitor),
    asRewrapper: (rewrapper) => new RewrapDatabase(connection, rewrapper),
    countUnopenable: (masterKeyIds) =>
      probe(
        z.int().nullable(),
        client.rpc('count_unopenable_envelopes', { master_key_ids: [...masterKeyIds] }),
        limits,
      ),
    schemaVersion: () => probe(z.int(), client.rpc('schema_version'), limits),
    stepUpAgrees: ({ requireAal2, maxSignInAgeSeconds }) =>
      probe(
        z.boolean(),
        client.rpc('step_up_agrees', {
          require_aal2: requireAal2,
          ...(maxSignInAgeSeconds !== undefined && { max_sign_in_age_seconds: maxSignInAgeSeconds }),
        }),
        limits,
      ),
  };
}

/** Asked once, and not for long: how things are now. @throws {Problem} */
async function probe<Answer extends z.ZodType>(
  answer: Answer,
  request: ReturnType<PostgrestClient<Schema>['rpc']>,
  { probeMs }: TimeLimits,
): Promise<z.infer<Answer>> {
  const { data } = await request
    .abortSignal(AbortSignal.timeout(probeMs))
    .throwOnError()
    .then(null, (error: unknown) => {
      throw error instanceof CallFailure ? error.problem : error;
    });
  const parsed = answer.safeParse(data);
  if (!parsed.success) throw new Problem('database_unavailable');
  return parsed.data;
}
