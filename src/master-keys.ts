/** Where the master keys live, and how long what was read of them is used. */
import { type Keyring, KeyringError, parseKeyring } from './crypto/keyring.ts';
import type { SecretBinding } from './env.ts';
import { Problem } from './problem.ts';

/** A place that holds the list of master keys, in the form of `ENCRYPTION_KEY`. */
export interface MasterKeySource {
  /** The list, or `undefined` if no list is set. Rejects if it cannot be read now, for whatever reason. */
  read(): Promise<string | undefined>;
  /** After how long it is read again. */
  readonly freshForMs: number;
}

/** A failing source is not asked for longer than this. */
const READ_TIMEOUT_MS = 3_000;
/** How long the last keys are used on while their source fails. */
const STALE_FOR_MS = 15 * 60_000;

/**
 * The environment, whose values last as long as an isolate; or the Secrets Store, where a value changes under a running
 * Worker. There is one source: where it fails, no other is asked.
 */
export function masterKeySource(setting: string | SecretBinding | undefined): MasterKeySource {
  if (typeof setting === 'object') return { read: () => setting.get(), freshForMs: 60_000 };
  return { read: async () => setting, freshForMs: Number.POSITIVE_INFINITY };
}

/**
 * The keyring of a source. It is imported once and again when it is no longer fresh. What is kept is the value and not
 * the promise: a promise belongs to the request that made it.
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
      // The same keys of the same source, a little older: a pause of the store need not stop every bot.
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
