/** Sessions of a hosted project, from the first key to the revocation: see test/support/hosted-project.ts. */
import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';

describe.each(['ES256', 'RS256'] as const)('sessions under %s', async (alg) => {
  const key = await newSigningKey(alg);
  const project = await newHostedProject([key]);
  const session = async (userId: string) => ({
    env: project.settings,
    token: await project.token(key, { sub: userId }),
  });

  it('are accepted for every call from set-up to revocation', async () => {
    const client = await newClient();
    const as = await session(client.userId);
    const [first, second] = [newEvmKey(), newEvmKey()];
    const bot = await call(`POST /clients/${client.clientId}/setup-bot`, {
      ...as,
      body: { bot_type: 'evm-grid', private_key: first.privateKey },
    });
    expect(bot).toMatchObject({
      status: 201,
      json: { status: 'running', wallets: [{ address: first.address }] },
    });

    const rotated = await call(`PUT /clients/${client.clientId}/rotate-key`, {
      ...as,
      body: { private_key: second.privateKey },
    });
    expect(rotated).toMatchObject({ status: 200, json: { address: second.address, wallets_updated: 1 } });

    const revoked = await call(`DELETE /clients/${client.clientId}/revoke-key`, as);
    expect(revoked).toMatchObject({ status: 200, json: { bots_stopped: 1, wallets_cleared: 1 } });
    expectProblem(await call(`POST /bots/${bot.json.id}/start`, as), 409, 'bot_key_missing');
  });

  it('allow an admin to create clients, and are subject to row-level security', async () => {
    const [admin, client] = [await newAdmin(), await newClient()];
    const body = { client_id: client.clientId, name: 'One', bot_type: 'evm-grid' };
    const created = await call('POST /bots/create', { ...(await session(admin.userId)), body });
    expect(created.status).toBe(201);
    expectProblem(
      await call('POST /bots/create', { ...(await session(client.userId)), body }),
      403,
      'admin_required',
    );
    const stranger = await newClient();
    expectProblem(
      await call(`GET /bots/${created.json.id}`, await session(stranger.userId)),
      404,
      'resource_not_found',
    );
  });

  it('need no JWT secret: GET /ready -> 200', async () => {
    expect(await call('GET /ready', { env: project.settings })).toMatchObject({
      json: { dependencies: { token_verification: { status: 'ok' } } },
    });
  });
});

describe('a project that moves from one signing key to the next', async () => {
  const [old, next] = [await newSigningKey('ES256'), await newSigningKey('ES256')];

  it('accepts both while both are published', async () => {
    const project = await newHostedProject([old, next]);
    const client = await newClient();
    for (const key of [old, next, old]) {
      const token = await project.token(key, { sub: client.userId });
      const answer = await call('GET /clients/me', { token, env: project.settings });
      expect([answer.status, answer.json.id]).toEqual([200, client.clientId]);
    }
    expect((await project.counts()).jwksFetches).toBe(1);
  });
});

describe('signing keys that cannot be fetched', async () => {
  const key = await newSigningKey('ES256');

  it('GET /clients/me -> 503 auth_unavailable, and /ready reports it', async () => {
    const project = await newHostedProject([key]);
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    const token = await project.token(key, { sub: crypto.randomUUID() });
    expectProblem(await call('GET /clients/me', { token, env: project.settings }), 503, 'auth_unavailable');
    expect(await call('GET /ready', { env: project.settings })).toMatchObject({
      status: 503,
      json: { dependencies: { token_verification: { status: 'missing', code: 'auth_unavailable' } } },
    });
  });

  it('GET /clients/me, once they were fetched -> 200', async () => {
    const project = await newHostedProject([key]);
    const client = await newClient();
    const token = await project.token(key, { sub: client.userId });
    expect((await call('GET /clients/me', { token, env: project.settings })).status).toBe(200);
    await project.set({ jwks: { status: 500, type: 'text/plain', body: 'down' } });
    expect((await call('GET /clients/me', { token, env: project.settings })).status).toBe(200);
  });
});
