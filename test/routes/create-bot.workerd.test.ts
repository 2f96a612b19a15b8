import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create, newClientWithBot, opened, stored, tradingKey } from '../support/bots.ts';
import { newAdmin, newClient, operatorSql } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();

describe('POST /bots/create', () => {
  it('with a first key -> 201; it is the trading key, stored twice as one envelope', async () => {
    const client = await newClient();
    const key = newEvmKey();
    const answer = await create(admin, client, {
      name: 'Grid one',
      config: { pair: 'ETH/USDC', steps: [1, 2.5], note: null },
      wallets: [{ address: key.address, private_key: key.privateKey }],
    });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id: expect.any(String),
      client_id: client.clientId,
      bot_type: 'evm-grid',
      name: 'Grid one',
      config: { pair: 'ETH/USDC', steps: [1, 2.5], note: null },
      status: 'stopped',
      stop_reason: 'created',
      started_at: null,
      stopped_at: null,
      created_at: expect.any(String),
      wallets: [
        {
          id: expect.any(String),
          address: key.address,
          chain: 'evm',
          key_source: 'trading',
          key_id: expect.any(String),
          created_at: expect.any(String),
        },
      ],
    });
    expect(answer.headers.get('location')).toBe(`/bots/${answer.json.id}`);
    for (const { token } of [admin, client]) {
      expect((await call(`GET /bots/${answer.json.id}`, { token })).json).toEqual(answer.json);
    }

    const { trading, wallets } = await stored(client);
    expect(await opened(client, trading)).toEqual(key.secret);
    expect(wallets.map(({ encrypted_key }) => encrypted_key)).toEqual([trading?.encrypted_key]);
  });

  it('with several keys -> the first is the trading key, the others are own', async () => {
    const client = await newClient();
    const keys = [newEvmKey(), newEvmKey(), newEvmKey()];
    const { json } = await create(admin, client, {
      wallets: keys.map(({ privateKey }) => ({ private_key: privateKey })),
    });
    expect(json.wallets).toMatchObject([
      { address: keys[0]?.address, key_source: 'trading' },
      { address: keys[1]?.address, key_source: 'own' },
      { address: keys[2]?.address, key_source: 'own' },
    ]);
    expect((await tradingKey(client)).json).toMatchObject({ address: keys[0]?.address, version: 1 });
    const { wallets } = await stored(client);
    expect(await Promise.all(wallets.map((wallet) => opened(client, wallet)))).toEqual(
      keys.map(({ secret }) => secret),
    );
  });

  it('with the trading key again -> "trading", a copy; with another key -> "own", which replaces no key', async () => {
    const client = await newClientWithBot();
    const other = newEvmKey();
    const same = await create(admin, client, { wallets: [{ private_key: client.key.privateKey }] });
    expect(same.json.wallets).toMatchObject([{ address: client.key.address, key_source: 'trading' }]);
    const own = await create(admin, client, { wallets: [{ private_key: other.privateKey }] });
    expect(own.json.wallets).toMatchObject([{ address: other.address, key_source: 'own' }]);
    expect((await tradingKey(client)).json).toMatchObject({ address: client.key.address, version: 1 });
    const { trading, wallets } = await stored(client);
    expect(wallets.map(({ encrypted_key }) => encrypted_key === trading?.encrypted_key)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['no wallets', {}],
    ['an empty list', { wallets: [] }],
    ['a wallet without a key', { wallets: [{}] }],
  ])('with %s, for a client with a trading key -> a copy of it', async (_, body) => {
    const client = await newClientWithBot();
    const answer = await create(admin, client, body);
    expect(answer).toMatchObject({
      status: 201,
      json: { wallets: [{ address: client.key.address, key_source: 'trading' }] },
    });
  });

  it('with an empty list of wallets, for a client without a trading key -> 201 without wallets', async () => {
    const answer = await create(admin, await newClient());
    expect(answer).toMatchObject({ status: 201, json: { status: 'stopped', wallets: [] } });
  });

  it('with a wallet without a key, for a client without a trading key -> 409, and no bot', async () => {
    const client = await newClient();
    expectProblem(await create(admin, client, { wallets: [{}] }), 409, 'private_key_required');
    expect((await call(`GET /clients/${client.clientId}/bots`, { token: client.token })).json.items).toEqual(
      [],
    );
  });

  it('with one key twice -> 409, and stores nothing', async () => {
    const client = await newClient();
    const wallet = { private_key: newEvmKey().privateKey };
    expectProblem(await create(admin, client, { wallets: [wallet, wallet] }), 409, 'wallet_exists');
    expectProblem(await tradingKey(client), 404, 'trading_key_missing');
  });

  it('with a second key of another chain -> 422, and stores nothing', async () => {
    const client = await newClient();
    const wallets = [newEvmKey(), newSolanaKey()].map(({ privateKey }) => ({ private_key: privateKey }));
    expectProblem(await create(admin, client, { wallets }), 422, 'chain_mismatch');
    expect(await stored(client)).toEqual({ trading: undefined, wallets: [] });
  });

  it('with 20 wallets -> 201, with 21 -> 422', async () => {
    const client = await newClient();
    const wallets = Array.from({ length: 21 }, () => ({ private_key: newEvmKey().privateKey }));
    expect((await create(admin, client, { wallets: wallets.slice(1) })).json.wallets).toHaveLength(20);
    expectProblem(await create(admin, client, { wallets }), 422, 'validation_failed');
  });

  it('with the client id in capitals -> 201, with the envelope bound to the id in lower case', async () => {
    const client = await newClient();
    const key = newEvmKey();
    const answer = await create(admin, client, {
      client_id: client.clientId.toUpperCase(),
      wallets: [{ private_key: key.privateKey }],
    });
    expect([answer.status, answer.json.client_id]).toEqual([201, client.clientId]);
    expect(await opened(client, (await stored(client)).trading)).toEqual(key.secret);
  });
});

describe('the bot type', () => {
  it.each(['nothing-like-it', 'EVM-GRID', "evm-grid'--"])('%s -> 422 bot_type_unknown', async (bot_type) => {
    expectProblem(await create(admin, await newClient(), { bot_type }), 422, 'bot_type_unknown');
  });

  it('that is disabled -> 422, and not among the options; enabled again -> 201', async () => {
    const client = await newClient();
    const bot_type = `test-${crypto.randomUUID()}`;
    const enable = (enabled: boolean) =>
      operatorSql(
        `insert into public.bot_types (id, name, description, chain, enabled) values ($1, 'Test', '', 'evm', $2)
         on conflict (id) do update set enabled = excluded.enabled`,
        [bot_type, enabled],
      );
    const isOffered = async (): Promise<boolean> => {
      const { json } = await call(`GET /clients/${client.clientId}/bot-options`, { token: client.token });
      return json.bot_types.some(({ id }: { id: string }) => id === bot_type);
    };
    await enable(false);
    expectProblem(await create(admin, client, { bot_type }), 422, 'bot_type_unknown');
    const before = await isOffered();
    await enable(true);
    expect((await create(admin, client, { bot_type })).status).toBe(201);
    expect([before, await isOffered()]).toEqual([false, true]);
    await enable(false);
  });

  it('of another chain than the trading key, without wallets -> 422', async () => {
    const client = await newClientWithBot();
    expectProblem(await create(admin, client, { bot_type: 'solana-grid' }), 422, 'chain_mismatch');
    expect((await create(admin, client, { bot_type: 'evm-dca' })).status).toBe(201);
  });
});
