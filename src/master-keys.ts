/** Reads the master keys, and caches them. */
import { type Keyring, KeyringError, parseKeyring } from './crypto/keyring.ts';
import type { SecretBinding } from './env.ts';
import { Problem } from './problem.ts';

/** A source of the list of master keys, in the form of `ENCRYPTION_KEY`. */
export interface MasterKeySource {
  /** Returns the list, or `undefined` if no list is set. Rejects if the list cannot be read now. */
  read(): Promise<string | undefined>;
  /** The time after which the list is read again. */
  readonly freshForMs: number;
}

const READ_TIMEOUT_MS = 3_000;
/** While the source fails, the last keys are used for at most this time. */
const STALE_FOR_MS = 15 * 60_000;

/**
 * The environment, which does not change during the life of an isolate, or the Secrets Store, where a value can change
 * while the Worker runs. If the source fails, there is no fallback to another source.
 */
export function masterKeySource(setting: string | SecretBinding | undefined): MasterKeySource {
  if (typeof setting === 'object') return { read: () => setting.get(), freshForMs: 60_000 };
  return { read: async () => setting, freshForMs: Number.POSITIVE_INFINITY };
}

/**
 * Returns a function that reads the keyring, and caches it while it is fresh. The cache holds the value and not the promise,
 * because in workerd a promise belongs to the request that created it.
 *
 * @param now milliseconds since the epoch
 */
export function createKeyringSource(source: MasterKeySource, now = () => Date.now()): () => Promise<Keyring> {
  let last: { readonly keyring: Keyring; readonly readAt: number } | undefined;
  return async () => {
    const readAt = now();
    const age = last ? readAt - last.readAt : Number.POSITIVE_INFINITY;
    if (last && age < source.freshForMs) return last.keyring;
    let setting: string | undefined;
    try {
      setting = await within(READ_TIMEOUT_MS, source.read());
    } catch {
      // Slightly older keys are used, because a short failure of the store should not stop every bot.
      if (last && age < STALE_FOR_MS) return last.keyring;
      throw new Problem('master_key_unavailable');
    }
    last = undefined;
    const keyring = await parseKeyring(setting).catch((error) => {
      throw error instanceof KeyringError
        ? new Problem(error.reason === 'missing' ? 'master_key_missing' : 'master_key_malformed')
        : error;
    });
    last = { keyring, readAt };
    return keyring;
  };
}

async function within<Value>(limitMs: number, promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('too late')), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
