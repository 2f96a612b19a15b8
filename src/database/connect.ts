import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { Settings } from '../env.ts';
import { Problem } from '../problem.ts';
import { type Caller, CallerDatabase } from './as-caller.ts';
import { type Runner, RunnerDatabase } from './as-runner.ts';
import type { Functions } from './call.ts';
import { problemOf } from './errors.ts';
import type { Database as Schema } from './types.ts';

/** The only place that knows supabase-js. It holds the publishable key and never one that bypasses policies. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
  /** Whether the database asks the same of who changes keys as these settings do. @throws {Problem} as above */
  stepUpAgrees(settings: Pick<Settings, 'requireAal2' | 'maxSignInAgeSeconds'>): Promise<boolean>;
}

export type Connection = SupabaseClient<Schema>;

/** `undefined` where the settings name no database. */
export function connect({ supabaseUrl, publishableKey }: Settings): Database | undefined {
  if (!supabaseUrl || !publishableKey) return undefined;
  const connection: Connection = createClient<Schema>(supabaseUrl.href, publishableKey, {
    // Each call brings its caller's token; without one a call has the rights of `anon`: none.
    accessToken: async () => null,
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  });
  return {
    asCaller: (caller) => new CallerDatabase(connection, caller),
    asRunner: (runner) => new RunnerDatabase(connection, runner),
    async schemaVersion() {
      const version = await ask('schema_version', {});
      if (typeof version !== 'number') throw new Problem('database_unavailable');
      return version;
    },
    async stepUpAgrees({ requireAal2, maxSignInAgeSeconds }) {
      const agrees = await ask('step_up_agrees', {
        require_aal2: requireAal2,
        ...(maxSignInAgeSeconds !== undefined && { max_sign_in_age_seconds: maxSignInAgeSeconds }),
      });
      if (typeof agrees !== 'boolean') throw new Problem('database_unavailable');
      return agrees;
    },
  };

  /** What is asked without a session, to see whether the database is there. */
  async function ask<Name extends keyof Functions & string>(name: Name, args: Functions[Name]['Args']) {
    const { data, error, status } = await connection.rpc(name, args).abortSignal(AbortSignal.timeout(3_000));
    if (error) throw problemOf(error, status);
    return data as unknown;
  }
}
