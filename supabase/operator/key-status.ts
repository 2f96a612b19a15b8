import type { Sql } from 'postgres';
import type { KeysStatus } from '../../src/contract/keys.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { describeKeys, type EnvelopeCounts } from '../../src/services/key-status.ts';
import { say } from './key-setting.ts';

/** Of each master key that is missing, no more clients than this are named. */
const NAMED = 10;

/** What `GET /keys/status` answers, for who owns the database. One statement: one snapshot. */
export async function keysStatus(sql: Sql, keyring: Pick<Keyring, 'byId'> | undefined): Promise<KeysStatus> {
  const [row] = await sql<[{ counts: EnvelopeCounts[] }]>`select private.envelope_counts() as counts`;
  return describeKeys(row.counts, keyring);
}

export function sayStatus({ master_keys, to_rewrap, unopenable }: KeysStatus): void {
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
    say(
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    );
  }
  say();
  for (const { id } of master_keys.filter((key) => key.role === 'open' && key.envelopes === 0)) {
    say(`Nothing is left under ${id}: it may be dropped.`);
  }
  if (to_rewrap > 0) say(`${to_rewrap} envelopes wait to be moved: npm run keys:rewrap.`);
  if (unopenable > 0)
    say(`${unopenable} envelopes are under master keys that are missing: they open for nobody.`);
}

/** Whose envelopes the missing master keys sealed: ids of clients. */
export async function sayWhoseAreMissing(sql: Sql, { master_keys }: KeysStatus): Promise<void> {
  for (const { id } of master_keys.filter(({ role }) => role === 'missing')) {
    const clients = await sql<{ client_id: string }[]>`
      select client_id from public.trading_keys where master_key_id = ${id}
      union select client_id from public.bot_wallets where master_key_id = ${id}
      order by client_id limit ${NAMED + 1}`;
    const named = clients.slice(0, NAMED).map(({ client_id }) => client_id);
    say(`Under ${id}: client ${named.join(', ')}${clients.length > NAMED ? ' and others' : ''}`);
  }
}
