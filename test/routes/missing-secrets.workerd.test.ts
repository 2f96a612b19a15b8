/** Without the edge token or the master key: keys are neither stored nor opened, and everything else works. */
import { describe, expect, it } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import { newMachineToken } from '../../src/machine-token.ts';
import type { ProblemCode } from '../../src/problem.ts';
import { type Answer, call, settings } from '../support/api.ts';
import { type ClientWithBot, create, newClientWithBot, stored } from '../support/bots.ts';
import { type ClientPerson, newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner, sign } from '../support/runners.ts';
import { emptyProject, expectMissing, without } from './readiness.ts';

const admin = await newAdmin();

/** The responses of each operation that accepts a private key: a set-up and a bot of `client`, a wallet and a rotation of `owner`. */
async function submitKey(client: ClientPerson, owner: ClientWithBot, env: Bindings): Promise<Answer[]> {
  const { privateKey: private_key } = newEvmKey();
  const bot_type = 'evm-grid';
  return [
    await call(`POST /clients/${client.clientId}/setup-bot`, {
      token: client.token,
      env,
      body: { bot_type, private_key },
    }),
    await call('POST /bots/create', {
      token: admin.token,
      env,
      body: { client_id: client.clientId, name: 'A bot', bot_type, wallets: [{ private_key }] },
    }),
    await call(`POST /bots/${owner.botId}/wallets`, { token: admin.token, env, body: { private_key } }),
    await call(`PUT /clients/${owner.clientId}/rotate-key`, {
      token: owner.token,
      env,
      body: { private_key },
    }),
  ];
}

describe.each<[string, Bindings, ProblemCode]>([
  ['without EDGE_TOKEN', without('EDGE_TOKEN'), 'edge_token_missing'],
  ['with an EDGE_TOKEN of white space', { ...settings(), EDGE_TOKEN: ' ' }, 'edge_token_missing'],
  [
    'with an EDGE_TOKEN cut off',
    { ...settings(), EDGE_TOKEN: settings().EDGE_TOKEN.slice(0, -1) },
    'edge_token_malformed',
  ],
  [
    'with an EDGE_TOKEN that was never issued',
    { ...settings(), EDGE_TOKEN: newMachineToken() },
    'edge_token_invalid',
  ],
])('%s', (_, env, code) => {
  it('/ready names the edge token alone', async () => {
    await expectMissing({ ...env, SUPABASE_URL: emptyProject }, { edge_token: code });
  });

  it('storing a key and signing -> 503, and store nothing', async () => {
    const [client, owner] = [await newClient(), await newClientWithRunner()];
    const before = await stored(owner);
    const asked: Answer[] = [
      ...(await submitKey(client, owner, env)),
      await sign(owner, { type: 'evm.message', message: 'hello' }, { env }),
    ];
    for (const answer of asked) expectProblem(answer, 503, code);
    expect(await stored(owner)).toEqual(before);
    expect(await stored(client)).toEqual({ trading: undefined, wallets: [] });
  });

  it('reading, stopping and revoking still work', async () => {
    const owner = await newClientWithRunner();
    const { token } = owner;
    expect((await call(`GET /clients/${owner.clientId}/bots`, { token, env })).status).toBe(200);
    expect((await call('GET /runner/bots', { token: owner.machineToken, env })).status).toBe(200);
    expect((await call(`POST /bots/${owner.botId}/stop`, { token, env })).status).toBe(200);
    expect((await call(`DELETE /clients/${owner.clientId}/revoke-key`, { token, env })).status).toBe(200);
  });
});

describe.each<[string, Bindings, ProblemCode]>([
  ['without ENCRYPTION_KEY', without('ENCRYPTION_KEY'), 'master_key_missing'],
  ['with an empty ENCRYPTION_KEY', { ...settings(), ENCRYPTION_KEY: ' ' }, 'master_key_missing'],
  [
    'with an ENCRYPTION_KEY of 16 bytes',
    { ...settings(), ENCRYPTION_KEY: btoa('0123456789abcdef') },
    'master_key_malformed',
  ],
  [
    'with an ENCRYPTION_KEY in hex',
    { ...settings(), ENCRYPTION_KEY: 'ab'.repeat(32) },
    'master_key_malformed',
  ],
  [
    'with an ENCRYPTION_KEY of zeros',
    { ...settings(), ENCRYPTION_KEY: btoa('\0'.repeat(32)) },
    'master_key_malformed',
  ],
  [
    'with the same ENCRYPTION_KEY twice',
    { ...settings(), ENCRYPTION_KEY: `${settings().ENCRYPTION_KEY},${settings().ENCRYPTION_KEY}` },
    'master_key_malformed',
  ],
])('%s', (_, env, code) => {
  it('/ready names the master key alone', async () => {
    await expectMissing(env, { master_key: code });
  });

  it('operations that accept a key -> 503, and store nothing', async () => {
    const [client, owner] = [await newClient(), await newClientWithBot()];
    const before = await stored(owner);
    const asked = await submitKey(client, owner, env);
    for (const answer of asked) expectProblem(answer, 503, code);
    expect(await stored(client)).toEqual({ trading: undefined, wallets: [] });
    expect(await stored(owner)).toEqual(before);
  });

  it('everything else works: reading, creating, stopping, starting, copying, revoking', async () => {
    const client = await newClientWithBot();
    const as = { token: client.token, env };
    const about = `/clients/${client.clientId}`;
    for (const line of [
      'GET /clients/me',
      `GET ${about}/trading-key`,
      `GET ${about}/bots`,
      `GET ${about}/bot-options`,
    ]) {
      expect((await call(line, as)).status).toBe(200);
    }
    expect((await call(`POST /bots/${client.botId}/stop`, as)).json.status).toBe('stopped');
    expect((await call(`POST /bots/${client.botId}/start`, as)).json.status).toBe('running');
    const copied = await call(`POST ${about}/setup-bot`, { ...as, body: { bot_type: 'evm-grid' } });
    expect(copied).toMatchObject({ status: 201, json: { wallets: [{ key_source: 'trading' }] } });
    expect((await call(`DELETE ${about}/revoke-key`, as)).json).toMatchObject({ bots_stopped: 2 });
    const bot = { client_id: client.clientId, name: 'A bot', bot_type: 'evm-grid' };
    expect((await call('POST /bots/create', { token: admin.token, env, body: bot })).status).toBe(201);
  });
});

describe('an ENCRYPTION_KEY that is added', () => {
  it('after a call that lacked it -> keys are accepted', async () => {
    const client = await newClient();
    const body = { wallets: [{ private_key: newEvmKey().privateKey }] };
    const missing = { client_id: client.clientId, name: 'A bot', bot_type: 'evm-grid', ...body };
    const answer = await call('POST /bots/create', {
      token: admin.token,
      env: without('ENCRYPTION_KEY'),
      body: missing,
    });
    expectProblem(answer, 503, 'master_key_missing');
    expect((await create(admin, client, body)).status).toBe(201);
  });
});
