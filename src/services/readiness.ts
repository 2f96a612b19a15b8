import type { Dependency, Readiness } from '../contract/service.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/** The schema that this code was written against, as `schema_version()` answers it. */
export const SCHEMA_VERSION = 1;

export interface Probes {
  readonly schemaVersion: () => Promise<number>;
  readonly keyring: () => Promise<unknown>;
  readonly tokenVerification: () => Promise<void>;
  /** Whether the database asks the same of who changes keys. */
  readonly stepUpAgrees: () => Promise<boolean>;
}

/** What works and what is missing, each by the problem that calls needing it answer. Never throws. */
export async function checkReadiness(probes: Probes): Promise<Readiness> {
  const [version, keyring, tokens, stepUp] = await Promise.all([
    attempt(async () => {
      if ((await probes.schemaVersion()) < SCHEMA_VERSION) throw new Problem('database_not_migrated');
    }),
    attempt(probes.keyring),
    attempt(probes.tokenVerification),
    attempt(async () => {
      if (!(await probes.stepUpAgrees())) throw new Problem('step_up_disagrees');
    }),
  ]);
  const unmigrated = version === 'database_not_migrated';
  const dependencies = {
    database: dependency(unmigrated ? undefined : version),
    schema: dependency(version),
    master_key: dependency(keyring),
    token_verification: dependency(tokens),
    step_up: dependency(stepUp),
  };
  const ready = Object.values(dependencies).every(({ status }) => status === 'ok');
  return { status: ready ? 'ready' : 'degraded', dependencies };
}

async function attempt(probe: () => Promise<unknown>): Promise<ProblemCode | undefined> {
  try {
    await probe();
    return undefined;
  } catch (error) {
    return error instanceof Problem ? error.code : 'internal';
  }
}

function dependency(code: ProblemCode | undefined): Dependency {
  return code === undefined ? { status: 'ok' } : { status: 'missing', code };
}
