/** Bots and keys in the state that a test starts from, created through the API. rows.ts writes the same by SQL. */
import { expect } from 'vitest';
import { open } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import type { Bindings } from '../../src/env.ts';
import { call, MASTER_KEY } from './api.ts';
import { type ClientPerson, newClient, operatorSql, type Person } from './people.ts';
import { newEvmKey, type TestKey } from './private-keys.ts';

export interface ClientWithBot extends ClientPerson {
  readonly key: TestKey;
  readonly botId: string;
}

/** Where a client is created: on the shared stack, or on another one. */
export interface Place {
  readonly settings?: Bindings;
  readonly newClient: () => Promise<ClientPerson>;
}

export interface ClientOptions {
  readonly key?: TestKey;
  readonly at?: Place;
}

/** A client with a trading key and one running bot, which the client set up. */
export async function newClientWithBot({
  key = newEvmKey(),
  at: { settings, newClient: newClientThere } = { newClient },
}: ClientOptions = {}): Promise<ClientWithBot> {
  const client = await newClientThere();
  const answer = await call(`POST /clients/${client.clientId}/setup-bot`, {
    token: client.token,
    body: { bot_type: `${key.chain}-grid`, private_key: key.privateKey },
    ...(settings && { env: settings }),
  });
  expect(answer.status).toBe(201);
  return { ...client, key, botId: answer.json.id };
}

export function setUp(client: ClientPerson, body: object = {}, as: Person = client) {
  return call(`POST /clients/${client.clientId}/setup-bot`, {
    token: as.token,
    body: { bot_type: 'evm-grid', ...body },
  });
}

export function create(admin: Person, client: ClientPerson, body: object = {}) {
  return call('POST /bots/create', {
    token: admin.token,
    body: { client_id: client.clientId, name: 'A bot', bot_type: 'evm-grid', ...body },
  });
}

export function addWallet(admin: Person, botId: string, body: object) {
  return call(`POST /bots/${botId}/wallets`, { token: admin.token, body });
}

export function rotate(client: ClientPerson, body: object, as: Person = client) {
  return call(`PUT /clients/${client.clientId}/rotate-key`, { token: as.token, body });
}

export function revoke(client: ClientPerson, as: Person = client) {
  return call(`DELETE /clients/${client.clientId}/revoke-key`, { token: as.token });
}

export function tradingKey(client: ClientPerson, as: Person = client) {
  return call(`GET /clients/${client.clientId}/trading-key`, { token: as.token });
}

export interface StoredWallet {
  readonly bot_id: string;
  readonly address: string;
  readonly chain: string;
  readonly key_id: string | null;
  readonly encrypted_key: string | null;
}

/** The stored rows, oldest first: the trading key, if there is one, and the wallets of every bot. */
export async function stored(client: ClientPerson) {
  const [trading] = await operatorSql<StoredWallet & { version: number }>(
    'select address, chain, key_id, encrypted_key, version from public.trading_keys where client_id = $1',
    [client.clientId],
  );
  const wallets = await operatorSql<StoredWallet>(
    `select bot_id, address, chain, key_id, encrypted_key from public.bot_wallets where client_id = $1 order by id`,
    [client.clientId],
  );
  return { trading, wallets };
}

/** The private key of a stored row, opened with the master key of the tests. */
export async function opened(client: ClientPerson, row: StoredWallet | undefined): Promise<Uint8Array> {
  const { address = '', chain = '', key_id, encrypted_key } = row ?? {};
  const binding = { clientId: client.clientId, chain, address, keyId: key_id ?? '' };
  return open(encrypted_key ?? '', binding, await parseKeyring(MASTER_KEY));
}
