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

/** The database, as each of those sees it who may ask. */
export interface Database {
  asCaller(caller: Caller): CallerDatabase;
  asRunner(runner: Runner): RunnerDatabase;
  asAuditor(auditor: Auditor): AuditorDatabase;
  asMonitor(monitor: Monitor): MonitorDatabase;
  asRewrapper(rewrapper: Rewrapper): RewrapDatabase;
  /**
   * How many envelopes none of these master keys sealed: 1000 for that many or more, `null` for all, of several clients.
   * @throws {Problem}
   */
  countUnopenable(masterKeyIds: readonly string[]): Promise<number | null>;
  /** @throws {Problem} edge_token_missing, edge_token_malformed, edge_token_invalid; or as below */
  checkEdgeToken(): Promise<void>;
  /** The version of the migrated schema. @throws {Problem} database_unavailable, database_not_migrated */
  schemaVersion(): Promise<number>;
  /** Whether the database asks the same of who changes keys as these settings do. @throws {Problem} as above */
  stepUpAgrees(required: RequiredSignIn): Promise<boolean>;
}

/** What the edge requires of who changes keys. */
export interface RequiredSignIn {
  readonly requireAal2: boolean;
  readonly maxSignInAgeSeconds: number | undefined;
}

/** `undefined` where the settings name no database. */
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

/** How things are now: not for long, and not repeated where it is not known whether there was an answer. @throws {Problem} */
function probe<Name extends keyof Functions & string, Answer extends z.ZodType>(
  connection: Connection,
  answer: Answer,
  name: Name,
  args: Functions[Name]['Args'],
): Promise<z.infer<Answer>> {
  const limits = { ...connection.limits, callMs: connection.limits.probeMs };
  return callFunction({ ...connection, limits }, {}, answer, name, args);
}
