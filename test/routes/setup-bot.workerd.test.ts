import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create, newClientWithBot, opened, revoke, setUp, stored, tradingKey } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();

describe('POST /clients/{id}/setup-bot', () => {
  it.each([
    ['the client', (client: { token: string }) => client],
    ['an admin for it', () => admin],
  ])('by %s with a first key -> 201, running, and it is the trading key', async (_, as) => {
    const client = await newClient();
    const key = newEvmKey();
    const { token } = as(client);
    const answer = await call(`POST /clients/${client.clientId}/setup-bot`, {
      token,
      body: { bot_type: 'evm-dca', name: 'Mine', config: { pair: 'ETH/DAI' }, private_key: key.privateKey },
    });
    expect(answer).toMatchObject({
      status: 201,
      json: {
        client_id: client.clientId,
        bot_type: 'evm-dca',
        name: 'Mine',
        config: { pair: 'ETH/DAI' },
        status: 'running',
        stop_reason: null,
        started_at: expect.any(String),
        stopped_at: null,
        wallets: [{ address: key.address, chain: 'evm', key_source: 'trading' }],
      },
    });
    expect(answer.headers.get('location')).toBe(`/bots/${answer.json.id}`);
    expect((await call(`GET /bots/${answer.json.id}`, { token: client.token })).json).toEqual(answer.json);
    const { trading, wallets } = await stored(client);
    expect(await opened(client, trading)).toEqual(key.secret);
    expect(wallets).toMatchObject([{ encrypted_key: trading?.encrypted_key }]);
  });

  it('without a name -> named after its type', async () => {
    const answer = await setUp(await newClient(), { private_key: newEvmKey().privateKey });
    expect(answer.json.name).toBe('evm-grid');
  });

  it('without a key, for a client without a trading key -> 409, and no bot', async () => {
    const client = await newClient();
    expectProblem(await setUp(client), 409, 'private_key_required');
    expect((await call(`GET /clients/${client.clientId}/bots`, { token: client.token })).json.items).toEqual(
      [],
    );
  });

  it('without a key, for a client with a trading key -> 201, a copy of it', async () => {
    const client = await newClientWithBot();
    expect(await setUp(client)).toMatchObject({
      status: 201,
      json: { status: 'running', wallets: [{ address: client.key.address, key_source: 'trading' }] },
    });
  });

  it('without a key, after an admin submitted one -> 201: either flow stores the trading key', async () => {
    const client = await newClient();
    const key = newEvmKey();
    await create(admin, client, { wallets: [{ private_key: key.privateKey }] });
    expect((await setUp(client)).json.wallets).toMatchObject([
      { address: key.address, key_source: 'trading' },
    ]);
  });

  it('with the trading key again -> "trading"; with another -> "own"', async () => {
    const client = await newClientWithBot();
    const other = newEvmKey();
    const same = await setUp(client, { private_key: client.key.privateKey });
    expect(same).toMatchObject({ status: 201, json: { wallets: [{ key_source: 'trading' }] } });
    const own = await setUp(client, { private_key: other.privateKey });
    expect(own).toMatchObject({
      status: 201,
      json: { wallets: [{ address: other.address, key_source: 'own' }] },
    });
    expect((await tradingKey(client)).json).toMatchObject({ address: client.key.address, version: 1 });
  });

  it('two concurrent requests with the same first key -> two bots, one trading key', async () => {
    const client = await newClient();
    const { privateKey } = newEvmKey();
    const answers = await Promise.all([1, 2, 3].map(() => setUp(client, { private_key: privateKey })));
    expect(answers.map(({ status, json }) => [status, json.wallets[0].key_source])).toEqual(
      Array(3).fill([201, 'trading']),
    );
    const { trading, wallets } = await stored(client);
    expect(new Set(wallets.map(({ encrypted_key }) => encrypted_key))).toEqual(
      new Set([trading?.encrypted_key]),
    );
  });

  it('with a key of another chain than the bot type -> 422, and stores nothing', async () => {
    const client = await newClient();
    expectProblem(await setUp(client, { private_key: newSolanaKey().privateKey }), 422, 'chain_mismatch');
    expectProblem(await tradingKey(client), 404, 'trading_key_missing');
  });

  it('after a revocation -> 201, and the versions continue', async () => {
    const client = await newClientWithBot();
    await revoke(client);
    expectProblem(await setUp(client), 409, 'private_key_required');
    const key = newEvmKey();
    expect((await setUp(client, { private_key: key.privateKey })).status).toBe(201);
    expect((await tradingKey(client)).json).toMatchObject({ address: key.address, version: 2 });
  });

  it('after a revocation -> the earlier bots have the new key and can start', async () => {
    const client = await newClientWithBot();
    await revoke(client);
    const key = newEvmKey();
    await setUp(client, { private_key: key.privateKey });
    expect(await call(`POST /bots/${client.botId}/start`, { token: client.token })).toMatchObject({
      status: 200,
      json: { status: 'running', wallets: [{ address: key.address, key_source: 'trading' }] },
    });
  });

  it('after a revocation, with the same key -> 201', async () => {
    const client = await newClientWithBot();
    await revoke(client);
    const answer = await setUp(client, { private_key: client.key.privateKey });
    expect(answer).toMatchObject({
      status: 201,
      json: { wallets: [{ address: client.key.address, key_source: 'trading' }] },
    });
  });
});
