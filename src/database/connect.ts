import { z } from 'zod';
import type { Settings } from '../env.ts';
import { isMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';
import type { TimeLimits } from '../time-limits.ts';
import { type Auditor, AuditorDatabase } from './as-auditor.ts';
import { type Caller, CallerDatabase } from './as-caller.ts';
import { type Monitor, MonitorDatabase } from './as-monitor.ts';
import { RewrapDatabase, type Rewrapper } from './as-rewrapper.ts';
import { type Runner, RunnerDatabase } from './as-runner.ts';
import { callFunction } from './call.ts';
import type { Connection } from './connection.ts';
import { createRpc, type Functions } from './postgrest.ts';

/** The database functions, by the kind of caller. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  asAuditor(auditor: Auditor): AuditorDatabase;
  asMonitor(monitor: Monitor): MonitorDatabase;
  asRewrapper(rewrapper: Rewrapper): RewrapDatabase;
  /**
   * The number of envelopes that none of these master keys sealed. 1000 means 1000 or more. `null` means every envelope, if
   * the envelopes belong to several clients.
   * @throws {Problem}
   */
  countUnopenable(masterKeyIds: readonly string[]): Promise<number | null>;
  /** @throws {Problem} edge_token_missing, edge_token_malformed, edge_token_invalid, or a problem of the database */
  checkEdgeToken(): Promise<void>;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
  /** Whether the database requires the same step-up for key changes as these settings. @throws {Problem} */
  stepUpAgrees(required: RequiredSignIn): Promise<boolean>;
}

/** The step-up that the edge requires for key changes. */
export interface RequiredSignIn {
  readonly requireAal2: boolean;
  readonly maxSignInAgeSeconds: number | undefined;
}

/** Returns `undefined` if the settings do not name a database. */
export function connect(settings: Settings, limits: TimeLimits): Database | undefined {
  const { supabaseUrl, publishableKey } = settings;
  if (!supabaseUrl || !publishableKey) return undefined;
  const rpc = createRpc(supabaseUrl, publishableKey);
  const edgeToken = () => edgeTokenOf(settings);
  const connection: Connection = { rpc, limits, edgeToken };
  return {
    asCaller: (caller) => new CallerDatabase(connection, caller),
    asRunner: (runner) => new RunnerDatabase(connection, runner),
    asAuditor: (auditor) => new AuditorDatabase(connection, auditor),
    asMonitor: (monitor) => new MonitorDatabase(connection, monitor),
    asRewrapper: (rewrapper) => new RewrapDatabase(connection, rewrapper),
    countUnopenable: (masterKeyIds) =>
      probe(connection, z.int().nullable(), 'count_unopenable_envelopes', {
        master_key_ids: [...masterKeyIds],
      }),
    async checkEdgeToken() {
      const valid = await probe(connection, z.boolean(), 'edge_token_valid', { edge_token: edgeToken() });
      if (!valid) throw new Problem('edge_token_invalid');
    },
    schemaVersion: () => probe(connection, z.int(), 'schema_version', {}),
    stepUpAgrees: ({ requireAal2, maxSignInAgeSeconds }) =>
      probe(connection, z.boolean(), 'step_up_agrees', {
        require_aal2: requireAal2,
        ...(maxSignInAgeSeconds !== undefined && { max_sign_in_age_seconds: maxSignInAgeSeconds }),
      }),
  };
}

function edgeTokenOf({ edgeToken }: Settings): string {
  if (edgeToken === undefined) throw new Problem('edge_token_missing');
  if (!isMachineToken(edgeToken)) throw new Problem('edge_token_malformed');
  return edgeToken;
}

/** Checks a state for `GET /ready`: with a short time limit and without a second attempt. @throws {Problem} */
function probe<Name extends keyof Functions & string, Schema extends z.ZodType>(
  connection: Connection,
  schema: Schema,
  name: Name,
  args: Functions[Name]['Args'],
): Promise<z.infer<Schema>> {
  const limits = { ...connection.limits, callMs: connection.limits.probeMs };
  return callFunction({ ...connection, limits }, {}, schema, name, args);
}
