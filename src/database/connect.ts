import { PostgrestClient } from '@supabase/postgrest-js';
import type { Settings } from '../env.ts';
import { Problem } from '../problem.ts';
import { type Caller, CallerDatabase } from './as-caller.ts';
import { type Runner, RunnerDatabase } from './as-runner.ts';
import { problemOf } from './errors.ts';
import type { Database as Schema } from './types.ts';

/** The only place that knows the REST API's client. It holds the publishable key and never one that bypasses policies. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
}

export type Connection = PostgrestClient<Schema>;

/** `undefined` where the settings name no database. */
export function connect({ supabaseUrl, publishableKey }: Settings): Database | undefined {
  if (!supabaseUrl || !publishableKey) return undefined;
  // The part of supabase-js that the edge needs: the whole would be a quarter of the Worker.
  const connection: Connection = new PostgrestClient<Schema>(
    `${supabaseUrl.href.replace(/\/$/, '')}/rest/v1`,
    {
      // Each call brings its caller's token; without one a call has the rights of `anon`: next to none.
      headers: { apikey: publishableKey, authorization: `Bearer ${publishableKey}` },
      schema: 'public',
      fetch: (input, init) => fetch(input, init),
    },
  );
  return {
    asCaller: (caller) => new CallerDatabase(connection, caller),
    asRunner: (runner) => new RunnerDatabase(connection, runner),
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
