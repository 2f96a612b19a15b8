import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { z } from 'zod';
import type { Settings } from '../env.ts';
import { Problem } from '../problem.ts';
import { type Caller, CallerDatabase } from './as-caller.ts';
import { RewrapDatabase, type Rewrapper } from './as-rewrapper.ts';
import { type Runner, RunnerDatabase } from './as-runner.ts';
import { problemOf } from './errors.ts';
import type { Database as Schema } from './types.ts';

/** The only place that knows supabase-js. It holds the publishable key and never one that bypasses policies. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  asRewrapper(rewrapper: Rewrapper): RewrapDatabase;
  /**
   * How many envelopes none of these master keys sealed: 1000 for that many or more, `null` for all there are.
   * @throws {Problem}
   */
  countUnopenable(masterKeyIds: readonly string[]): Promise<number | null>;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
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
    asRewrapper: (rewrapper) => new RewrapDatabase(connection, rewrapper),
    async countUnopenable(masterKeyIds) {
      const { data, error, status } = await connection
        .rpc('count_unopenable_envelopes', { master_key_ids: [...masterKeyIds] })
        .abortSignal(AbortSignal.timeout(3_000));
      if (error) throw problemOf(error, status);
      const count = z.int().nullable().safeParse(data);
      if (!count.success) throw new Problem('database_unavailable');
      return count.data;
    },
    async schemaVersion() {
      const { data, error, status } = await connection
        .rpc('schema_version')
        .abortSignal(AbortSignal.timeout(3_000));
      if (error) throw problemOf(error, status);
      if (typeof data !== 'number') throw new Problem('database_unavailable');
      return data;
    },
  };
}
