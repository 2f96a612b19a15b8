import type { Dependency, Readiness } from '../contract/health.ts';
import type { AuditKeys } from '../crypto/audit-key.ts';
import type { Keyring } from '../crypto/keyring.ts';
import { Problem, type ProblemCode } from '../problem.ts';

/** The least `schema_version()` that this code needs. `npm run schema:version` writes it. */
export const SCHEMA_VERSION = 11;

export interface Probes {
  readonly schemaVersion: () => Promise<number>;
  readonly keyring: () => Promise<Pick<Keyring, 'byId'>>;
  /** How many envelopes none of these master keys opens; `null` if that is every one, of more than one client. */
  readonly countUnopenable: (masterKeyIds: readonly string[]) => Promise<number | null>;
  /** @throws {Problem} where the database does not accept the edge token */
  readonly edgeToken: () => Promise<void>;
  readonly tokenVerification: () => Promise<void>;
  readonly auditKeys: () => Promise<Pick<AuditKeys, 'signing'>>;
  /** Whether the database asks the same of who changes keys. */
  readonly stepUpAgrees: () => Promise<boolean>;
  /** @throws {Problem} where the settings do not let the health monitor run */
  readonly monitor: () => unknown;
}

/**
 * The state of each dependency: the problem of the calls that need it, and what to do. Never throws. No call needs the
 * monitor or the audit key: a failure of these is listed, and the service is ready all the same.
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
  // What the keys open can only be asked where there are keys, and a database that counts.
  const { byId } = keyring.value ?? {};
  const unopenable =
    byId && schema.code === undefined ? await attempt(() => probes.countUnopenable([...byId.keys()])) : {};
  const version = schema.code ?? unopenable.code;
  const dropped = 'value' in unopenable && unopenable.value !== 0;
  const needed = {
    database: dependency(version === 'database_not_migrated' ? undefined : version),
    schema: dependency(version),
    master_key: {
      ...dependency(dropped ? 'master_keys_incomplete' : keyring.code),
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
 * Whether the service can do what it is there for. If it cannot, `GET /ready` is 503. Some envelopes that no master key
 * opens, or those of a single client, are named and do not cause it: a client can store such an envelope itself. If
 * no envelope of several clients opens, the operator has dropped the master key, and nothing can be signed.
 */
export function isAvailable({
  dependencies: { monitor: _, audit_key: __, master_key, ...others },
}: Readiness): boolean {
  const someDropped =
    master_key.code === 'master_keys_incomplete' && master_key.unopenable_envelopes !== 'all';
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
