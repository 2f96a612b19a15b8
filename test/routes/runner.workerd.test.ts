import { sha256 } from '@noble/hashes/sha2.js';
import { createBase58check } from '@scure/base';
import { describe, expect, it } from 'vitest';
import { call, settings } from '../support/api.ts';
import { create, newClientWithBot, setUp } from '../support/bots.ts';
import { accessToken, newAdmin, newClient, operatorSql } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, newMachineTokenFor, sign } from '../support/runners.ts';

const admin = await newAdmin();
const own = await newClientWithRunner();
const message = { type: 'evm.message', message: 'hello' };
const bytesOf = (size: number) => crypto.getRandomValues(new Uint8Array(size));
const machineToken = (size = 32) => `tk_${createBase58check(sha256).encode(bytesOf(size))}`;
const beat = (botId: string, token: string, body: object) =>
  call(`POST /bots/${botId}/heartbeat`, { token, body });

const RUNNER_ROUTES = (botId: string): [string, unknown][] => [
  ['GET /runner/bots', undefined],
  [`GET /runner/bots/${botId}`, undefined],
  [`POST /bots/${botId}/heartbeat`, { status: 'ok' }],
  [`POST /bots/${botId}/sign`, message],
];

describe.each(RUNNER_ROUTES(own.botId))('%s', (line, body) => {
  const good = own.machineToken;
  const last = good.at(-1) === 'a' ? 'b' : 'a';

  it('with the machine token -> 200', async () => {
    expect((await call(line, { token: good, body })).status).toBe(200);
  });

  it('without a token -> 401 authentication_required', async () => {
    expectProblem(await call(line, { body }), 401, 'authentication_required');
  });

  it.each<[string, () => string | Promise<string>]>([
    ['a machine token of nobody', () => `Bearer ${machineToken()}`],
    ['a mistyped machine token', () => `Bearer ${good.slice(0, -1)}${last}`],
    ['a truncated machine token', () => `Bearer ${good.slice(0, -1)}`],
    ['two machine tokens', () => `Bearer ${good} ${good}`],
    ['a machine token without its prefix', () => `Bearer ${good.slice(3)}`],
    ['a machine token with another prefix', () => `Bearer TK_${good.slice(3)}`],
    ['a machine token of 31 bytes', () => `Bearer ${machineToken(31)}`],
    ['a machine token of 33 bytes', () => `Bearer ${machineToken(33)}`],
    ['a long one', () => `Bearer tk_${'1'.repeat(10_000)}`],
    ['the publishable key', () => `Bearer ${settings().SUPABASE_PUBLISHABLE_KEY}`],
    [
      'the hash of the token',
      () =>
        `Bearer ${[...sha256(new TextEncoder().encode(good))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    ],
    ['another scheme', () => `Basic ${good}`],
    ['no scheme', () => good],
    ['an empty header', () => ''],
  ])('with %s -> 401 token_invalid, whatever the body', async (_, header) => {
    const headers = { authorization: await header() };
    expectProblem(await call(line, { headers, body }), 401, 'token_invalid');
  });

  it.each<[string, () => string | Promise<string>]>([
    ['the session of the client', () => own.token],
    ['the session of an admin', () => admin.token],
    ['an expired session', () => accessToken({ sub: own.userId, exp: 1 })],
  ])('with %s -> 401 machine_token_required, whatever the body', async (_, session) => {
    expectProblem(await call(line, { token: await session(), body }), 401, 'machine_token_required');
  });

  it('with a malformed token and a body that is none -> 401 first', async () => {
    expectProblem(
      await call(line, { token: 'tk_x', ...(body !== undefined && { body: '{' }) }),
      401,
      'token_invalid',
    );
  });

  it('with a mistyped token -> 401 without a database call', async () => {
    const env = { ...settings(), SUPABASE_URL: 'http://127.0.0.1:1' };
    const token = `${good.slice(0, -1)}${last}`;
    expectProblem(await call(line, { token, body, env }), 401, 'token_invalid');
  });

  it('without a database -> 503 database_not_configured', async () => {
    const env = { ...settings(), SUPABASE_URL: '' };
    expectProblem(await call(line, { token: good, body, env }), 503, 'database_not_configured');
  });

  it('with a database that does not respond -> 503', async () => {
    const env = { ...settings(), SUPABASE_URL: 'http://127.0.0.1:1' };
    expectProblem(await call(line, { token: good, body, env }), 503, 'database_unavailable');
  });
});

describe('a machine token on a route that needs a session', () => {
  it.each([
    'GET /clients',
    'GET /clients/me',
    `GET /clients/${own.clientId}`,
    `GET /clients/${own.clientId}/trading-key`,
    `DELETE /clients/${own.clientId}/revoke-key`,
    `GET /bots/${own.botId}`,
    `POST /bots/${own.botId}/start`,
    `POST /bots/${own.botId}/stop`,
    `GET /bots/${own.botId}/tokens`,
    `POST /bots/${own.botId}/tokens`,
    `GET /bots/${own.botId}/policy`,
    `PUT /bots/${own.botId}/policy`,
    `DELETE /tokens/${own.tokenId}`,
  ])('%s -> 401 session_required', async (line) => {
    expectProblem(await call(line, { token: own.machineToken }), 401, 'session_required');
    expectProblem(await call(line), 401, 'authentication_required');
  });

  it.each([
    [`POST /bots/${own.botId}/sign/`, 404, 'route_not_found'],
    [`POST /bots/${own.botId}/sign/x`, 404, 'route_not_found'],
    ['GET /runner', 404, 'route_not_found'],
    [`GET /bots/${own.botId}/sign`, 405, 'method_not_allowed'],
    ['POST /runner/bots', 405, 'method_not_allowed'],
  ] as const)('%s -> %i, and not a fault of the token', async (line, status, code) => {
    expectProblem(await call(line, { token: own.machineToken }), status, code);
  });
});

describe('a bot of another token', () => {
  it.each(RUNNER_ROUTES('{id}').slice(1))(
    '%s -> 404, byte for byte the response for an absent bot',
    async (line, body) => {
      const other = await newClientWithRunner();
      const ask = (id: string) =>
        call(line.replace('{id}', id), {
          token: own.machineToken,
          body,
          headers: { 'x-request-id': 'same' },
        });
      const [theirs, absent] = [await ask(other.botId), await ask(crypto.randomUUID())];
      expectProblem(theirs, 404, 'resource_not_found');
      expect([theirs.text, [...theirs.headers]]).toEqual([absent.text, [...absent.headers]]);
      expect(
        await operatorSql('select id from private.every_key_event where bot_id = $1 and event = $2', [
          other.botId,
          'key_released',
        ]),
      ).toEqual([]);
    },
  );

  it('of the same client, which the token does not cover -> 404 too', async () => {
    const second = (await create(admin, own, { wallets: [] })).json.id;
    expectProblem(await sign({ ...own, botId: second }, message), 404, 'resource_not_found');
  });

  it.each(['x', '1', `${own.botId}x`])('a malformed id (%s) -> 422', async (id) => {
    expectProblem(await sign({ ...own, botId: id }, message), 422, 'validation_failed');
  });
});

describe('GET /runner/bots', () => {
  it('-> the running bots of the token, without their configs, keys or envelopes', async () => {
    const client = await newClientWithBot();
    const second = (await create(admin, client, { name: 'Second', config: { pair: 'ETH/USDC' } })).json;
    const { machineToken: token } = await newMachineTokenFor(client, client.botId, {
      other_bot_ids: [second.id],
    });
    const before = await call('GET /runner/bots', { token });
    expect(before.json.items.map((bot: { id: string }) => bot.id)).toEqual([client.botId]);
    await call(`POST /bots/${second.id}/wallets`, { token: admin.token, body: {} });
    expect((await call(`POST /bots/${second.id}/start`, { token: client.token })).status).toBe(200);
    const { json, text } = await call('GET /runner/bots', { token });
    expect(json.next_cursor).toBeNull();
    expect(json.items).toContainEqual({
      id: second.id,
      client_id: client.clientId,
      bot_type: 'evm-grid',
      name: 'Second',
      status: 'running',
      started_at: expect.any(String),
      wallets: [
        expect.objectContaining({
          address: client.key.address,
          chain: 'evm',
          key_source: 'trading',
          key_id: expect.any(String),
        }),
      ],
    });
    expect(text).not.toContain('encrypted');
    expect(text).not.toContain('eyJ');
  });

  it('after a revocation -> 401: the token ended with the key', async () => {
    const client = await newClientWithRunner();
    await call(`DELETE /clients/${client.clientId}/revoke-key`, { token: client.token });
    expectProblem(await call('GET /runner/bots', { token: client.machineToken }), 401, 'token_invalid');
  });
});

describe('GET /runner/bots in pages', () => {
  it('-> newest first, joined by their cursors', async () => {
    const client = await newClientWithBot();
    const bots = [client.botId];
    for (let more = 0; more < 2; more += 1) bots.push((await setUp(client)).json.id);
    const { machineToken: token } = await newMachineTokenFor(client, client.botId, { other_bot_ids: bots });
    const first = await call('GET /runner/bots?limit=2', { token });
    expect(first.json.items.map(({ id }: { id: string }) => id)).toEqual([bots[2], bots[1]]);
    expect(first.json.next_cursor).toBe(bots[1]);
    const second = await call(`GET /runner/bots?limit=2&cursor=${bots[1]}`, { token });
    expect(second.json.items.map(({ id }: { id: string }) => id)).toEqual([bots[0]]);
    expect(second.json.next_cursor).toBeNull();
  });

  it.each(['?limit=0', '?limit=101', '?cursor=x', '?offset=1'])('%s -> 422', async (query) => {
    expectProblem(
      await call(`GET /runner/bots${query}`, { token: own.machineToken }),
      422,
      'validation_failed',
    );
  });

  it("of an admin's token for bots of two clients -> each with its wallets", async () => {
    const [one, two] = [await newClientWithBot(), await newClientWithBot()];
    const { machineToken: token } = await newMachineTokenFor(admin, one.botId, {
      other_bot_ids: [two.botId],
    });
    const { json } = await call('GET /runner/bots', { token });
    const addresses = json.items.map(({ wallets }: { wallets: { address: string }[] }) =>
      wallets.map(({ address }) => address),
    );
    expect(addresses).toEqual([[two.key.address], [one.key.address]]);
  });
});

describe('GET /runner/bots/{id}', () => {
  it('-> the bot with its config, running or stopped, and no key or envelope', async () => {
    const client = await newClientWithBot();
    const config = { pair: 'ETH/USDC' };
    const bot = (await setUp(client, { name: 'Configured', config })).json;
    const { machineToken: token } = await newMachineTokenFor(client, bot.id);
    const running = await call(`GET /runner/bots/${bot.id}`, { token });
    expect(running.json).toEqual({
      id: bot.id,
      client_id: client.clientId,
      bot_type: 'evm-grid',
      name: 'Configured',
      config,
      status: 'running',
      started_at: expect.any(String),
      wallets: bot.wallets,
    });
    await call(`POST /bots/${bot.id}/stop`, { token: client.token });
    const stopped = await call(`GET /runner/bots/${bot.id}`, { token });
    expect(stopped.json).toEqual({ ...running.json, status: 'stopped' });
    expect(running.text + stopped.text).not.toMatch(/encrypted|eyJ/);
  });
});

describe('POST /bots/{id}/heartbeat', () => {
  it('-> recorded, and only the last one is kept; the response says whether to continue', async () => {
    const client = await newClientWithRunner();
    const metrics = { open_orders: 3, healthy: true, pair: 'ETH/USDC' };
    const first = await beat(client.botId, client.machineToken, {
      status: 'degraded',
      message: 'late',
      metrics,
    });
    expect(first).toMatchObject({
      status: 200,
      json: { bot_id: client.botId, bot_status: 'running', recorded_at: expect.any(String) },
    });
    const rows = () =>
      operatorSql('select status, message, metrics from public.bot_heartbeats where bot_id = $1', [
        client.botId,
      ]);
    expect(await rows()).toEqual([{ status: 'degraded', message: 'late', metrics }]);
    await call(`POST /bots/${client.botId}/stop`, { token: client.token });
    const second = await beat(client.botId, client.machineToken, { status: 'ok' });
    expect(second.json.bot_status).toBe('stopped');
    expect(await rows()).toEqual([{ status: 'ok', message: null, metrics: null }]);
  });

  it.each<[string, object]>([
    ['no status', {}],
    ['another status', { status: 'fine' }],
    ['1001 characters', { status: 'ok', message: 'x'.repeat(1001) }],
    ['a zero character', { status: 'ok', message: 'a\0b' }],
    ['nested metrics', { status: 'ok', metrics: { a: { b: 1 } } }],
    [
      '9 KiB of metrics',
      {
        status: 'ok',
        metrics: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`m${i}`, 'x'.repeat(150)])),
      },
    ],
    ['metrics that are a list', { status: 'ok', metrics: [1] }],
    [
      '8 KiB of metrics only with all digits of their numbers',
      { status: 'ok', metrics: Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`m${i}`, 1e300])) },
    ],
    ['another member', { status: 'ok', key: 'x' }],
  ])('with %s -> 422', async (_, body) => {
    expectProblem(await beat(own.botId, own.machineToken, body), 422, 'validation_failed');
  });
});

it('a client without bots may not read the tokens or runners of others', async () => {
  const client = await newClient();
  expectProblem(await call('GET /runner/bots', { token: client.token }), 401, 'machine_token_required');
});
