/**
 * A platform whose envelopes are moved to a new master key while its bots sign and its clients rotate and revoke. The
 * envelopes are real. Does not import vitest, because a test and a benchmark use it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { open, seal } from '../../src/crypto/envelope.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { retryWhileBusy } from './outcome.ts';
import { Rows } from './rows.ts';
import type { SealedWallet } from './sealed-wallet.ts';

export interface Platform {
  readonly sql: Sql;
  readonly clients: readonly TrafficClient[];
  readonly edgeToken: string;
  /** The private key of each key id, in hex. */
  readonly secrets: Map<string, string>;
}

export interface TrafficClient {
  readonly id: string;
  readonly botId: string;
  readonly token: string;
  /** The trading key that was stored last; `undefined` after a revocation. */
  keyId: string | undefined;
}

const KIND = { kind: 'evm.message', recipients: [], value: '0', digest: 'ab'.repeat(32) };

async function newKey(
  { secrets }: Pick<Platform, 'secrets'>,
  clientId: string,
  keyring: Keyring,
): Promise<SealedWallet> {
  const secret = randomBytes(32);
  const address = `0x${randomBytes(20).toString('hex')}`;
  const keyId = randomUUID();
  secrets.set(keyId, secret.toString('hex'));
  const encrypted = await seal(secret, { clientId, chain: 'evm', address, keyId }, keyring);
  return { address, chain: 'evm', key_id: keyId, encrypted_key: encrypted };
}

/** `count` clients, each with a trading key and two running bots with copies; every fourth also has an own key of a wallet. */
export async function newPlatform(databaseUrl: string, count: number, keyring: Keyring): Promise<Platform> {
  const sql = postgres(databaseUrl, { max: 12, onnotice: () => {}, prepare: false });
  const edgeToken = randomBytes(32).toString('hex');
  await sql`insert into public.machine_tokens (scope, name, token_hash)
    values ('edge', 'an edge', sha256(${edgeToken}::text::bytea))`;
  const platform = { sql, edgeToken, secrets: new Map<string, string>(), clients: [] as TrafficClient[] };
  for (let from = 0; from < count; from += 200) {
    await sql.begin(async (tx) => {
      const rows = new Rows(tx);
      const keyIds = new Map<string, string>();
      const keyOf = async (clientId: string) => {
        const key = await newKey(platform, clientId, keyring);
        keyIds.set(clientId, key.key_id);
        return key;
      };
      const clients = await rows.newClientsWithBots(Math.min(200, count - from), { bots: 2, keyOf });
      for (const [n, { client, bots }] of clients.entries()) {
        if (n % 4 > 0) continue;
        const own = await newKey(platform, client.clientId, keyring);
        await rows.newWallets(client, [{ bot_id: bots[1] ?? '', ...own }]);
      }
      platform.clients.push(
        ...clients.map(({ client, bots, tokens }) => ({
          id: client.clientId,
          botId: bots[0] ?? '',
          token: tokens[0]?.token ?? '',
          keyId: keyIds.get(client.clientId),
        })),
      );
    });
  }
  return platform;
}

/** The actions of runners and clients while envelopes are moved, until `stop`. */
export class Traffic {
  readonly signatures = new Map<string, number>();
  rotations = 0;
  revocations = 0;
  readonly #platform: Platform;
  readonly #keyring: Keyring;
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  /** @param keyring opens envelopes of both master keys; its primary seals the keys of rotations */
  constructor(platform: Platform, keyring: Keyring) {
    this.#platform = platform;
    this.#keyring = keyring;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** Runners: each signs continuously for its own share of the clients. Every eighth client is always in use. */
  sign(runners: number, pauseMs = 2): void {
    for (let part = 0; part < runners; part++) {
      const own = this.#platform.clients.filter((_, i) => i % runners === part);
      this.#loop(async (turn) => {
        const client = own[turn % 2 === 0 ? (turn >> 1) % own.length : 0];
        if (client) await this.#signOnce(client);
        if (pauseMs > 0) await wait(pauseMs);
      });
    }
  }

  /** Clients all over the platform that rotate, under either master key. */
  rotate(keyrings: readonly Keyring[], pauseMs: number): void {
    const { clients, sql, edgeToken } = this.#platform;
    this.#loop(async (turn) => {
      const client = clients[(turn * 7919) % clients.length];
      const keyring = keyrings[turn % keyrings.length];
      if (client?.keyId !== undefined && keyring) {
        const key = await newKey(this.#platform, client.id, keyring);
        const rotated = await retryWhileBusy(
          () => sql`select public.rotate_key(
            ${edgeToken}, ${client.id}, ${key.address}, ${key.chain}, ${key.key_id}, ${key.encrypted_key})`,
        ).catch(unlessRevoked);
        // The client may have been revoked since: a revocation is final.
        if (rotated && client.keyId !== undefined) client.keyId = key.key_id;
        if (rotated) this.rotations += 1;
      }
      await wait(pauseMs);
    });
  }

  /** Every `step`th client revokes. */
  revoke(step: number, pauseMs: number): void {
    const { clients, sql } = this.#platform;
    this.#loop(async (turn) => {
      const client = clients[turn * step + 1];
      if (client?.keyId !== undefined) {
        client.keyId = undefined;
        await sql`delete from public.trading_keys where client_id = ${client.id}`;
        this.revocations += 1;
      }
      await wait(pauseMs);
    });
  }

  #loop(once: (turn: number) => Promise<void>): void {
    const run = async () => {
      for (let turn = 0; !this.#stopped; turn++) await once(turn);
    };
    this.#running.push(run());
  }

  /** `ok` is a key that was checked out, opened and compared with the key that was stored. */
  async #signOnce(client: TrafficClient): Promise<void> {
    const { edgeToken } = this.#platform;
    const outcome = await retryWhileBusy(() =>
      this.#platform.sql.begin(async (sql) => {
        await sql`select set_config('role', 'anon', true), set_config('request.jwt.claims', '', true)`;
        const [row] = await sql<[{ key: Record<'address' | 'key_id' | 'encrypted_key', string> }]>`
          select public.check_out_key(${edgeToken}, ${client.token}, ${client.botId}, ${sql.json(KIND)}) as key`;
        return row.key;
      }),
    )
      .then(async ({ address, key_id, encrypted_key }) => {
        const binding = { clientId: client.id, chain: 'evm', address, keyId: key_id };
        const secret = Buffer.from(await open(encrypted_key, binding, this.#keyring)).toString('hex');
        return secret === this.#platform.secrets.get(key_id) ? 'ok' : 'another key';
      })
      .catch((error: unknown) => {
        if (error instanceof postgres.PostgresError) return `${error.code} ${error.hint}`;
        return error instanceof Error ? error.name : 'unknown';
      });
    this.signatures.set(outcome, (this.signatures.get(outcome) ?? 0) + 1);
  }
}

/** The errors of a rotation that follows a revocation. */
function unlessRevoked(error: unknown): undefined {
  if (!(error instanceof postgres.PostgresError && error.hint === 'trading_key_missing')) throw error;
}

/**
 * The faults of the platform after everything was moved to this keyring's only key, with this many changes of the
 * master key. An empty list means that nothing is wrong.
 */
export async function wrongsOf(
  { sql, clients, secrets }: Platform,
  only: Keyring,
  changes = 1,
): Promise<string[]> {
  const ids = clients.map(({ id }) => id);
  const rows = await sql<
    {
      client_id: string;
      chain: string;
      address: string;
      key_id: string;
      encrypted_key: string;
      trading: boolean;
    }[]
  >`
    select client_id, chain, address, key_id, encrypted_key, true as trading from public.trading_keys
    where client_id = any (${ids}::uuid[])
    union all
    select client_id, chain, address, key_id, encrypted_key, false from public.bot_wallets
    where client_id = any (${ids}::uuid[]) and encrypted_key is not null`;
  const wrongs: string[] = [];
  const byClient = Map.groupBy(rows, (row) => row.client_id);
  for (const { id, keyId } of clients) {
    const held = byClient.get(id) ?? [];
    if (keyId === undefined && held.length > 0) wrongs.push(`un-revoked: client ${id}`);
    if (keyId !== undefined && held.find(({ trading }) => trading)?.key_id !== keyId) {
      wrongs.push(`not the last trading key: client ${id}`);
    }
  }
  const opened = new Map<string, string>();
  for (const { client_id, chain, address, key_id, encrypted_key } of rows) {
    const binding = { clientId: client_id, chain, address, keyId: key_id };
    if (!opened.has(encrypted_key)) {
      const secret = await open(encrypted_key, binding, only).then(
        (bytes) => Buffer.from(bytes).toString('hex'),
        () => 'does not open',
      );
      opened.set(encrypted_key, secret);
    }
    if (opened.get(encrypted_key) !== secrets.get(key_id))
      wrongs.push(`not the secret that was stored: key ${key_id}`);
  }
  const twice = await sql<{ key_id: string }[]>`
    select key_id from private.every_key_event where event = 'key_rewrapped' and client_id = any (${ids}::uuid[])
    group by key_id having count(*) > ${changes} or min(actor) <> 'operator' or max(actor) <> 'operator'`;
  wrongs.push(...twice.map(({ key_id }) => `too many events, or of another actor: key ${key_id}`));
  return wrongs;
}
