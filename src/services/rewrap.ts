/** Moves envelopes to the first master key of the keyring. The private keys stay the same. */
import { equalBytes } from '@noble/curves/utils.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { EnvelopeError, open, seal } from '../crypto/envelope.ts';
import type { Keyring } from '../crypto/keyring.ts';
import type { RewrapOutcome, RewrappedKey, RewrapStore, SealedKey } from '../database/as-rewrapper.ts';
import { wipe } from '../keys/index.ts';

/** At most this many busy keys of a batch are retried, one by one. */
const MAX_SINGLE_RETRIES = 10;

export interface RewrapOptions {
  /** The number of envelopes in one call to the database. */
  readonly batch: number;
  /** The number of envelopes of the whole pass. */
  readonly limit: number;
  /** Opens, seals and compares, but stores nothing. */
  readonly dryRun?: boolean;
  /** Called before each batch. */
  readonly shouldContinue?: () => boolean;
  /** Called after each batch. */
  readonly onBatch?: (counts: RewrapCounts) => void;
  /** Called for each envelope that does not open. */
  readonly onNotOpened?: (key: Pick<SealedKey, 'client_id' | 'key_id'>) => void;
}

/** Counts of private keys. A trading key and its copies share one envelope and count once. */
export interface RewrapCounts {
  readonly moved: number;
  /** Meanwhile the key was rotated or revoked, or another pass moved it. That change was kept. */
  readonly changed: number;
  /** The locks were held by other transactions. The next pass tries again. */
  readonly busy: number;
  readonly not_opened: number;
}

export interface RewrapResult extends RewrapCounts {
  readonly left: number;
  /** Whether the pass reached every envelope before a limit ended it. */
  readonly complete: boolean;
}

/** One pass over the envelopes of older master keys. Any number of passes may run at the same time. */
export async function rewrapKeys(
  store: RewrapStore,
  keyring: Keyring,
  { batch, limit, dryRun = false, shouldContinue = () => true, onBatch, onNotOpened }: RewrapOptions,
): Promise<RewrapResult> {
  // The Map has the order of the setting, so the primary master key is first.
  const masterKeyIds = [...keyring.byId.keys()];
  const counts = { moved: 0, changed: 0, busy: 0, not_opened: 0 };
  let complete = false;
  for (let looked = 0; !complete && looked < limit && shouldContinue(); ) {
    const { items, last } = await store.next(masterKeyIds, Math.min(batch, limit - looked));
    looked += items.length;
    complete = last;
    const rewrapped: RewrappedKey[] = [];
    // One after the other, so that at most one private key is in memory.
    for (const item of items) {
      const moved = await rewrap(item, keyring);
      if (moved) rewrapped.push(moved);
      else {
        counts.not_opened += 1;
        onNotOpened?.(item);
      }
    }
    const outcomes = dryRun ? rewrapped.map(() => 'moved' as const) : await storeRewrapped(store, rewrapped);
    for (const outcome of outcomes) counts[outcome] += 1;
    onBatch?.({ ...counts });
  }
  return { ...counts, left: await store.countLeft(), complete };
}

/**
 * Seals the private key with the primary master key. Returns `undefined` if the envelope does not open. The new envelope is
 * opened and compared before it replaces the old one, because a faulty envelope would destroy the key.
 */
async function rewrap(key: SealedKey, keyring: Keyring): Promise<RewrappedKey | undefined> {
  const { client_id, chain, address, key_id, encrypted_key } = key;
  const binding = { clientId: client_id, chain, address, keyId: key_id };
  let secret: Uint8Array | undefined;
  let again: Uint8Array | undefined;
  try {
    secret = await open(encrypted_key, binding, keyring).catch(undefinedIfNotOpened);
    if (!secret) return undefined;
    const sealed = await seal(secret, binding, keyring);
    again = await open(sealed, binding, keyring);
    if (!equalBytes(secret, again)) throw new TypeError('the new envelope holds another key');
    return { client_id, key_id, replaced_hash: hashOf(encrypted_key), encrypted_key: sealed };
  } finally {
    if (secret) wipe(secret);
    if (again) wipe(again);
  }
}

function undefinedIfNotOpened(error: unknown): undefined {
  if (!(error instanceof EnvelopeError)) throw error;
}

const hashOf = (envelope: string) => bytesToHex(sha256(utf8ToBytes(envelope)));

/** Stores a batch. The database ends each call early and defers the rest. Then some of the busy keys are retried one by one. */
async function storeRewrapped(store: RewrapStore, rewrapped: readonly RewrappedKey[]) {
  const done: Exclude<RewrapOutcome, 'deferred'>[] = [];
  const inUse: RewrappedKey[] = [];
  for (let waiting = rewrapped; waiting.length > 0; ) {
    const deferred: RewrappedKey[] = [];
    const outcomes = await store.replace(waiting);
    for (const [index, key] of waiting.entries()) {
      const outcome = outcomes[index] ?? 'busy';
      if (outcome === 'deferred') deferred.push(key);
      else if (outcome === 'busy') inUse.push(key);
      else done.push(outcome);
    }
    // The database handles at least one key in each call.
    if (deferred.length === waiting.length) throw new TypeError('nothing was stored');
    waiting = deferred;
  }
  for (const [index, key] of inUse.entries()) {
    const [outcome = 'busy'] = index < MAX_SINGLE_RETRIES ? await store.replace([key]) : [];
    done.push(outcome === 'deferred' ? 'busy' : outcome);
  }
  return done;
}
