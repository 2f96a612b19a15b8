import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import {
  addWallet,
  create,
  newClientWithBot,
  opened,
  revoke,
  rotate,
  setUp,
  stored,
  tradingKey,
} from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();

describe('PUT /clients/{id}/rotate-key', () => {
  it.each([
    ['the client', (client: { token: string }) => client.token],
    ['an admin for it', () => admin.token],
  ])('by %s -> 200 with the changes; the old key is gone from every row', async (_, tokenOf) => {
    const client = await newClientWithBot();
    const before = await tradingKey(client);
    const key = newEvmKey();
    const answer = await call(`PUT /clients/${client.clientId}/rotate-key`, {
      token: tokenOf(client),
      body: { private_key: key.privateKey, address: key.address },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      client_id: client.clientId,
      address: key.address,
      chain: 'evm',
      key_id: expect.any(String),
      version: 2,
      master_key_id: before.json.master_key_id,
      created_at: before.json.created_at,
      rotated_at: expect.any(String),
      age_seconds: 0,
      wallets_updated: 1,
      wallets_merged: 0,
      bots_stopped: 0,
    });
    expect(answer.json.key_id).not.toBe(before.json.key_id);
    expect(answer.json.rotated_at > before.json.rotated_at).toBe(true);
    const { trading, wallets } = await stored(client);
    expect(await opened(client, trading)).toEqual(key.secret);
    expect(wallets).toMatchObject([{ address: key.address, key_id: answer.json.key_id }]);
  });

  it('replaces the key of every wallet of every bot, own keys too', async () => {
    const client = await newClientWithBot();
    const second = await create(admin, client, { wallets: [{ private_key: newEvmKey().privateKey }] });
    await setUp(client);
    const key = newEvmKey();
    expect((await rotate(client, { private_key: key.privateKey })).json).toMatchObject({
      wallets_updated: 3,
      wallets_merged: 0,
      bots_stopped: 0,
    });
    const { trading, wallets } = await stored(client);
    expect(wallets).toHaveLength(3);
    for (const wallet of wallets) {
      expect(await opened(client, wallet)).toEqual(key.secret);
      expect(wallet.encrypted_key).toBe(trading?.encrypted_key);
    }
    const bot = await call(`GET /bots/${second.json.id}`, { token: client.token });
    expect(bot.json.wallets).toMatchObject([{ address: key.address, key_source: 'trading' }]);
  });

  it('leaves one wallet to a bot with several, and counts the removed ones', async () => {
    const client = await newClientWithBot();
    for (const key of [newEvmKey(), newEvmKey()]) {
      await addWallet(admin, client.botId, { private_key: key.privateKey });
    }
    const key = newEvmKey();
    expect((await rotate(client, { private_key: key.privateKey })).json).toMatchObject({
      wallets_updated: 1,
      wallets_merged: 2,
    });
    expect((await stored(client)).wallets).toMatchObject([{ bot_id: client.botId, address: key.address }]);
  });

  it('leaves running bots running and stopped bots stopped', async () => {
    const client = await newClientWithBot();
    const second = await create(admin, client);
    await rotate(client, { private_key: newEvmKey().privateKey });
    const { json } = await call(`GET /clients/${client.clientId}/bots`, { token: client.token });
    expect(json.items.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([
      [second.json.id, 'stopped'],
      [client.botId, 'running'],
    ]);
  });

  it('to another chain family -> stops the bots that cannot use it; they can start again with a key of their chain', async () => {
    const client = await newClientWithBot();
    const answer = await rotate(client, { private_key: newSolanaKey().privateKey });
    expect(answer.json).toMatchObject({ chain: 'solana', wallets_updated: 1, bots_stopped: 1 });
    expect((await call(`GET /bots/${client.botId}`, { token: client.token })).json).toMatchObject({
      status: 'stopped',
      stop_reason: 'chain_mismatch',
      wallets: [{ chain: 'solana' }],
    });
    expectProblem(
      await call(`POST /bots/${client.botId}/start`, { token: client.token }),
      422,
      'chain_mismatch',
    );
    await rotate(client, { private_key: newEvmKey().privateKey });
    expect((await call(`POST /bots/${client.botId}/start`, { token: client.token })).json.status).toBe(
      'running',
    );
  });

  it('to the current key -> 200, a new key id and version', async () => {
    const client = await newClientWithBot();
    const before = await tradingKey(client);
    const answer = await rotate(client, { private_key: client.key.privateKey });
    expect(answer).toMatchObject({ status: 200, json: { address: client.key.address, version: 2 } });
    expect(answer.json.key_id).not.toBe(before.json.key_id);
  });

  it('to an own key of one of its bots -> 200', async () => {
    const client = await newClientWithBot();
    const own = newEvmKey();
    await create(admin, client, { wallets: [{ private_key: own.privateKey }] });
    expect(await rotate(client, { private_key: own.privateKey })).toMatchObject({
      status: 200,
      json: { address: own.address, wallets_updated: 2 },
    });
  });

  it('without a trading key, never had or revoked -> 404 trading_key_missing', async () => {
    const fresh = await newClient();
    expectProblem(await rotate(fresh, { private_key: newEvmKey().privateKey }), 404, 'trading_key_missing');
    const revoked = await newClientWithBot();
    await revoke(revoked);
    expectProblem(await rotate(revoked, { private_key: newEvmKey().privateKey }), 404, 'trading_key_missing');
    expect((await stored(revoked)).trading).toBeUndefined();
  });

  it('without a private key -> 422', async () => {
    const client = await newClientWithBot();
    expectProblem(await rotate(client, {}), 422, 'validation_failed');
    expectProblem(await rotate(client, { address: client.key.address }), 422, 'validation_failed');
  });

  it('with the client id in capitals -> 200', async () => {
    const client = await newClientWithBot();
    const key = newEvmKey();
    const answer = await call(`PUT /clients/${client.clientId.toUpperCase()}/rotate-key`, {
      token: client.token,
      body: { private_key: key.privateKey },
    });
    expect([answer.status, answer.json.address]).toEqual([200, key.address]);
  });

  it('many concurrent requests -> all succeed, one after another, and every row has the last key', async () => {
    const client = await newClientWithBot();
    await setUp(client);
    const keys = Array.from({ length: 6 }, newEvmKey);
    const answers = await Promise.all(
      keys.map(({ privateKey }) => rotate(client, { private_key: privateKey })),
    );
    expect(answers.map(({ json }) => json.version).sort()).toEqual([2, 3, 4, 5, 6, 7]);
    const last = keys[answers.findIndex(({ json }) => json.version === 7)];
    const { trading, wallets } = await stored(client);
    expect(await opened(client, trading)).toEqual(last?.secret);
    expect(wallets.map(({ encrypted_key }) => encrypted_key)).toEqual(Array(2).fill(trading?.encrypted_key));
  });
});
