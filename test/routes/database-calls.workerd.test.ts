/** How often a request calls the database: once, whatever it does, so that it is one transaction and one wait. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { call, settings } from '../support/api.ts';
import { addWallet, create, revoke, rotate, setUp } from '../support/bots.ts';
import { operations, PUBLIC, tokenFor } from '../support/operations.ts';
import { type ClientPerson, newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { type ClientWithRunner, newClientWithRunner } from '../support/runners.ts';

const admin = await newAdmin();
let client: ClientWithRunner;
let fresh: ClientPerson;
beforeAll(async () => {
  client = await newClientWithRunner();
  fresh = await newClient();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** The paths of the database API that were called since. */
function watched(): string[] {
  const asked: string[] = [];
  const pass = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (url.startsWith(`${settings().SUPABASE_URL}/rest/`)) asked.push(url.replace(/^.*\/rpc\//, ''));
    return pass(input, init);
  });
  return asked;
}

const key = () => ({ private_key: newEvmKey().privateKey });
const own = (line: string, body?: object) => call(line, { token: client.token, ...(body && { body }) });
const machine = (line: string, body?: object) =>
  call(line, { token: client.machineToken, ...(body && { body }) });

/** Run in this order: a request finds what the earlier ones left. */
const REQUESTS: readonly [
  line: string,
  status: number,
  send: () => ReturnType<typeof call>,
  calls: readonly string[],
][] = [
  ['GET /clients/me', 200, () => own('GET /clients/me'), ['get_own_client']],
  ['GET /clients', 200, () => call('GET /clients', { token: admin.token }), ['list_clients']],
  ['GET /clients/{id}/bots', 200, () => own(`GET /clients/${client.clientId}/bots`), ['list_bots']],
  ['GET /bots/{id}', 200, () => own(`GET /bots/${client.botId}`), ['get_bot']],
  [
    'GET /clients/{id}/trading-key',
    200,
    () => own(`GET /clients/${client.clientId}/trading-key`),
    ['get_trading_key'],
  ],
  ['PUT /bots/{id}/policy', 200, () => own(`PUT /bots/${client.botId}/policy`, {}), ['set_policy']],
  [
    'POST /bots/{id}/tokens',
    201,
    () => own(`POST /bots/${client.botId}/tokens`, { name: 'A runner' }),
    ['issue_token'],
  ],
  ['GET /runner/bots', 200, () => machine('GET /runner/bots'), ['list_runner_bots']],
  ['GET /runner/bots/{id}', 200, () => machine(`GET /runner/bots/${client.botId}`), ['get_runner_bot']],
  [
    'POST /bots/{id}/heartbeat',
    200,
    () => machine(`POST /bots/${client.botId}/heartbeat`, { status: 'ok' }),
    ['record_heartbeat'],
  ],
  [
    'POST /bots/{id}/sign',
    200,
    () => machine(`POST /bots/${client.botId}/sign`, { type: 'evm.message', message: 'x' }),
    ['check_out_key'],
  ],
  ['POST /clients/{id}/setup-bot', 201, () => setUp(fresh, key()), ['setup_bot']],
  [
    'POST /bots/create with several keys',
    201,
    () => create(admin, client, { wallets: [key(), key(), key()] }),
    ['create_bot'],
  ],
  // The bot has a copy already. The rejection is recorded while the response is built.
  [
    'POST /bots/{id}/wallets without a key',
    409,
    () => addWallet(admin, client.botId, {}),
    ['add_wallet', 'report_refusal'],
  ],
  // An envelope names its client, which is not in the path.
  ['POST /bots/{id}/wallets', 201, () => addWallet(admin, client.botId, key()), ['get_bot', 'add_wallet']],
  ['PUT /clients/{id}/rotate-key', 200, () => rotate(client, key()), ['rotate_key']],
  ['POST /bots/{id}/stop', 200, () => own(`POST /bots/${client.botId}/stop`), ['stop_bot']],
  ['DELETE /clients/{id}/revoke-key', 200, () => revoke(client), ['revoke_key_at_edge']],
];

describe('a request', () => {
  it.each(REQUESTS)('%s -> %i', async (_, expected, send, calls) => {
    const asked = watched();
    const { status } = await send();
    expect(status).toBe(expected);
    expect(asked).toEqual(calls);
  });
});

describe('any request about a resource that does not exist', () => {
  const asking = operations.filter(({ line }) => !PUBLIC.includes(line) && line.includes('{id}'));
  it.each(asking.map(({ line }) => line))('%s calls the database at most once', async (line) => {
    const asked = watched();
    await call(line.replace('{id}', crypto.randomUUID()), { token: tokenFor(line, admin.token) });
    expect(asked.filter((name) => !/^report_(runner_)?refusal$/.test(name)).length).toBeLessThanOrEqual(1);
  });
});
