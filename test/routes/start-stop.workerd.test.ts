import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { create, newClientWithBot, tradingKey } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const admin = await newAdmin();
const post = (botId: string, action: string, { token }: { token: string }) =>
  call(`POST /bots/${botId}/${action}`, { token });

describe.each([
  ['the client', (client: { token: string }) => client],
  ['an admin for it', () => admin],
])('by %s', (_, as) => {
  it('POST /bots/{id}/stop -> stopped on request; again -> the same bot', async () => {
    const client = await newClientWithBot();
    const stopped = await post(client.botId, 'stop', as(client));
    expect(stopped).toMatchObject({
      status: 200,
      json: { id: client.botId, status: 'stopped', stop_reason: 'requested', stopped_at: expect.any(String) },
    });
    expect((await post(client.botId, 'stop', as(client))).json).toEqual(stopped.json);
  });

  it('POST /bots/{id}/start -> running; again -> the same bot', async () => {
    const client = await newClientWithBot();
    const before = await post(client.botId, 'stop', as(client));
    const started = await post(client.botId, 'start', as(client));
    expect(started).toMatchObject({ status: 200, json: { status: 'running', stop_reason: null } });
    expect(started.json.started_at > before.json.started_at).toBe(true);
    expect((await post(client.botId, 'start', as(client))).json).toEqual(started.json);
  });
});

describe('POST /bots/{id}/start', () => {
  it('of a bot that was created with a key -> running', async () => {
    const client = await newClientWithBot();
    const bot = await create(admin, client);
    expect((await post(bot.json.id, 'start', client)).json.status).toBe('running');
  });

  it('of a bot without a wallet -> 409, and it stays stopped', async () => {
    const client = await newClient();
    const { json } = await create(admin, client);
    expectProblem(await post(json.id, 'start', client), 409, 'bot_key_missing');
    expect((await call(`GET /bots/${json.id}`, { token: client.token })).json).toEqual(json);
  });

  it('many concurrent starts and stops -> each response has its own result', async () => {
    const client = await newClientWithBot();
    const actions = ['start', 'stop', 'start', 'stop', 'start', 'stop'];
    const answers = await Promise.all(actions.map((action) => post(client.botId, action, client)));
    expect(answers.map(({ status, json }) => [status, json.status])).toEqual(
      actions.map((action) => [200, action === 'start' ? 'running' : 'stopped']),
    );
  });
});

describe('GET /clients/{id}/bot-options', () => {
  it('-> the enabled types of both chain families', async () => {
    const client = await newClient();
    const { status, json } = await call(`GET /clients/${client.clientId}/bot-options`, {
      token: client.token,
    });
    expect(status).toBe(200);
    expect(json.bot_types).toContainEqual({
      id: 'evm-grid',
      name: expect.any(String),
      description: expect.any(String),
      chain: 'evm',
    });
    expect(json.bot_types).toContainEqual(expect.objectContaining({ id: 'solana-dca', chain: 'solana' }));
    const same = await call(`GET /clients/${client.clientId}/bot-options`, { token: admin.token });
    expect(same.json.bot_types.length).toBeGreaterThanOrEqual(4);
  });
});

describe('GET /clients/{id}/trading-key', () => {
  it('by the client and by an admin -> its public fields, and nothing else', async () => {
    const client = await newClientWithBot();
    const own = await tradingKey(client);
    expect(own.status).toBe(200);
    expect(own.json).toEqual({
      client_id: client.clientId,
      address: client.key.address,
      chain: 'evm',
      key_id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      version: 1,
      master_key_id: expect.stringMatching(/^[\w-]{43}$/),
      created_at: expect.any(String),
      rotated_at: own.json.created_at,
      age_seconds: expect.any(Number),
    });
    const seen = await tradingKey(client, admin);
    expect({ ...seen.json, age_seconds: 0 }).toEqual({ ...own.json, age_seconds: 0 });
  });

  it('without a trading key -> 404 trading_key_missing', async () => {
    expectProblem(await tradingKey(await newClient()), 404, 'trading_key_missing');
  });
});
