/** An old backend: a second real database with its schema, whose keys are Fernet tokens, and imports from it. */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { inject } from 'vitest';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { readFernetKeys } from '../../tools/import/fernet.ts';
import type { MapFile } from '../../tools/import/mapping.ts';
import type { Outcome } from '../../tools/import/outcome.ts';
import { readSource, runImport } from '../../tools/import/run.ts';
import type { Import } from '../../tools/import/write-client.ts';
import { MASTER_KEY } from '../support/api.ts';
import { fernetToken, newFernetKey } from '../support/fernet.ts';
import type { TestKey } from '../support/private-keys.ts';
import { recordKeysOf } from '../support/recorder.ts';

const TABLES = `
  create table clients (
    id serial primary key, name text, email text, password_hash text, created_at timestamp default now());
  create table bots (
    id uuid primary key default gen_random_uuid(), client_id integer, name text, bot_type text, status text,
    config json, created_at timestamp default now());
  create table trading_keys (
    id serial primary key, client_id integer, wallet_address text, encrypted_private_key text,
    is_active boolean default true, created_at timestamp default now(), updated_at timestamp);
  create table bot_wallets (
    id serial primary key, bot_id uuid, address text, encrypted_private_key text, created_at timestamp default now());`;

export interface OldKeyRow {
  readonly address?: string | null;
  readonly token?: string | null;
  readonly active?: boolean;
  /** The Fernet key, if it is not that of the backend. */
  readonly under?: string;
}

/** One database for the old backends of a test file, each with its own schema, because creating a database is slow. */
let database: Promise<string> | undefined;

async function createDatabase(): Promise<string> {
  const name = `old_${randomUUID().replaceAll('-', '')}`;
  const cluster = postgres(inject('superuserUrl'), { max: 1, onnotice: () => {} });
  await cluster.unsafe(`create database ${name}`);
  await cluster.end();
  return Object.assign(new URL(inject('superuserUrl')), { pathname: `/${name}` }).href;
}

export class OldBackend {
  readonly url: string;
  readonly schema = `s${randomUUID().replaceAll('-', '')}`;
  readonly sql: postgres.Sql;
  /** The name of this source for the import, distinct from those of other tests. */
  readonly source = `old-${randomUUID()}`;
  readonly fernetKey = newFernetKey();

  private constructor(url: string) {
    this.url = url;
    this.sql = postgres(url, { max: 1, onnotice: () => {}, connection: { search_path: this.schema } });
  }

  static async start(tables = TABLES): Promise<OldBackend> {
    database ??= createDatabase();
    const old = new OldBackend(await database);
    await old.sql.unsafe(`create schema ${old.schema}; ${tables}`).simple();
    return old;
  }

  async client(email = `${randomUUID()}@example.test`): Promise<{ id: number; email: string }> {
    const [row] = await this.sql<[{ id: number }]>`
      insert into clients (name, email) values ('An old client', ${email}) returning id`;
    return { id: row.id, email };
  }

  async bot(client: { id: number }, type = 'evm-grid'): Promise<string> {
    const [row] = await this.sql<[{ id: string }]>`
      insert into bots (client_id, name, bot_type, status) values (${client.id}, 'An old bot', ${type}, 'running')
      returning id`;
    return row.id;
  }

  /** Returns the id of the row. */
  async tradingKey(client: { id: number }, key: TestKey, row: OldKeyRow = {}): Promise<string> {
    const [inserted] = await this.sql<[{ id: number }]>`
      insert into trading_keys (client_id, wallet_address, encrypted_private_key, is_active)
      values (${client.id}, ${row.address === undefined ? key.address : row.address}, ${this.#token(key, row)},
        ${row.active ?? true})
      returning id`;
    return String(inserted.id);
  }

  async wallet(bot: string, key: TestKey, row: OldKeyRow = {}): Promise<string> {
    const [inserted] = await this.sql<[{ id: number }]>`
      insert into bot_wallets (bot_id, address, encrypted_private_key)
      values (${bot}, ${row.address === undefined ? key.address : row.address}, ${this.#token(key, row)})
      returning id`;
    return String(inserted.id);
  }

  #token(key: TestKey, { token, under = this.fernetKey }: OldKeyRow): string | null {
    recordKeysOf({ private_key: key.privateKey });
    return token === undefined ? fernetToken(under, key.privateKey) : token;
  }

  end(): Promise<void> {
    return this.sql.end({ timeout: 1 });
  }
}

export interface ImportOptions extends Partial<Omit<Import, 'sql' | 'keyring'>> {
  readonly map?: MapFile;
  /** Fernet keys, if they are not those of the backend. */
  readonly keys?: string;
  /** How many clients are imported before the run is interrupted. */
  readonly breakAfter?: number;
}

const sql = postgres(inject('databaseUrl'), { max: 4, onnotice: () => {} });
export const endImports = () => sql.end({ timeout: 1 });

/** Runs an import. Returns the outcome of each row, as `table id: taken`, `... refused address_mismatch`. */
export async function importFrom(old: OldBackend, options: ImportOptions = {}): Promise<string[]> {
  const { keys = old.fernetKey, breakAfter = Number.POSITIVE_INFINITY, map: _, ...more } = options;
  const map = { schema: old.schema, ...options.map };
  const job: Import = {
    sql,
    keyring: await parseKeyring(MASTER_KEY),
    source: old.source,
    botTypes: new Map(),
    keysFromWallets: false,
    dryRun: false,
    claimed: new Map(),
    ...more,
  };
  const lines: string[] = [];
  let clients = 0;
  const tables = await readSource({ url: old.url }, map);
  for await (const outcome of runImport(job, tables, map, readFernetKeys(keys))) {
    if (outcome.table === 'clients') clients += 1;
    if (clients > breakAfter) break;
    lines.push(lineOf(outcome));
  }
  return lines;
}

export const lineOf = (outcome: Outcome): string =>
  `${outcome.table} ${outcome.id}: ${outcome.as}${'reason' in outcome ? ` ${outcome.reason}` : ''}`;
