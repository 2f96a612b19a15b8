import type { Sql } from 'postgres';
import type { KeysStatus, MasterKeyStatus } from '../../src/contract/keys.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { describeKeys, type EnvelopeCounts } from '../../src/services/key-status.ts';
import { print } from './command.ts';

/** For each missing master key, at most this many clients are printed. */
const MAX_LISTED = 10;

/** The status without ENCRYPTION_KEY: only the counts are known. In this case the Worker responds with a 503. */
export interface UnknownKeysStatus {
  readonly master_keys: readonly (Omit<MasterKeyStatus, 'role'> & { readonly role: 'unknown' })[];
  readonly to_rewrap: null;
  readonly unopenable: null;
}

/** The same as `GET /keys/status`, for the operator. It reads one snapshot with one statement. */
export async function keysStatus(
  sql: Sql,
  keyring: Pick<Keyring, 'byId'> | undefined,
): Promise<KeysStatus | UnknownKeysStatus> {
  const [row] = await sql<[{ counts: EnvelopeCounts[] }]>`select private.envelope_counts() as counts`;
  const status = describeKeys(row.counts, keyring);
  if (keyring) return status;
  const masterKeys = status.master_keys.map((key) => ({ ...key, role: 'unknown' }) as const);
  return { master_keys: masterKeys, to_rewrap: null, unopenable: null };
}

export function printStatus({ master_keys, to_rewrap, unopenable }: KeysStatus | UnknownKeysStatus): void {
  const header = ['master key', 'role', 'trading keys', 'copies', 'own keys', 'envelopes'];
  const rows = master_keys.map((key) => [
    key.id,
    key.role,
    ...[key.trading_keys, key.copies, key.own_keys, key.envelopes].map(String),
  ]);
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of [header, ...rows]) {
    print(
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    );
  }
  print();
  if (unopenable === null) {
    print(
      'ENCRYPTION_KEY is not set. So this command cannot know which of these master keys the Worker has.',
    );
    return;
  }
  for (const { id } of master_keys.filter((key) => key.role === 'open' && key.envelopes === 0)) {
    print(`Nothing is left under ${id}: it may be dropped.`);
  }
  if (to_rewrap > 0)
    print(`${envelopes(to_rewrap)} not yet under the first master key: npm run keys:rewrap.`);
  if (unopenable > 0) {
    print(`${envelopes(unopenable)} under master keys that are not in ENCRYPTION_KEY: nothing opens them.`);
  }
}

const envelopes = (count: number) => (count === 1 ? '1 envelope is' : `${count} envelopes are`);

/** Prints the ids of clients with envelopes of a missing master key. */
export async function printClientsOfMissingKeys(
  sql: Sql,
  { master_keys }: KeysStatus | UnknownKeysStatus,
): Promise<void> {
  for (const { id } of master_keys.filter(({ role }) => role === 'missing')) {
    const clients = await sql<{ client_id: string }[]>`
      select client_id from public.trading_keys where master_key_id = ${id}
      union select client_id from public.bot_wallets where master_key_id = ${id}
      order by client_id limit ${MAX_LISTED + 1}`;
    const named = clients.slice(0, MAX_LISTED).map(({ client_id }) => client_id);
    print(`Under ${id}: client ${named.join(', ')}${clients.length > MAX_LISTED ? ' and others' : ''}`);
  }
}
