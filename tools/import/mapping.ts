/**
 * The tables and columns of the old database. Its schema is unknown, so usual names are tried in order. A JSON file
 * (`--map`) sets the names that differ:
 *
 *     {"schema": "public",
 *      "clients": {"table": "customers", "email": "contact"},
 *      "trading_keys": {"address": null}}
 *
 * The members of a table are `table` and the fields below. The value of a field is the name of a column. `null` means
 * that the column does not exist: without `address`, the address is derived from the key. If the old database has no
 * table of clients, `emails` gives their e-mail addresses by old id: `{"emails": {"17": "alice@example.com"}}`.
 */
import { z } from 'zod';
import { OperatorError } from '../operator/failure.ts';
import type { Tables, Wanted } from './tables.ts';

interface Field {
  readonly columns: readonly string[];
  readonly required?: true;
}

const ID: Field = { columns: ['id'], required: true };
const CREATED_AT: Field = { columns: ['created_at'] };
const KEY_FIELDS = {
  address: { columns: ['wallet_address', 'address', 'public_key', 'public_address'], required: true },
  token: {
    columns: ['encrypted_private_key', 'encrypted_key', 'private_key_encrypted', 'private_key'],
    required: true,
  },
  active: { columns: ['is_active', 'active'] },
  ended_at: { columns: ['revoked_at', 'deleted_at'] },
  created_at: CREATED_AT,
} as const satisfies Record<string, Field>;

const FIELDS = {
  clients: {
    id: ID,
    email: { columns: ['email', 'contact_email'], required: true },
    name: { columns: ['name', 'full_name', 'client_name'] },
    created_at: CREATED_AT,
  },
  bots: {
    id: ID,
    client_id: { columns: ['client_id', 'owner_id'], required: true },
    bot_type: { columns: ['bot_type', 'type', 'strategy'], required: true },
    name: { columns: ['name', 'bot_name'] },
    created_at: CREATED_AT,
  },
  trading_keys: { id: ID, client_id: { columns: ['client_id'], required: true }, ...KEY_FIELDS },
  bot_wallets: { id: ID, bot_id: { columns: ['bot_id'], required: true }, ...KEY_FIELDS },
} as const satisfies Record<string, Record<string, Field>>;

export type OldTable = keyof typeof FIELDS;
export type FieldOf<Name extends OldTable> = keyof (typeof FIELDS)[Name] & string;
export const OLD_TABLES = Object.keys(FIELDS) as OldTable[];

const MapFile = z.strictObject({
  schema: z.string().min(1).optional(),
  emails: z.record(z.string(), z.string()).optional(),
  clients: tableMap('clients'),
  bots: tableMap('bots'),
  trading_keys: tableMap('trading_keys'),
  bot_wallets: tableMap('bot_wallets'),
});
export type MapFile = z.infer<typeof MapFile>;

function tableMap(table: OldTable) {
  const names = ['table', ...Object.keys(FIELDS[table])];
  return z.partialRecord(z.enum(names), z.string().min(1).nullable()).optional();
}

/** A fault of the map or of the old schema. The message contains only names of tables and fields. */
export class MappingError extends OperatorError {
  override readonly name = 'MappingError';
}

/** @throws {MappingError} */
export function parseMap(text: string): MapFile {
  try {
    return MapFile.parse(JSON.parse(text));
  } catch (error) {
    const at = error instanceof z.ZodError ? error.issues[0]?.path[0] : undefined;
    throw new MappingError(`The map is malformed${at === undefined ? '' : `, at ${String(at)}`}.`);
  }
}

export const tableNameOf = (table: OldTable, map: MapFile): string => map[table]?.table ?? table;

/** All columns that may be needed. Some of them may not exist. */
export function wantedBy(map: MapFile): Wanted {
  return new Map(
    OLD_TABLES.map((table) => {
      const fields: [string, Field][] = Object.entries(FIELDS[table]);
      const columns = fields.flatMap(([name, field]) => map[table]?.[name] ?? field.columns);
      return [tableNameOf(table, map), new Set(columns)];
    }),
  );
}

/** The fields of a row. A field that the old database does not have is null. */
export type Fields<Name extends OldTable> = Readonly<Record<FieldOf<Name>, string | null>>;

export interface MappedTable<Name extends OldTable> {
  /** Fields without a column. */
  readonly without: ReadonlySet<FieldOf<Name>>;
  readonly rows: readonly Fields<Name>[];
}

/** The rows of a table by field, or undefined if the old database does not have the table. @throws {MappingError} */
export function mapped<Name extends OldTable>(
  name: Name,
  tables: Tables,
  map: MapFile,
): MappedTable<Name> | undefined {
  const table = tables.get(tableNameOf(name, map));
  if (!table) {
    if (map[name]) throw new MappingError(`The old database has no table for ${name}.`);
    return undefined;
  }
  const places = Object.entries<Field>(FIELDS[name]).map(([field, { columns, required }]) => {
    const mappedTo = map[name]?.[field];
    const candidates = mappedTo === undefined ? columns : mappedTo === null ? [] : [mappedTo];
    const found = candidates.filter((column) => table.columns.includes(column));
    if (found.length > 1)
      throw new MappingError(`Several columns could be ${name}.${field}. Name one of them with --map.`);
    const [column] = found;
    if (column === undefined && (mappedTo ?? (required && mappedTo === undefined))) {
      throw new MappingError(`The column of ${name}.${field} is unknown. Name it with --map.`);
    }
    return [field, column === undefined ? -1 : table.columns.indexOf(column)] as const;
  });
  return {
    without: new Set(places.flatMap(([field, place]) => (place < 0 ? [field as FieldOf<Name>] : []))),
    rows: table.rows.map(
      (row) =>
        Object.fromEntries(places.map(([field, place]) => [field, row[place] ?? null])) as Fields<Name>,
    ),
  };
}
