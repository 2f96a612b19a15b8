import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { addWallet, create, newClientWithBot, opened, stored, tradingKey } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();

async function emptyBot(bot_type = 'evm-grid') {
  const client = await newClient();
  const { json } = await create(admin, client, { bot_type });
  return { client, botId: json.id as string };
}

describe('POST /bots/{id}/wallets', () => {
  it('with the first key of the client -> 201; it is the trading key', async () => {
    const { client, botId } = await emptyBot();
    const key = newEvmKey();
    const answer = await addWallet(admin, botId, { address: key.address, private_key: key.privateKey });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id: expect.any(String),
      bot_id: botId,
      client_id: client.clientId,
      address: key.address,
      chain: 'evm',
      key_source: 'trading',
      key_id: expect.any(String),
      created_at: expect.any(String),
    });
    const { trading, wallets } = await stored(client);
    expect(await opened(client, trading)).toEqual(key.secret);
    expect(wallets).toMatchObject([{ encrypted_key: trading?.encrypted_key }]);
  });

  it('with another key -> 201 "own"; the trading key does not change', async () => {
    const client = await newClientWithBot();
    const other = newEvmKey();
    const answer = await addWallet(admin, client.botId, { private_key: other.privateKey });
    expect(answer).toMatchObject({ status: 201, json: { address: other.address, key_source: 'own' } });
    expect((await tradingKey(client)).json).toMatchObject({ address: client.key.address, version: 1 });
    const { json } = await call(`GET /bots/${client.botId}`, { token: client.token });
    expect(json.wallets).toMatchObject([
      { address: client.key.address, key_source: 'trading' },
      { address: other.address, key_source: 'own' },
    ]);
    expect(await opened(client, (await stored(client)).wallets[1])).toEqual(other.secret);
  });

  it('without a key, for a bot without a wallet -> a copy of the trading key', async () => {
    const { client, botId } = await emptyBot();
    const key = newEvmKey();
    await create(admin, client, { wallets: [{ private_key: key.privateKey }] });
    expect(await addWallet(admin, botId, {})).toMatchObject({
      status: 201,
      json: { bot_id: botId, address: key.address, key_source: 'trading' },
    });
  });

  it('without a key, for a client without a trading key -> 409', async () => {
    const { botId } = await emptyBot();
    expectProblem(await addWallet(admin, botId, {}), 409, 'private_key_required');
  });

  it.each([
    ['the trading key', (key: string) => ({ private_key: key })],
    ['nothing', () => ({})],
  ])('with %s, for a bot that has it -> 409 wallet_exists', async (_, body) => {
    const client = await newClientWithBot();
    expectProblem(await addWallet(admin, client.botId, body(client.key.privateKey)), 409, 'wallet_exists');
  });

  it('with an own key twice -> 201, then 409', async () => {
    const client = await newClientWithBot();
    const body = { private_key: newEvmKey().privateKey };
    expect((await addWallet(admin, client.botId, body)).status).toBe(201);
    expectProblem(await addWallet(admin, client.botId, body), 409, 'wallet_exists');
  });

  it('with one own key for two bots of the client -> 201 and 201', async () => {
    const client = await newClientWithBot();
    const second = await create(admin, client);
    const body = { private_key: newEvmKey().privateKey };
    for (const botId of [client.botId, second.json.id]) {
      expect(await addWallet(admin, botId, body)).toMatchObject({ status: 201, json: { key_source: 'own' } });
    }
  });

  it('as the hundredth wallet -> 201, as the next -> 409', { timeout: 60_000 }, async () => {
    const client = await newClient();
    const wallets = (count: number) =>
      Array.from({ length: count }, () => ({ private_key: newEvmKey().privateKey }));
    const { json } = await create(admin, client, { wallets: wallets(20) });
    await Promise.all(wallets(79).map((wallet) => addWallet(admin, json.id, wallet)));
    const [last = {}, more = {}] = wallets(2);
    expect((await addWallet(admin, json.id, last)).status).toBe(201);
    expectProblem(await addWallet(admin, json.id, more), 409, 'wallet_limit_reached');
  });

  it('with a key of another chain than the bot -> 422, with a key of its chain -> 201', async () => {
    const { botId } = await emptyBot('solana-dca');
    expectProblem(
      await addWallet(admin, botId, { private_key: newEvmKey().privateKey }),
      422,
      'chain_mismatch',
    );
    const answer = await addWallet(admin, botId, { private_key: newSolanaKey().privateKey });
    expect(answer).toMatchObject({ status: 201, json: { chain: 'solana', key_source: 'trading' } });
  });

  it('with the bot id in capitals -> 201', async () => {
    const { botId } = await emptyBot();
    const answer = await addWallet(admin, botId.toUpperCase(), { private_key: newEvmKey().privateKey });
    expect([answer.status, answer.json.bot_id]).toEqual([201, botId]);
  });

  it('makes a bot able to start that could not start before', async () => {
    const { client, botId } = await emptyBot();
    expectProblem(await call(`POST /bots/${botId}/start`, { token: client.token }), 409, 'bot_key_missing');
    await addWallet(admin, botId, { private_key: newEvmKey().privateKey });
    expect(await call(`POST /bots/${botId}/start`, { token: client.token })).toMatchObject({
      status: 200,
      json: { status: 'running' },
    });
  });
});
