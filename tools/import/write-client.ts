/** Writes one client of the old database, with its bots and keys, in one transaction. All rules of the database apply. */
import postgres, { type Sql, type TransactionSql } from 'postgres';
import type { Keyring } from '../../src/crypto/keyring.ts';
import type { SealedWallet } from '../../src/database/as-caller.ts';
import type { PrivateKey } from '../../src/keys/index.ts';
import { sealPrivateKey } from '../../src/services/sealing.ts';
import { ImportedRows } from './imported-rows.ts';
import type { OldBot, OldClient, OldKey } from './old-clients.ts';
import { addressOf, type OpenedKeys } from './open-keys.ts';
import { type LeftReason, left, type Outcome, type RefusedReason, refused, taken, there } from './outcome.ts';

export interface Import {
  readonly sql: Sql;
  readonly keyring: Keyring;
  /** The name of the old database. Old ids are unique only within one database. */
  readonly source: string;
  /** Bot types by their name in the old database. Without an entry, the name is the same. */
  readonly botTypes: ReadonlyMap<string, string>;
  /** Import keys of wallets if their client has no trading key. The first one becomes the trading key. */
  readonly keysFromWallets: boolean;
  /** Roll everything back at the end, and only report the outcome. */
  readonly dryRun: boolean;
  /** The client of this run that holds an address. In a dry run, the database does not have this information. */
  readonly claimed: Map<string, string>;
}

/** The trading key that the client has here. */
interface TradingKey {
  readonly address: string;
  readonly key_id: string;
}

/** Rolls a dry run back, and carries its outcomes. */
class Undo {
  readonly outcomes: Outcome[];

  constructor(outcomes: Outcome[]) {
    this.outcomes = outcomes;
  }
}

/** Returns the outcome of each row. All rows are written in one transaction, or none is. */
export async function writeClient(job: Import, client: OldClient, opened: OpenedKeys): Promise<Outcome[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await job.sql.begin(async (sql) => {
        const outcomes = await new ClientWriter(job, sql, client, opened).write();
        if (job.dryRun) throw new Undo(outcomes);
        return outcomes;
      });
    } catch (error) {
      if (error instanceof Undo) return error.outcomes;
      const isBusy = error instanceof postgres.PostgresError && ['40001', '40P01'].includes(error.code);
      if (!isBusy || attempt === 5) throw error;
    }
  }
}

class ClientWriter {
  readonly #job: Import;
  readonly #sql: TransactionSql;
  readonly #client: OldClient;
  readonly #opened: OpenedKeys;
  readonly #outcomes: Outcome[] = [];
  readonly #imported: ImportedRows;
  #clientId = '';
  /** The reason why old keys must not be imported any longer. */
  #changedHere: LeftReason | undefined;
  #tradingKey: TradingKey | undefined;
  /** If the trading key was rejected, no wallet is written, because its key would become the trading key. */
  #isTradingKeyRefused = false;
  /** Whether the key of the client had ended in the old database. Then keys that its wallets still hold are leftovers. */
  #isEnded = false;

  constructor(job: Import, sql: TransactionSql, client: OldClient, opened: OpenedKeys) {
    this.#job = job;
    this.#sql = sql;
    this.#client = client;
    this.#opened = opened;
    this.#imported = new ImportedRows(sql, job.source);
  }

  async write(): Promise<Outcome[]> {
    const { keys, bots } = this.#client;
    // Concurrent runs wait for each other here, before they read anything. Only imports take this lock, so it is first.
    await this.#sql`select pg_advisory_xact_lock(
      private.lock_of('import', ${`${this.#job.source} ${this.#client.id}`}))`;
    await this.#imported.readOf([this.#client, ...keys, ...bots, ...bots.flatMap((bot) => bot.wallets)]);
    if (!(await this.#findOrCreateClient())) return refusedWhole(this.#client, 'email_taken');
    // Locked in sorted order, as in the API. Transactions that lock addresses in different orders could deadlock.
    await this.#sql`select private.lock_addresses(${this.#opened.addresses}::text[])`;
    await this.#lookAtKeys();
    await this.#writeTradingKeys();
    for (const bot of bots) await this.#writeBot(bot);
    return this.#outcomes;
  }

  /** Also locks the client. Returns false if another old client of this source was imported with this e-mail address. */
  async #findOrCreateClient(): Promise<boolean> {
    const { name, email } = this.#client;
    const known = this.#imported.get(this.#client);
    if (!known) {
      await this.#sql`insert into public.clients (name, email) values (${name}, ${email})
        on conflict on constraint "one client for each e-mail" do nothing`;
    }
    const [found] = known
      ? [{ id: known.new_id }]
      : await this.#sql<{ id: string }[]>`select id from public.clients where email = ${email}`;
    this.#clientId = found?.id ?? '';
    await this.#sql`select private.lock_keys(${this.#clientId})`;
    if (!known) {
      if (await this.#imported.hasClient(this.#clientId)) return false;
      await this.#imported.keep(this.#client, this.#clientId, this.#clientId);
    }
    this.#outcomes.push(known ? there(this.#client) : taken(this.#client));
    return true;
  }

  async #lookAtKeys(): Promise<void> {
    const [events] = await this.#sql<{ revoked: boolean; rotated: boolean }[]>`
      select coalesce(bool_or(event = 'key_revoked'), false) as revoked,
        coalesce(bool_or(event = 'key_rotated'), false) as rotated
      from private.every_key_event where client_id = ${this.#clientId}`;
    if (events?.rotated) this.#changedHere = 'rotated_here';
    if (events?.revoked) this.#changedHere = 'revoked_here';
    await this.#readTradingKey();
  }

  async #readTradingKey(): Promise<void> {
    [this.#tradingKey] = await this.#sql<TradingKey[]>`
      select address, key_id from public.trading_keys where client_id = ${this.#clientId}`;
  }

  async #writeTradingKeys(): Promise<void> {
    const { keys } = this.#client;
    const active = keys.filter((key) => key.active);
    this.#isEnded = keys.length > 0 && active.length === 0;
    for (const key of keys) {
      const outcome =
        this.#settled(key) ??
        (active.length > 1 ? refused(key, 'trading_key_twice') : await this.#writeTradingKey(key));
      if (outcome.as === 'refused') this.#isTradingKeyRefused = true;
      this.#outcomes.push(outcome);
    }
  }

  async #writeTradingKey(row: OldKey): Promise<Outcome> {
    const key = this.#opened.of(row);
    if (typeof key === 'string') return refused(row, key);
    if (this.#isClaimed(key.address)) return refused(row, 'address_taken');
    if (this.#tradingKey) {
      if (this.#tradingKey.address !== key.address) return refused(row, 'another_key_here');
      await this.#keepKey(row, this.#clientId, this.#tradingKey);
      return there(row);
    }
    const sealed = await this.#seal(key);
    return this.#attempt(row, async (sql) => {
      await insertTradingKey(sql, this.#clientId, sealed);
      await this.#keepKey(row, this.#clientId, sealed, sql);
    });
  }

  async #writeBot(bot: OldBot): Promise<void> {
    const known = this.#imported.get(bot);
    const botId = known?.new_id ?? (await this.#createBot(bot));
    this.#outcomes.push(
      known ? there(bot) : botId === undefined ? refused(bot, 'bot_type_unknown') : taken(bot),
    );
    for (const wallet of bot.wallets) {
      this.#outcomes.push(this.#settled(wallet) ?? (await this.#writeWallet(wallet, botId)));
    }
  }

  /** Creates a stopped bot, like every new bot. Returns undefined if the bot type does not exist. */
  async #createBot(bot: OldBot): Promise<string | undefined> {
    const type = this.#job.botTypes.get(bot.type) ?? bot.type;
    const [created] = await this.#sql<{ id: string }[]>`
      insert into public.bots (client_id, bot_type, name)
      select ${this.#clientId}, id, ${bot.name} from public.bot_types where id = ${type} returning id`;
    if (created) await this.#imported.keep(bot, created.id, this.#clientId);
    return created?.id;
  }

  async #writeWallet(row: OldKey, botId: string | undefined): Promise<Outcome> {
    if (botId === undefined) return refused(row, 'bot_refused');
    if (this.#isTradingKeyRefused) return refused(row, 'trading_key_refused');
    if (!this.#tradingKey && !this.#job.keysFromWallets) return refused(row, 'no_trading_key');
    const key = this.#opened.of(row);
    if (typeof key === 'string') return refused(row, key);
    if (this.#isClaimed(key.address)) return refused(row, 'address_taken');
    const tradingKey = this.#tradingKey;
    if (
      tradingKey &&
      tradingKey.address !== key.address &&
      !(await this.#imported.holds(tradingKey.key_id))
    ) {
      return refused(row, 'another_key_here');
    }
    const sealed = tradingKey?.address === key.address ? undefined : await this.#seal(key);
    return this.#attempt(row, async (sql) => {
      // The first key of a client becomes its trading key, and the wallet gets a copy.
      if (!tradingKey && sealed) await insertTradingKey(sql, this.#clientId, sealed);
      const own = tradingKey ? sealed : undefined;
      const [wallet] = await sql<{ id: string; address: string; key_id: string }[]>`
        insert into public.bot_wallets (bot_id, client_id, address, chain, key_id, encrypted_key)
        values (${botId}, ${this.#clientId}, ${key.address}, ${key.chain}, ${own?.key_id ?? null},
          ${own?.encrypted_key ?? null})
        returning id, address, key_id`;
      if (wallet) await this.#keepKey(row, wallet.id, wallet, sql);
    });
  }

  /** The outcome if it does not depend on opening the key: rows of an earlier run, and keys that must not be imported. */
  #settled(row: OldKey): Outcome | undefined {
    const known = this.#imported.get(row);
    if (known) {
      if (this.#changedHere) return left(row, this.#changedHere);
      if (!row.active || this.#isEnded || row.token === null) return refused(row, 'ended_in_source');
      const key = this.#opened.of(row);
      const address = addressOf(row) ?? (typeof key === 'string' ? known.address : key.address);
      return address === known.address ? there(row) : refused(row, 'changed_in_source');
    }
    if (!row.active || this.#isEnded) return left(row, 'inactive');
    if (row.token === null && row.table === 'bot_wallets') return left(row, 'empty');
    return this.#changedHere && left(row, this.#changedHere);
  }

  #seal(key: PrivateKey): Promise<SealedWallet> {
    return sealPrivateKey(key, this.#clientId, this.#job.keyring);
  }

  #isClaimed(address: string): boolean {
    return (this.#job.claimed.get(address) ?? this.#client.id) !== this.#client.id;
  }

  async #keepKey(
    row: OldKey,
    newId: string,
    key: TradingKey,
    sql: TransactionSql = this.#sql,
  ): Promise<void> {
    await this.#imported.keep(row, newId, this.#clientId, key, sql);
    this.#job.claimed.set(key.address, this.#client.id);
  }

  /** Writes a row. If a rule of the database rejects it, nothing of the row is written. */
  async #attempt(row: OldKey, write: (sql: TransactionSql) => Promise<void>): Promise<Outcome> {
    try {
      await this.#sql.savepoint(write);
    } catch (error) {
      const reason = refusalOf(error);
      if (!reason) throw error;
      return refused(row, reason);
    }
    await this.#readTradingKey();
    return taken(row);
  }
}

async function insertTradingKey(sql: TransactionSql, clientId: string, key: SealedWallet): Promise<void> {
  await sql`
    insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
    values (${clientId}, ${key.address}, ${key.chain}, ${key.key_id}, ${key.encrypted_key})`;
}

const RULES = ['address_taken', 'chain_mismatch', 'wallet_exists', 'wallet_limit_reached'] as const;

/** The reason if a trigger rejected the row. Any other error is not a rejection of a row. */
function refusalOf(error: unknown): RefusedReason | undefined {
  if (!(error instanceof postgres.PostgresError) || !error.code.startsWith('PT')) return undefined;
  if (error.hint === 'resource_not_found') return 'bot_refused'; // it was deleted here
  return RULES.find((rule) => rule === error.hint);
}

function refusedWhole(client: OldClient, reason: RefusedReason): Outcome[] {
  const rows = [...client.keys, ...client.bots, ...client.bots.flatMap((bot) => bot.wallets)];
  return [refused(client, reason), ...rows.map((row) => refused(row, 'client_refused'))];
}
