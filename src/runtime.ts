/** What is made once for each isolate and set of settings, and used by every request. */
import { type Keyring, KeyringError, parseKeyring } from './crypto/keyring.ts';
import { connect, type Database } from './database/connect.ts';
import { type Bindings, readSettings, type Settings } from './env.ts';
import { createVerifier, type Verifier } from './middleware/verify-token.ts';
import { Problem } from './problem.ts';

export interface Runtime {
  readonly settings: Settings;
  /** @throws {Problem} master_key_missing, master_key_malformed */
  keyring(): Promise<Keyring>;
  /** @throws {Problem} database_not_configured */
  database(): Database;
  readonly verifier: Verifier;
  /** Hashes of machine tokens that the database knew when they were last used here. */
  readonly knownTokens: Set<string>;
}

const SETTINGS = [
  'SUPABASE_URL',
  'SUPABASE_PUBLISHABLE_KEY',
  'SUPABASE_JWT_SECRET',
  'ENCRYPTION_KEY',
  'MONITOR_TOKEN',
  'REWRAP_TOKEN',
  'REQUIRE_AAL2',
  'MAX_SIGN_IN_AGE_SECONDS',
  'ALLOWED_ORIGINS',
  'RATE_LIMIT_POLICY',
] as const;

let current: { readonly env: Bindings; readonly runtime: Runtime } | undefined;

/** The runtime for these settings; the last one is kept, and an isolate only ever has one. */
export function runtimeFor(env: Bindings): Runtime {
  const last = current;
  if (last && SETTINGS.every((name) => last.env[name] === env[name])) return last.runtime;
  const runtime = createRuntime(env);
  current = { env: { ...env }, runtime };
  return runtime;
}

function createRuntime(env: Bindings): Runtime {
  const settings = readSettings(env);
  const database = connect(settings);
  let keyring: Keyring | undefined;
  return {
    settings,
    verifier: createVerifier(settings),
    knownTokens: new Set(),
    database() {
      if (!database) throw new Problem('database_not_configured');
      return database;
    },
    async keyring() {
      // The value is kept and not the promise: a promise belongs to the request that made it.
      keyring ??= await parseKeyring(settings.encryptionKey).catch((error) => {
        throw error instanceof KeyringError
          ? new Problem(error.reason === 'missing' ? 'master_key_missing' : 'master_key_malformed')
          : error;
      });
      return keyring;
    },
  };
}
