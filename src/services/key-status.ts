import type { KeysStatus, MasterKeyStatus } from '../contract/keys.ts';
import type { Keyring } from '../crypto/keyring.ts';

/** The envelopes that one master key sealed, from `count_envelopes`. */
export interface EnvelopeCounts {
  readonly master_key_id: string;
  readonly trading_keys: number;
  readonly copies: number;
  readonly own_keys: number;
}

const NONE = { trading_keys: 0, copies: 0, own_keys: 0 };

/** The number of envelopes by master key. Configured master keys with 0 are listed too, because only these can be removed. */
export function describeKeys(
  counts: readonly EnvelopeCounts[],
  keyring: Pick<Keyring, 'byId'> | undefined,
): KeysStatus {
  const byId = new Map(counts.map(({ master_key_id, ...count }) => [master_key_id, count]));
  const inForce = [...(keyring?.byId.keys() ?? [])];
  const missing = [...byId.keys()].filter((id) => !inForce.includes(id)).sort();
  const masterKeys = [...inForce, ...missing].map((id, index): MasterKeyStatus => {
    const count = byId.get(id) ?? NONE;
    const role = index >= inForce.length ? 'missing' : index === 0 ? 'primary' : 'open';
    return { id, role, ...count, envelopes: count.trading_keys + count.copies + count.own_keys };
  });
  const sum = (role: MasterKeyStatus['role']) =>
    masterKeys.filter((key) => key.role === role).reduce((total, key) => total + key.envelopes, 0);
  return { master_keys: masterKeys, to_rewrap: sum('open'), unopenable: sum('missing') };
}
