import type { Dependency, Readiness } from '../contract/health.ts';
import type { AuditKeys } from '../crypto/audit-key.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/** The version of the schema that this code needs. `schema_version()` returns the version of the database. */
export const SCHEMA_VERSION = 1;

export interface Probes {
  readonly schemaVersion: () => Promise<number>;
  readonly keyring: () => Promise<Pick<Keyring, 'byId'>>;
  /** The number of envelopes that none of these master keys opens. `null` if it is every envelope of several clients. */
  readonly countUnopenable: (masterKeyIds: readonly string[]) => Promise<number | null>;
  /** @throws {Problem} if the database rejects the edge token */
  readonly edgeToken: () => Promise<void>;
  readonly tokenVerification: () => Promise<void>;
  readonly auditKeys: () => Promise<Pick<AuditKeys, 'signing'>>;
  /** Whether the database requires the same step-up as the settings of the Worker. */
  readonly stepUpAgrees: () => Promise<boolean>;
  /** @throws {Problem} if the health monitor cannot run with these settings */
  readonly monitor: () => unknown;
}

/**
 * The state of each dependency, with the code and the remedy if it fails. Never throws. Requests do not need the monitor or
 * the audit key, so the service is ready if only these fail.
 */
export async function checkReadiness(probes: Probes): Promise<Readiness> {
  const [schema, keyring, edgeToken, tokens, stepUp, monitor, audit] = await Promise.all([
    attempt(async () => {
      if ((await probes.schemaVersion()) < SCHEMA_VERSION) throw new Problem('database_not_migrated');
    }),
    attempt(probes.keyring),
    attempt(probes.edgeToken),
    attempt(probes.tokenVerification),
    attempt(async () => {
      if (!(await probes.stepUpAgrees())) throw new Problem('step_up_settings_mismatch');
    }),
    attempt(async () => probes.monitor()),
    attempt(async () => {
      if (!(await probes.auditKeys()).signing) throw new Problem('audit_key_missing');
    }),
  ]);
  // The count needs the ids of the master keys and a migrated database.
  const { byId } = keyring.value ?? {};
  const unopenable =
    byId && schema.code === undefined ? await attempt(() => probes.countUnopenable([...byId.keys()])) : {};
  const version = schema.code ?? unopenable.code;
  const dropped = 'value' in unopenable && unopenable.value !== 0;
  const needed = {
    database: dependency(version === 'database_not_migrated' ? undefined : version),
    schema: dependency(version),
    master_key: {
      ...dependency(dropped ? 'master_key_dropped' : keyring.code),
      ...(dropped && { unopenable_envelopes: unopenable.value ?? ('all' as const) }),
    },
    edge_token: dependency(edgeToken.code),
    token_verification: dependency(tokens.code),
    step_up: dependency(stepUp.code),
  };
  const ready = Object.values(needed).every(({ status }) => status === 'ok');
  return {
    status: ready ? 'ready' : 'degraded',
    dependencies: { ...needed, monitor: dependency(monitor.code), audit_key: dependency(audit.code) },
  };
}

/**
 * Whether `GET /ready` is 200: every dependency that requests need works. If only some envelopes do not open, or only those
 * of one client, the response lists them and is still 200. Otherwise a damaged row could take the service out of a load
 * balancer. If no envelope of several clients opens, the operator has removed the master key, and the response is 503.
 */
export function isAvailable({
  dependencies: { monitor: _, audit_key: __, master_key, ...others },
}: Readiness): boolean {
  const someDropped = master_key.code === 'master_key_dropped' && master_key.unopenable_envelopes !== 'all';
  return (
    (master_key.status === 'ok' || someDropped) &&
    Object.values(others).every(({ status }) => status === 'ok')
  );
}

interface Attempt<Value> {
  readonly value?: Value;
  readonly code?: ProblemCode;
}

async function attempt<Value>(probe: () => Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { value: await probe() };
  } catch (error) {
    return { code: error instanceof Problem ? error.code : 'internal_error' };
  }
}

function dependency(code: ProblemCode | undefined): Dependency {
  return code === undefined
    ? { status: 'ok' }
    : { status: 'failing', code, detail: new Problem(code).remedy };
}
