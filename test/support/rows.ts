/**
 * The rows that a test starts from, written by the operator's SQL: accounts, clients, and their keys, bots, wallets and
 * tokens. bots.ts and runners.ts create the same through the API. Does not import vitest, because benchmarks use it too.
 */
import type postgres from 'postgres';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { sealedWallet } from './sealed-wallet.ts';

export interface Account {
  readonly userId: string;
  readonly email: string;
}

export interface Client {
  readonly clientId: string;
  readonly userId: string;
}

export interface TokenRow {
  readonly id: string;
  readonly token: string;
}

export interface ClientRows {
  readonly client: Client;
  /** Of the trading key. */
  readonly address: string;
  readonly bots: readonly string[];
  /** Each signs for the first 100 bots. */
  readonly tokens: readonly TokenRow[];
}

export interface ClientRowsOptions {
  readonly bots?: number;
  readonly botType?: string;
  readonly running?: boolean;
  /** The number of machine tokens. */
  readonly tokens?: number;
  /** The trading key. The default is an envelope that no key opens. */
  readonly keyOf?: (clientId: string) => KeyColumns | Promise<KeyColumns>;
}

type KeyColumns = Readonly<Record<'address' | 'chain' | 'key_id' | 'encrypted_key', string>>;

/** One wallet. Without a key id it holds a copy of the trading key. */
export interface WalletRow extends Partial<Readonly<Record<keyof KeyColumns, string | null>>> {
  readonly bot_id: string;
}

/** Runs one statement as the operator. */
export type RunSql = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

const runOn =
  (sql: postgres.ISql): RunSql =>
  async <Row>(text: string, values: readonly unknown[] = []) => [
    ...(await sql.unsafe<(Row & postgres.Row)[]>(text, [...values] as postgres.ParameterOrJSON<never>[])),
  ];

export class Rows {
  readonly #run: RunSql;

  /** @param by a connection or transaction, or a function that runs a statement elsewhere */
  constructor(by: postgres.ISql | RunSql) {
    this.#run = 'unsafe' in by ? runOn(by) : by;
  }

  /** An account with a confirmed e-mail and no client. */
  async newAccount(email = `${crypto.randomUUID()}@example.test`): Promise<Account> {
    const userId = crypto.randomUUID();
    await this.#run(
      `insert into auth.users (id, aud, role, email, email_confirmed_at)
       values ($1, 'authenticated', 'authenticated', $2, now())`,
      [userId, email],
    );
    return { userId, email };
  }

  async newAdmin(): Promise<Account> {
    const account = await this.newAccount();
    await this.makeAdmin(account);
    return account;
  }

  async makeAdmin({ userId }: Pick<Account, 'userId'>): Promise<void> {
    await this.#run('insert into private.admins (user_id) values ($1)', [userId]);
  }

  /** Clients, each linked to its account, and with nothing else. */
  async newClients(count: number, name = 'A client'): Promise<(Client & Account)[]> {
    const clients = await this.#run<Client & Account>(
      `with accounts as (
         insert into auth.users (id, aud, role, email, email_confirmed_at)
         select gen_random_uuid(), 'authenticated', 'authenticated', gen_random_uuid() || '@example.test', now()
         from generate_series(1, $1::integer) returning id, email)
       insert into public.clients (name, email, user_id) select $2::text, email, id from accounts
       returning id as "clientId", user_id as "userId", email`,
      [count, name],
    );
    // Linking the account is not part of what a test does.
    await this.#run(
      `delete from private.queued_key_events where client_id = any ($1::uuid[]) and event = 'account_linked'`,
      [clients.map(({ clientId }) => clientId)],
    );
    return clients;
  }

  async newClient(name?: string): Promise<Client & Account> {
    return the(await this.newClients(1, name));
  }

  /** Returns the address of the new trading key. */
  async newKey({ clientId }: Pick<Client, 'clientId'>): Promise<string> {
    const key = sealedWallet(clientId);
    await this.#newKeys([{ client_id: clientId, ...key }]);
    return key.address;
  }

  async #newKeys(keys: readonly (KeyColumns & { readonly client_id: string })[]): Promise<void> {
    await this.#run(
      `insert into public.trading_keys (client_id, address, chain, key_id, encrypted_key)
       select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])`,
      (['client_id', 'address', 'chain', 'key_id', 'encrypted_key'] as const).map((column) =>
        keys.map((key) => key[column]),
      ),
    );
  }

  /** Stopped bots without wallets. */
  async newBots({ clientId }: Pick<Client, 'clientId'>, count: number): Promise<string[]> {
    const bots = await this.#newBots([clientId], count);
    return bots.map(({ id }) => id);
  }

  #newBots(clientIds: readonly string[], each: number, botType = 'evm-grid') {
    return this.#run<{ id: string; client_id: string }>(
      `insert into public.bots (client_id, bot_type, name)
       select client_id, $2::text, 'A bot' from unnest($1::uuid[]) as client_id, generate_series(1, $3::integer)
       returning id, client_id`,
      [clientIds, botType, each],
    );
  }

  async newWallets({ clientId }: Pick<Client, 'clientId'>, wallets: readonly WalletRow[]): Promise<void> {
    await this.#run(
      `insert into public.bot_wallets (client_id, bot_id, address, chain, key_id, encrypted_key)
       select $1::uuid, * from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[])`,
      [
        clientId,
        ...(['bot_id', 'address', 'chain', 'key_id', 'encrypted_key'] as const).map((column) =>
          wallets.map((wallet) => wallet[column] ?? null),
        ),
      ],
    );
  }

  async startBots({ clientId }: Pick<Client, 'clientId'>): Promise<void> {
    await this.#run(`update public.bots set status = 'running' where client_id = $1`, [clientId]);
  }

  /** A machine token that signs for all bots of its client, or for the first 100 of them. */
  async newToken({ clientId }: Pick<Client, 'clientId'>): Promise<TokenRow> {
    const { id, token } = the(await this.#newTokens([clientId]));
    return { id, token };
  }

  async #newTokens(clientIds: readonly string[]): Promise<(TokenRow & { readonly clientId: string })[]> {
    if (clientIds.length === 0) return [];
    const tokens = clientIds.map((clientId) => ({ clientId, token: newMachineToken() }));
    const hashes = tokens.map(({ token }) => hashOfMachineToken(token));
    const rows = await this.#run<{ id: string; hash: string }>(
      `insert into public.machine_tokens (client_id, name, token_hash)
       select client_id, 'A token', decode(hash, 'hex') from unnest($1::uuid[], $2::text[]) as given (client_id, hash)
       returning id, encode(token_hash, 'hex') as hash`,
      [clientIds, hashes],
    );
    const ids = new Map(rows.map(({ id, hash }) => [hash, id]));
    const issued = tokens.map((token, n) => ({ ...token, id: ids.get(hashes[n] ?? '') ?? '' }));
    await this.#run(
      `insert into public.machine_token_bots (token_id, bot_id, client_id)
       select issued.id, bots.id, issued.client_id from unnest($1::uuid[], $2::uuid[]) as issued (id, client_id)
       cross join lateral (
         select bots.id from public.bots where bots.client_id = issued.client_id order by bots.id limit 100) as bots`,
      [issued.map(({ id }) => id), clientIds],
    );
    return issued;
  }

  /** A client with a trading key, bots that hold a copy of it, and tokens that sign for all of them. */
  async newClientWithBots(options?: ClientRowsOptions): Promise<ClientRows> {
    return the(await this.newClientsWithBots(1, options));
  }

  async newClientsWithBots(count: number, options?: ClientRowsOptions): Promise<ClientRows[]> {
    return this.#addKeysAndBots(await this.newClients(count), options);
  }

  /** The same for a client that exists and has no key. */
  async addKeyAndBots(client: Client, options?: ClientRowsOptions): Promise<ClientRows> {
    return the(await this.#addKeysAndBots([client], options));
  }

  /** In as few statements as possible, because benchmarks need thousands. */
  async #addKeysAndBots(
    clients: readonly Client[],
    { bots = 1, botType, running = true, tokens = 1, keyOf = sealedWallet }: ClientRowsOptions = {},
  ): Promise<ClientRows[]> {
    const ids = clients.map(({ clientId }) => clientId);
    const keys = await Promise.all(ids.map(async (id) => ({ client_id: id, ...(await keyOf(id)) })));
    await this.#newKeys(keys);
    const made = Map.groupBy(await this.#newBots(ids, bots, botType), ({ client_id }) => client_id);
    await this.#run(
      `insert into public.bot_wallets (bot_id, client_id, address, chain)
       select bots.id, client_id, keys.address, keys.chain
       from public.bots join public.trading_keys as keys using (client_id) where client_id = any ($1::uuid[])`,
      [ids],
    );
    if (running)
      await this.#run(`update public.bots set status = 'running' where client_id = any ($1::uuid[])`, [ids]);
    const issued = await this.#newTokens(ids.flatMap((id) => Array.from({ length: tokens }, () => id)));
    const tokensOf = Map.groupBy(issued, ({ clientId }) => clientId);
    return clients.map(({ clientId, userId }, n) => ({
      client: { clientId, userId },
      address: keys[n]?.address ?? '',
      bots: (made.get(clientId) ?? []).map(({ id }) => id),
      tokens: (tokensOf.get(clientId) ?? []).map(({ id, token }) => ({ id, token })),
    }));
  }
}

/** The only row of a statement for one. */
function the<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new TypeError('unreachable: one row was requested');
  return row;
}
