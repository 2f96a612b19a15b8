import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { Settings } from '../env.ts';
import { Problem } from '../problem.ts';
import type { TimeLimits } from '../time-limits.ts';
import { CallFailure, fetchAnswer } from './answer.ts';
import { type Caller, CallerDatabase } from './as-caller.ts';
import { type Monitor, MonitorDatabase } from './as-monitor.ts';
import { type Runner, RunnerDatabase } from './as-runner.ts';
import type { Database as Schema } from './types.ts';

/** The only place that knows supabase-js. It holds the publishable key and never one that bypasses policies. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  asMonitor(monitor: Monitor): MonitorDatabase;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
}

export interface Connection {
  readonly client: SupabaseClient<Schema>;
  readonly limits: TimeLimits;
}

/** `undefined` where the settings name no database. */
export function connect({ supabaseUrl, publishableKey }: Settings, limits: TimeLimits): Database | undefined {
  if (!supabaseUrl || !publishableKey) return undefined;
  const client = createClient<Schema>(supabaseUrl.href, publishableKey, {
    // Each call brings its caller's token; without one a call has the rights of `anon`: none.
    accessToken: async () => null,
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: fetchAnswer },
  });
  const connection: Connection = { client, limits };
  return {
    asCaller: (caller) => new CallerDatabase(connection, caller),
    asRunner: (runner) => new RunnerDatabase(connection, runner),
    asMonitor: (monitor) => new MonitorDatabase(connection, monitor),
    // Once: it is asked how things are now.
    async schemaVersion() {
      try {
        const limit = AbortSignal.timeout(limits.probeMs);
        const { data } = await client.rpc('schema_version').abortSignal(limit).throwOnError();
        if (typeof data === 'number') return data;
      } catch (error) {
        throw error instanceof CallFailure ? error.problem : error;
      }
      throw new Problem('database_unavailable');
    },
  };
}
