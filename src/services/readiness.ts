import type { Dependency, Readiness } from '../contract/service.ts';
import type { AuditKeys } from '../crypto/audit-key.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/** The schema that this code was written against, as `schema_version()` answers it. */
export const SCHEMA_VERSION = 1;

export interface Probes {
  readonly schemaVersion: () => Promise<number>;
  readonly keyring: () => Promise<unknown>;
  readonly tokenVerification: () => Promise<void>;
  /** No call needs it: where it is missing that is told, and the service is ready all the same. */
  readonly auditKeys: () => Promise<Pick<AuditKeys, 'signing'>>;
}

/** What works and what is missing, each by the problem that calls needing it answer. Never throws. */
export async function checkReadiness(probes: Probes): Promise<Readiness> {
  const [version, keyring, tokens, auditKey] = await Promise.all([
    attempt(async () => {
      if ((await probes.schemaVersion()) < SCHEMA_VERSION) throw new Problem('database_not_migrated');
    }),
    attempt(probes.keyring),
    attempt(probes.tokenVerification),
    attempt(async () => {
      if (!(await probes.auditKeys()).signing) throw new Problem('audit_key_missing');
    }),
  ]);
  const unmigrated = version === 'database_not_migrated';
  const needed = {
    database: dependency(unmigrated ? undefined : version),
    schema: dependency(version),
    master_key: dependency(keyring),
    token_verification: dependency(tokens),
  };
  const ready = Object.values(needed).every(({ status }) => status === 'ok');
  return {
    status: ready ? 'ready' : 'degraded',
    dependencies: { ...needed, audit_key: dependency(auditKey) },
  };
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
