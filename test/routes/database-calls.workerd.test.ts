/** How often a request calls the database: once, whatever it does, so that it is one transaction and one wait. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { call, settings } from '../support/api.ts';
import { addWallet, create, setUp } from '../support/bots.ts';
import { operations, PUBLIC, tokenFor } from '../support/operations.ts';
import { type ClientPerson, newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { bodyOf, lineTo } from '../support/requests.ts';
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
const admins = () => admin.token;
const own = () => client.token;
const machine = () => client.machineToken;

/** Run in this order: a request finds what the earlier ones left. */
const REQUESTS: readonly [line: string, status: number, token: () => string, calls: readonly string[]][] = [
  ['GET /clients/me', 200, own, ['get_own_client']],
  ['GET /clients', 200, admins, ['list_clients']],
  ['GET /clients/{id}/bots', 200, own, ['list_bots']],
  ['GET /bots/{id}', 200, own, ['get_bot']],
  ['GET /clients/{id}/trading-key', 200, own, ['get_trading_key']],
  ['POST /bots/{id}/tokens', 201, own, ['issue_token']],
  ['GET /runner/bots', 200, machine, ['list_runner_bots']],
  ['GET /runner/bots/{id}', 200, machine, ['get_runner_bot']],
  ['POST /bots/{id}/heartbeat', 200, machine, ['record_heartbeat']],
  ['POST /bots/{id}/sign', 200, machine, ['check_out_key']],
  ['PUT /bots/{id}/policy', 200, own, ['set_policy']],
  // An envelope names its client, which is not in the path.
  ['POST /bots/{id}/wallets', 201, admins, ['get_bot', 'add_wallet']],
  ['PUT /clients/{id}/rotate-key', 200, own, ['rotate_key']],
  ['POST /bots/{id}/stop', 200, own, ['stop_bot']],
  ['DELETE /clients/{id}/revoke-key', 200, own, ['revoke_key_at_edge']],
];

/** The same, where the body makes a difference. They come first. */
const SPECIAL: readonly [
  what: string,
  status: number,
  send: () => ReturnType<typeof call>,
  calls: readonly string[],
][] = [
  ['POST /clients/{id}/setup-bot with a first key', 201, () => setUp(fresh, key()), ['setup_bot']],
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
];

describe('a request', () => {
  it.each(SPECIAL)('%s -> %i', async (_, expected, send, calls) => {
    const asked = watched();
    const { status } = await send();
    expect(status).toBe(expected);
    expect(asked).toEqual(calls);
  });

  it.each(REQUESTS)('%s -> %i', async (line, expected, token, calls) => {
    const asked = watched();
    const { status } = await call(lineTo(line, client), { token: token(), body: bodyOf(line, client) });
    expect(status).toBe(expected);
    expect(asked).toEqual(calls);
  });
});

describe('any request about a resource that does not exist', () => {
  const asking = operations.filter(({ line }) => !PUBLIC.includes(line) && line.includes('{id}'));
  it.each(asking.map(({ line }) => line))('%s calls the database at most once', async (line) => {
    const asked = watched();
    await call(lineTo(line), { token: tokenFor(line, admin.token) });
    expect(asked.filter((name) => !/^report_(runner_)?refusal$/.test(name)).length).toBeLessThanOrEqual(1);
  });
});
