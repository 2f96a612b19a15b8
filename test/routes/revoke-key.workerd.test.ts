import { describe, expect, it } from 'vitest';
import { call, settings } from '../support/api.ts';
import { addWallet, create, newClientWithBot, revoke, setUp, stored, tradingKey } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();

describe('DELETE /clients/{id}/revoke-key', () => {
  it.each([
    ['the client', (client: { token: string }) => client.token],
    ['an admin for it', () => admin.token],
  ])('by %s -> 200 with the stopped bots; no ciphertext is left', async (_, tokenOf) => {
    const client = await newClientWithBot();
    await addWallet(admin, client.botId, { private_key: newEvmKey().privateKey });
    await setUp(client);
    await create(admin, client);
    const before = await tradingKey(client);
    const answer = await call(`DELETE /clients/${client.clientId}/revoke-key`, { token: tokenOf(client) });
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      client_id: client.clientId,
      address: client.key.address,
      key_id: before.json.key_id,
      revoked_at: expect.stringMatching(/^\d{4}-.*Z$/),
      bots_stopped: 2,
      tokens_ended: [],
      wallets_cleared: 4,
    });
    const { trading, wallets } = await stored(client);
    expect(trading).toBeUndefined();
    expect(wallets).toHaveLength(4);
    for (const wallet of wallets) expect(wallet).toMatchObject({ key_id: null, encrypted_key: null });
  });

  it('stops running bots with that reason; a stopped bot keeps its own reason', async () => {
    const client = await newClientWithBot();
    const stopped = await create(admin, client);
    await revoke(client);
    const { json } = await call(`GET /clients/${client.clientId}/bots`, { token: client.token });
    expect(json.items).toMatchObject([
      { id: stopped.json.id, status: 'stopped', stop_reason: 'created' },
      {
        id: client.botId,
        status: 'stopped',
        stop_reason: 'key_revoked',
        stopped_at: expect.any(String),
        wallets: [{ address: client.key.address, key_source: null, key_id: null }],
      },
    ]);
  });

  it('afterwards: start -> 409, rotate and read -> 404, revoke again -> 404', async () => {
    const client = await newClientWithBot();
    expect((await revoke(client)).status).toBe(200);
    expectProblem(
      await call(`POST /bots/${client.botId}/start`, { token: client.token }),
      409,
      'bot_key_missing',
    );
    expectProblem(
      await call(`POST /bots/${client.botId}/start`, { token: admin.token }),
      409,
      'bot_key_missing',
    );
    expectProblem(await tradingKey(client), 404, 'trading_key_missing');
    expectProblem(await revoke(client), 404, 'trading_key_missing');
    expectProblem(await create(admin, client, { wallets: [{}] }), 409, 'private_key_required');
    expectProblem(await addWallet(admin, client.botId, {}), 409, 'private_key_required');
  });

  it('for a client that never had a trading key -> 404', async () => {
    expectProblem(await revoke(await newClient()), 404, 'trading_key_missing');
  });

  it('does not affect other clients', async () => {
    const [client, other] = [await newClientWithBot(), await newClientWithBot()];
    await revoke(client);
    expect((await tradingKey(other)).status).toBe(200);
    expect((await call(`GET /bots/${other.botId}`, { token: other.token })).json.status).toBe('running');
  });

  it('frees the address: another client may submit it', async () => {
    const [client, other] = [await newClientWithBot(), await newClient()];
    expectProblem(await setUp(other, { private_key: client.key.privateKey }), 409, 'address_taken');
    await revoke(client);
    expect((await setUp(other, { private_key: client.key.privateKey })).status).toBe(201);
    expectProblem(await setUp(client, { private_key: client.key.privateKey }), 409, 'address_taken');
  });

  it('two concurrent requests -> 200 and 404', async () => {
    const client = await newClientWithBot();
    const answers = await Promise.all([revoke(client), revoke(client), revoke(client, admin)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 404, 404]);
  });

  it.each([
    ['without a master key', undefined],
    ['with a malformed one', 'not-a-key'],
  ])('%s -> 200', async (_, key) => {
    const client = await newClientWithBot();
    const { ENCRYPTION_KEY: __, ...others } = settings();
    const env = { ...others, ...(key && { ENCRYPTION_KEY: key }) };
    const answer = await call(`DELETE /clients/${client.clientId}/revoke-key`, { token: client.token, env });
    expect(answer).toMatchObject({ status: 200, json: { tokens_ended: [], wallets_cleared: 1 } });
  });
});
