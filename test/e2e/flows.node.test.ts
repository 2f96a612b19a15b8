/** The seed's two flows, through the bundled Worker, real sessions, the REST API and PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { base58 } from '@scure/base';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { open } from '../../src/crypto/envelope.ts';
import { type Keyring, parseKeyring } from '../../src/crypto/keyring.ts';
import {
  type Account,
  type ClientAccount,
  createAdmin,
  createClientAccount,
} from '../../tools/stack/accounts.ts';
import { recordText } from '../support/recorder.ts';
import { type RunningWorker, request, signIn, startWorker } from '../support/worker.ts';

const ENCRYPTION_KEY = randomBytes(32).toString('base64');
let worker: RunningWorker;
let sql: postgres.Sql;
let keyring: Keyring;
let admin: Account;
let alice: ClientAccount;
let bob: ClientAccount;
let asAdmin: string;
let asAlice: string;
let asBob: string;

const unique = (name: string) => `${name}-${crypto.randomUUID()}@example.test`;

beforeAll(async () => {
  sql = postgres(inject('databaseUrl'), { max: 2, onnotice: () => {} });
  keyring = await parseKeyring(ENCRYPTION_KEY);
  admin = await createAdmin(sql, unique('admin'));
  alice = await createClientAccount(sql, 'Alice', unique('alice'));
  bob = await createClientAccount(sql, 'Bob', unique('bob'));
  [asAdmin, asAlice, asBob] = await Promise.all([signIn(admin), signIn(alice), signIn(bob)]);
  worker = await startWorker({
    SUPABASE_URL: inject('supabaseUrl'),
    SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
    EDGE_TOKEN: inject('edgeToken'),
    SUPABASE_JWT_SECRET: inject('jwtSecret'),
    ENCRYPTION_KEY,
  });
});

afterAll(async () => {
  for (const line of worker.harness.getLogs()) recordText(JSON.stringify(line));
  await worker.harness.close();
  await sql.end();
});

interface StoredKey {
  readonly client_id: string;
  readonly chain: string;
  readonly address: string;
  readonly key_id: string | null;
  readonly encrypted_key: string | null;
}

/** The rows of a client in both tables, the trading key first. */
async function stored(clientId: string): Promise<StoredKey[]> {
  return sql<StoredKey[]>`
    select client_id, chain, address, key_id, encrypted_key from public.trading_keys where client_id = ${clientId}
    union all
    select client_id, chain, address, key_id, encrypted_key from public.bot_wallets where client_id = ${clientId}`;
}

async function opened({ client_id, chain, address, key_id, encrypted_key }: StoredKey): Promise<string> {
  const binding = { clientId: client_id, chain, address, keyId: key_id ?? '' };
  return Buffer.from(await open(encrypted_key ?? '', binding, keyring)).toString('hex');
}

const call = (line: string, token?: string, body?: object) => request(worker.url, line, token, body);

describe('Option 1: an admin submits the key', () => {
  test('creates a client and a bot with a key, which is sealed in both tables and never shown', async () => {
    const secret = Buffer.from(secp256k1.utils.randomSecretKey());
    const client = await call('POST /clients', asAdmin, { name: 'Carol', email: unique('carol') });
    expect(client.status).toBe(201);
    const bot = await call('POST /bots/create', asAdmin, {
      client_id: client.json.id,
      name: 'Grid',
      bot_type: 'evm-grid',
      wallets: [{ private_key: `0x${secret.toString('hex')}` }],
    });
    expect(bot.status).toBe(201);
    expect(bot.json.wallets).toMatchObject([{ chain: 'evm', key_source: 'trading' }]);

    const [trading, wallet, ...more] = await stored(client.json.id);
    expect(more).toEqual([]);
    expect(wallet).toEqual(trading);
    expect(trading && (await opened(trading))).toBe(secret.toString('hex'));

    const started = await call(`POST /bots/${bot.json.id}/start`, asAdmin);
    expect(started.json).toMatchObject({ status: 'running', stop_reason: null });
  });
});

describe('Option 2: a client submits its own key', () => {
  test('sets up a bot, rotates, revokes; another client gets 404 every time', async () => {
    const first = ed25519.utils.randomSecretKey();
    const second = ed25519.utils.randomSecretKey();
    const options = await call(`GET /clients/${alice.clientId}/bot-options`, asAlice);
    expect(options.json.bot_types).toContainEqual(
      expect.objectContaining({ id: 'solana-dca', chain: 'solana' }),
    );

    const bot = await call(`POST /clients/${alice.clientId}/setup-bot`, asAlice, {
      bot_type: 'solana-dca',
      private_key: base58.encode(first),
      address: base58.encode(ed25519.getPublicKey(first)),
    });
    expect([bot.status, bot.json.status, bot.json.wallets[0].address]).toEqual([
      201,
      'running',
      base58.encode(ed25519.getPublicKey(first)),
    ]);
    for (const row of await stored(alice.clientId)) {
      expect(await opened(row)).toBe(Buffer.from(first).toString('hex'));
    }

    for (const line of [
      `GET /clients/${alice.clientId}`,
      `GET /clients/${alice.clientId}/trading-key`,
      `GET /clients/${alice.clientId}/bots`,
      `DELETE /clients/${alice.clientId}/revoke-key`,
      `GET /bots/${bot.json.id}`,
      `POST /bots/${bot.json.id}/stop`,
    ]) {
      expect([line, (await call(line, asBob)).status]).toEqual([line, 404]);
    }

    const rotated = await call(`PUT /clients/${alice.clientId}/rotate-key`, asAlice, {
      private_key: base58.encode(Uint8Array.from([...second, ...ed25519.getPublicKey(second)])),
    });
    expect([rotated.status, rotated.json.version, rotated.json.wallets_updated]).toEqual([200, 2, 1]);
    const rows = await stored(alice.clientId);
    expect(rows).toHaveLength(2);
    for (const row of rows) expect(await opened(row)).toBe(Buffer.from(second).toString('hex'));

    const revoked = await call(`DELETE /clients/${alice.clientId}/revoke-key`, asAlice);
    expect([revoked.status, revoked.json.bots_stopped, revoked.json.wallets_cleared]).toEqual([200, 1, 1]);
    expect(await stored(alice.clientId)).toMatchObject([{ key_id: null, encrypted_key: null }]);
    expect((await call(`GET /bots/${bot.json.id}`, asAlice)).json).toMatchObject({
      status: 'stopped',
      stop_reason: 'key_revoked',
    });
    expect((await call(`POST /bots/${bot.json.id}/start`, asAlice)).json.code).toBe('bot_key_missing');
  });

  test('revokes directly at the database API, without the Worker', async () => {
    const setUp = await call(`POST /clients/${bob.clientId}/setup-bot`, asBob, {
      bot_type: 'evm-dca',
      private_key: Buffer.from(secp256k1.utils.randomSecretKey()).toString('hex'),
    });
    expect(setUp.status).toBe(201);
    const rest = new URL(`/rest/v1/trading_keys?client_id=eq.${bob.clientId}`, inject('supabaseUrl'));
    const headers = { apikey: inject('publishableKey'), authorization: `Bearer ${asBob}` };
    const response = await fetch(rest, { method: 'DELETE', headers });
    expect(response.status).toBe(204);
    expect(await stored(bob.clientId)).toMatchObject([{ key_id: null, encrypted_key: null }]);
    expect((await call(`GET /bots/${setUp.json.id}`, asBob)).json.status).toBe('stopped');
  });
});
