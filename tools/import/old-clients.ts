/** Groups the rows of the old tables into clients with their bots and keys. Rows without a client are rejected. */
import { z } from 'zod';
import { Name } from '../../src/contract/common.ts';
import {
  type Fields,
  type MapFile,
  type MappedTable,
  MappingError,
  mapped,
  type OldTable,
} from './mapping.ts';
import { type Outcome, type RefusedReason, type RowName, refused } from './outcome.ts';
import type { Tables } from './tables.ts';

export interface OldKey extends RowName {
  readonly token: string | null;
  readonly address: string | null;
  /** False if the old database has no column for the address. Then the address is derived from the key. */
  readonly addressKnown: boolean;
  readonly active: boolean;
}

export interface OldBot extends RowName {
  readonly name: string;
  readonly type: string;
  readonly wallets: readonly OldKey[];
}

export interface OldClient extends RowName {
  readonly name: string;
  readonly email: string;
  readonly keys: readonly OldKey[];
  readonly bots: readonly OldBot[];
}

/** Integers and UUIDs. If `--map` names a wrong column, its values could be keys, which must not be printed as ids. */
const ID = /^(?:\d{1,19}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
/** Only A to Z become lower case, as everywhere. With Unicode rules, another e-mail could become equal to a client's. */
const Email = z
  .string()
  .trim()
  .transform((text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()))
  .pipe(z.email().max(320));

/** Returns the clients oldest first, so that every run handles them in the same order. */
export function oldClientsOf(tables: Tables, map: MapFile): { clients: OldClient[]; outcomes: Outcome[] } {
  const outcomes: Outcome[] = [];
  const reject = (row: RowName, reason: RefusedReason) => void outcomes.push(refused(row, reason));

  const clients = mapped('clients', tables, map);
  const keys = mapped('trading_keys', tables, map);
  const bots = mapped('bots', tables, map);
  const wallets = mapped('bot_wallets', tables, map);
  if (!keys && !wallets) throw new MappingError('The old database has neither trading_keys nor bot_wallets.');
  if (!clients && !map.emails) {
    throw new MappingError(
      'The old database has no table of clients. Set their e-mail addresses with --map.',
    );
  }

  const rowsOf = <Table extends OldTable>(name: Table, table: MappedTable<Table> | undefined) =>
    usableRows(name, table?.rows ?? [], reject);
  const clientRows = rowsOf('clients', clients ?? clientsByEmail(map.emails ?? {}));
  const keyRows = Map.groupBy(rowsOf('trading_keys', keys), (row) => row.client_id ?? '');
  const botRows = Map.groupBy(rowsOf('bots', bots), (row) => row.client_id ?? '');
  const walletRows = Map.groupBy(rowsOf('bot_wallets', wallets), (row) => row.bot_id ?? '');

  /** Removes the group of an id from the map. Groups that remain at the end belong to no client. */
  const takeOut = <Row>(groups: Map<string, Row[]>, id: string): Row[] => {
    const group = groups.get(id) ?? [];
    groups.delete(id);
    return group;
  };
  const rejectRest = (
    rows: Iterable<Iterable<{ id: string | null }>>,
    table: OldTable,
    reason: RefusedReason,
  ) => {
    for (const group of rows) for (const row of group) reject({ table, id: row.id ?? '' }, reason);
  };

  const emails = new Set<string>();
  const found: OldClient[] = [];
  for (const row of clientRows) {
    const id = row.id ?? '';
    const email = Email.safeParse(map.emails?.[id] ?? row.email).data;
    const ownKeys = takeOut(keyRows, id).map((key) => oldKey('trading_keys', key, keys));
    const ownBots = takeOut(botRows, id).map((bot): OldBot => {
      const held = takeOut(walletRows, bot.id ?? '').map((wallet) => oldKey('bot_wallets', wallet, wallets));
      const type = bot.bot_type ?? '';
      return { table: 'bots', id: bot.id ?? '', type, name: nameOf(bot.name, type), wallets: held };
    });
    if (email === undefined || emails.has(email)) {
      reject({ table: 'clients', id }, email === undefined ? 'email_malformed' : 'email_taken');
      rejectRest([ownKeys], 'trading_keys', 'client_refused');
      rejectRest([ownBots], 'bots', 'client_refused');
      rejectRest(
        ownBots.map((bot) => bot.wallets),
        'bot_wallets',
        'client_refused',
      );
      continue;
    }
    emails.add(email);
    found.push({
      table: 'clients',
      id,
      email,
      name: nameOf(row.name, email.slice(0, 200)),
      keys: ownKeys,
      bots: ownBots,
    });
  }

  rejectRest(keyRows.values(), 'trading_keys', 'client_missing');
  for (const group of botRows.values()) {
    for (const bot of group) rejectRest([takeOut(walletRows, bot.id ?? '')], 'bot_wallets', 'bot_refused');
  }
  rejectRest(botRows.values(), 'bots', 'client_missing');
  rejectRest(walletRows.values(), 'bot_wallets', 'bot_missing');
  return { clients: found, outcomes };
}

type Row<Name extends OldTable> = Fields<Name> & {
  readonly id: string | null;
  readonly created_at: string | null;
};

/** The rows with a valid and unique id, oldest first. */
function usableRows<Name extends OldTable>(
  table: Name,
  rows: readonly Fields<Name>[],
  reject: (row: RowName, reason: RefusedReason) => void,
): Row<Name>[] {
  const ids = new Set<string>();
  const usable: Row<Name>[] = [];
  for (const [at, row] of (rows as readonly Row<Name>[]).entries()) {
    const id = row.id ?? '';
    if (!ID.test(id)) reject({ table, id: `row ${at + 1}` }, 'id_malformed');
    else if (ids.has(id)) reject({ table, id }, 'id_twice');
    else {
      ids.add(id);
      usable.push(row);
    }
  }
  return usable.sort((one, other) => {
    const [a = '', b = ''] = [one.created_at ?? '', other.created_at ?? ''];
    if (a !== b) return a < b ? -1 : 1;
    return (one.id ?? '').localeCompare(other.id ?? '', 'en', { numeric: true });
  });
}

function clientsByEmail(emails: Readonly<Record<string, string>>): MappedTable<'clients'> {
  const rows = Object.entries(emails).map(([id, email]) => ({ id, email, name: null, created_at: null }));
  return { without: new Set(), rows };
}

function oldKey<Name extends 'trading_keys' | 'bot_wallets'>(
  table: Name,
  row: Fields<Name>,
  from: MappedTable<Name> | undefined,
): OldKey {
  const fields: Fields<'trading_keys' | 'bot_wallets'> = row;
  const { id, token, address, active, ended_at } = fields;
  return {
    table,
    id: id ?? '',
    token: token === null ? null : textOf(token),
    address,
    addressKnown: !from?.without.has('address'),
    active: ended_at === null && (active === null || !/^(?:f|false|n|no|0)$/i.test(active)),
  };
}

/** If a token was stored as bytes, PostgreSQL returns `\x` and the bytes in hex. */
function textOf(token: string): string {
  return /^\\x(?:[0-9a-f]{2})*$/.test(token) ? Buffer.from(token.slice(2), 'hex').toString('latin1') : token;
}

/** If a name is invalid, another one is used, so that the key can be imported anyway. */
function nameOf(name: string | null, otherwise: string): string {
  return Name.safeParse(name).data ?? Name.safeParse(otherwise).data ?? 'Imported';
}
