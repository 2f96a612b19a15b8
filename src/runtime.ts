/** Objects that all requests of an isolate share. They are created again only if the settings change. */
import { createVerifier, type Verifier } from './auth/verify-token.ts';
import { AuditKeyError, type AuditKeys, parseAuditKeys } from './crypto/audit-key.ts';
import type { Keyring } from './crypto/keyring.ts';
import { connect, type Database } from './database/connect.ts';
import { type Bindings, readSettings, type Settings } from './env.ts';
import { createKeyringSource, masterKeySource } from './master-keys.ts';
import { Problem } from './problem.ts';
import { TIME_LIMITS, type TimeLimits } from './time-limits.ts';

export interface Runtime {
  readonly settings: Settings;
  /** @throws {Problem} master_key_missing, master_key_malformed, master_key_unavailable */
  keyring(): Promise<Keyring>;
  /** As `Database.countUnopenable`, cached for some seconds, because anyone may call `GET /ready`. @throws {Problem} */
  countUnopenable(masterKeyIds: readonly string[]): Promise<number | null>;
  /** @throws {Problem} database_not_configured */
  database(): Database;
  readonly verifier: Verifier;
  readonly limits: TimeLimits;
  /** Without a signing key, checkpoints can only be verified. @throws {Problem} audit_key_malformed */
  auditKeys(): Promise<AuditKeys>;
  /** Hashes of the machine tokens that the database accepted when they were last used in this isolate. */
  readonly knownTokens: Set<string>;
}

const SETTINGS = [
  'SUPABASE_URL',
  'SUPABASE_PUBLISHABLE_KEY',
  'SUPABASE_JWT_SECRET',
  'ENCRYPTION_KEY',
  'EDGE_TOKEN',
  'MONITOR_TOKEN',
  'REWRAP_TOKEN',
  'AUDIT_SIGNING_KEY',
  'AUDIT_PUBLIC_KEYS',
  'REQUIRE_AAL2',
  'MAX_SIGN_IN_AGE_SECONDS',
  'RPC_URLS',
  'RPC_FEE_CAPS',
  'ALLOWED_ORIGINS',
  'SECURITY_CONTACT',
  'RATE_LIMIT_POLICY',
  'ENVIRONMENT',
] as const;

const COUNT_FRESH_FOR_MS = 10_000;

let current: { readonly env: Bindings; readonly limits: TimeLimits; readonly runtime: Runtime } | undefined;

/** Returns the last runtime, if the settings are the same. In production an isolate has only one set of settings. */
export function runtimeFor(env: Bindings, limits = TIME_LIMITS): Runtime {
  const last = current;
  if (last?.limits === limits && SETTINGS.every((name) => last.env[name] === env[name])) return last.runtime;
  const runtime = createRuntime(env, limits);
  current = { env: { ...env }, limits, runtime };
  return runtime;
}

function createRuntime(env: Bindings, limits: TimeLimits): Runtime {
  const settings = readSettings(env);
  const connected = connect(settings, limits);
  const database = () => {
    if (!connected) throw new Problem('database_not_configured');
    return connected;
  };
  let auditKeys: AuditKeys | undefined;
  let counted: { readonly of: string; readonly at: number; readonly count: number | null } | undefined;
  return {
    settings,
    limits,
    verifier: createVerifier(settings, limits),
    knownTokens: new Set(),
    database,
    keyring: createKeyringSource(masterKeySource(settings.encryptionKey)),
    async countUnopenable(masterKeyIds) {
      const of = masterKeyIds.join();
      if (!counted || counted.of !== of || Date.now() - counted.at >= COUNT_FRESH_FOR_MS) {
        counted = { of, at: Date.now(), count: await database().countUnopenable(masterKeyIds) };
      }
      return counted.count;
    },
    async auditKeys() {
      const { auditSigningKey, auditPublicKeys } = settings;
      auditKeys ??= await parseAuditKeys(auditSigningKey, auditPublicKeys).catch((error) => {
        throw error instanceof AuditKeyError ? new Problem('audit_key_malformed') : error;
      });
      return auditKeys;
    },
  };
}
