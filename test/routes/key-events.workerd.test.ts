/** The audit chain as the API shows it: who did what, page by page, including rejected requests. */
import { describe, expect, it } from 'vitest';
import { KEY_EVENTS } from '../../src/contract/audit.ts';
import { verifyChain } from '../../src/sdk/audit.ts';
import { createClient } from '../../src/sdk/client.ts';
import type { KeyEvent } from '../../src/sdk/types.ts';
import { call, settings } from '../support/api.ts';
import { newClientWithBot, revoke, rotate, setUp } from '../support/bots.ts';
import { type ClientPerson, newAccount, newAdmin, newClient, type Person } from '../support/people.ts';
import { newEvmKey, newSolanaKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { issue, newClientWithRunner, setPolicy, sign } from '../support/runners.ts';

const admin = await newAdmin();
const message = { type: 'evm.message', message: 'hello' };

async function events(client: ClientPerson, query = '', as: Person = client): Promise<KeyEvent[]> {
  const { status, json } = await call(
    `GET /clients/${client.clientId}/key-events?order=oldest&limit=100${query}`,
    {
      token: as.token,
    },
  );
  expect(status).toBe(200);
  return json.items;
}
const names = (rows: KeyEvent[]) => rows.map(({ event, actor }) => `${event} by ${actor}`);
interface Refusal {
  code: string;
  route: string;
  token_id?: string;
  omitted?: number;
}
const refusals = async (client: ClientPerson) =>
  (await events(client, '&event=refused')).map(({ actor, detail, bot_id }) => ({
    actor,
    ...(detail as unknown as Refusal),
    bot_id,
  }));
/** The SDK, whose requests are handled in this runtime. */
const sdkFor = ({ token }: Person) =>
  createClient({
    url: 'https://api.example.test',
    token,
    async fetch(input, init) {
      const path = String(input).replace('https://api.example.test', '');
      const answer = await call(`${init?.method} ${path}`, { token });
      return new Response(answer.text, { status: answer.status, headers: answer.headers });
    },
  });

describe('GET /clients/{id}/key-events', () => {
  it('shows each action and its actor, and nothing secret', async () => {
    const client = await newClientWithRunner();
    expect((await sign(client, message)).status).toBe(200);
    expect((await setPolicy(admin, client.botId, { chain_ids: ['1'] })).status).toBe(200);
    const rotation = await call(`PUT /clients/${client.clientId}/rotate-key`, {
      token: client.token,
      body: { private_key: newEvmKey().privateKey },
      headers: { 'x-request-id': 'this-very-request' },
    });
    expect((await call(`POST /bots/${client.botId}/stop`, { token: admin.token })).status).toBe(200);
    expect((await call(`DELETE /tokens/${client.tokenId}`, { token: client.token })).status).toBe(200);
    expect((await revoke(client)).status).toBe(200);
    const rows = await events(client);
    expect(names(rows)).toEqual([
      'client_created by operator',
      'bot_created by client',
      'key_added by client',
      'wallet_added by client',
      'bot_started by client',
      'token_issued by client',
      'token_first_used by runner',
      'key_released by runner',
      'policy_set by admin',
      'key_rotated by client',
      'bot_stopped by admin',
      'token_revoked by client',
      'key_revoked by client',
    ]);
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, i) => i + 1));
    const rotated = rows.find(({ event }) => event === 'key_rotated');
    expect(rotated).toMatchObject({
      actor_id: client.userId,
      request_id: 'this-very-request',
      address: rotation.json.address,
      key_id: rotation.json.key_id,
      key_version: 2,
    });
    expect(rows.find(({ event }) => event === 'key_released')).toMatchObject({
      bot_id: client.botId,
      signatures: 1,
      detail: {
        kind: 'evm.message',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        token_id: client.tokenId,
      },
    });
    expect(JSON.stringify(rows)).not.toContain('hello');
    expect(await verifyChain(sdkFor(client), client.clientId)).toMatchObject({
      misfit: null,
      rows: rows.length,
    });
    expect(await verifyChain(sdkFor(admin), client.clientId)).toMatchObject({
      misfit: null,
      rows: rows.length,
    });
  });

  it('in pages, newest or oldest first, without a gap while events are added', async () => {
    const client = await newClientWithBot();
    const page = async (query: string) =>
      (await call(`GET /clients/${client.clientId}/key-events${query}`, { token: client.token })).json;
    const seqs = ({ items }: { items: KeyEvent[] }) => items.map(({ seq }) => seq);
    expect(seqs(await page(''))).toEqual([5, 4, 3, 2, 1]);
    const first = await page('?limit=3');
    expect([seqs(first), first.next_cursor]).toEqual([[5, 4, 3], '3']);
    expect((await rotate(client, { private_key: newEvmKey().privateKey })).status).toBe(200);
    const second = await page(`?limit=3&cursor=${first.next_cursor}`);
    expect([seqs(second), second.next_cursor]).toEqual([[2, 1], null]);
    const oldest = await page('?limit=3&order=oldest');
    expect([seqs(oldest), oldest.next_cursor]).toEqual([[1, 2, 3], '3']);
    expect(seqs(await page('?order=oldest&cursor=3'))).toEqual([4, 5, 6]);
    expect(seqs(await page('?order=oldest&cursor=999'))).toEqual([]);
  });

  it.each(KEY_EVENTS)('?event=%s -> only these events', async (event) => {
    const client = await newClientWithBot();
    expect((await events(client, `&event=${event}`)).every((row) => row.event === event)).toBe(true);
  });

  it.each([
    '?event=everything',
    '?cursor=0',
    '?cursor=-1',
    '?cursor=x',
    '?order=up',
    '?cursor=1e3',
    '?limit=0',
    '?x=1',
  ])('%s -> 422', async (query) => {
    const client = await newClient();
    for (const list of ['key-events', ...(query.includes('event') ? [] : ['checkpoints'])]) {
      const answer = await call(`GET /clients/${client.clientId}/${list}${query}`, { token: client.token });
      expectProblem(answer, 422, 'validation_failed');
    }
  });

  it('with a machine token -> 401 session_required', async () => {
    const client = await newClientWithRunner();
    const answer = await call(`GET /clients/${client.clientId}/key-events`, { token: client.machineToken });
    expectProblem(answer, 401, 'session_required');
  });
});

describe('a rejected request', () => {
  it('of a client -> an event in its chain, with code and route alone', async () => {
    const client = await newClientWithBot();
    const key = newSolanaKey();
    expectProblem(await rotate(client, { private_key: 'nonsense' }), 422, 'private_key_wrong_length');
    expectProblem(
      await setUp(client, { private_key: key.privateKey, bot_type: 'evm-grid' }),
      422,
      'chain_mismatch',
    );
    expectProblem(
      await call(`POST /bots/${client.botId}/wallets`, { token: client.token, body: {} }),
      403,
      'admin_required',
    );
    expectProblem(
      await issue(client, client.botId, { expires_at: '2001-01-01T00:00:00Z' }),
      422,
      'validation_failed',
    );
    expectProblem(await setPolicy(client, client.botId, { unknown: 1 }), 422, 'validation_failed');
    expect(await refusals(client)).toEqual([
      {
        actor: 'client',
        code: 'private_key_wrong_length',
        route: 'PUT /clients/{id}/rotate-key',
        bot_id: null,
      },
      { actor: 'client', code: 'chain_mismatch', route: 'POST /clients/{id}/setup-bot', bot_id: null },
      { actor: 'client', code: 'admin_required', route: 'POST /bots/{id}/wallets', bot_id: client.botId },
      { actor: 'client', code: 'validation_failed', route: 'POST /bots/{id}/tokens', bot_id: client.botId },
      { actor: 'client', code: 'validation_failed', route: 'PUT /bots/{id}/policy', bot_id: client.botId },
    ]);
    expect(await verifyChain(sdkFor(client), client.clientId)).toMatchObject({ misfit: null });
  });

  it('of another client -> an event in the chain of that caller, and none in the chain of the victim', async () => {
    const [victim, attacker] = [await newClientWithBot(), await newClient()];
    const before = await events(victim);
    const asked = [
      `PUT /clients/${victim.clientId}/rotate-key`,
      `DELETE /clients/${victim.clientId}/revoke-key`,
      `POST /bots/${victim.botId}/stop`,
      `POST /bots/${victim.botId}/start`,
    ];
    for (const line of asked) {
      const body = line.startsWith('PUT') ? { private_key: newEvmKey().privateKey } : undefined;
      expectProblem(await call(line, { token: attacker.token, body }), 404, 'resource_not_found');
    }
    expect(await events(victim)).toEqual(before);
    const own = await refusals(attacker);
    expect(own.map(({ code, bot_id }) => [code, bot_id])).toEqual(
      asked.map(() => ['resource_not_found', null]),
    );
    expect(JSON.stringify(own)).not.toContain(victim.clientId);
    expect(JSON.stringify(own)).not.toContain(victim.botId);
  });

  it('whatever client id its body names -> an event in the chain of the caller', async () => {
    const attacker = await newClient();
    const named = [{ toString: 1 }, [{ toString: 1 }], null, 5, [attacker.clientId]];
    for (const client_id of named) {
      const body = { client_id, name: 'x', bot_type: 'evm-grid' };
      const answer = await call('POST /bots/create', { token: attacker.token, body });
      expectProblem(answer, 422, 'validation_failed');
    }
    expect((await refusals(attacker)).map(({ code }) => code)).toEqual(named.map(() => 'validation_failed'));
  });

  it('of an admin -> an event in the chain of the client in question; without a client, no event', async () => {
    const client = await newClientWithBot();
    const create = (client_id: string) =>
      call('POST /bots/create', { token: admin.token, body: { client_id, name: 'x', bot_type: 'none' } });
    expectProblem(await create(client.clientId), 422, 'bot_type_unknown');
    expectProblem(await create(crypto.randomUUID()), 404, 'resource_not_found');
    expect(await refusals(client)).toEqual([
      { actor: 'admin', code: 'bot_type_unknown', route: 'POST /bots/create', bot_id: null },
    ]);
  });

  it('without a second factor or a recent sign-in -> an event too', async () => {
    const client = await newClientWithBot();
    const rotation = `PUT /clients/${client.clientId}/rotate-key`;
    const body = { private_key: newEvmKey().privateKey };
    const env = { ...settings(), REQUIRE_AAL2: 'true' };
    expectProblem(await call(rotation, { token: client.token, body, env }), 403, 'second_factor_required');
    const late = { ...settings(), MAX_SIGN_IN_AGE_SECONDS: '60' };
    expectProblem(await call(rotation, { token: client.token, body, env: late }), 401, 'sign_in_too_old');
    const create = { client_id: client.clientId, name: 'x', bot_type: 'evm-grid' };
    const created = await call('POST /bots/create', { token: admin.token, body: create, env });
    expectProblem(created, 403, 'second_factor_required');
    expect(await refusals(client)).toEqual([
      {
        actor: 'client',
        code: 'second_factor_required',
        route: 'PUT /clients/{id}/rotate-key',
        bot_id: null,
      },
      { actor: 'client', code: 'sign_in_too_old', route: 'PUT /clients/{id}/rotate-key', bot_id: null },
    ]);
  });

  it('of a runner -> an event in the chain of its client, with the token', async () => {
    const [client, other] = [await newClientWithRunner(), await newClientWithBot()];
    await setPolicy(client, client.botId, { kinds: ['evm.transaction'] });
    expectProblem(await sign(client, message), 403, 'policy_kind_denied');
    expectProblem(await sign({ ...client, botId: other.botId }, message), 404, 'resource_not_found');
    const common = { actor: 'runner', route: 'POST /bots/{id}/sign', token_id: client.tokenId };
    expect(await refusals(client)).toEqual([
      { ...common, code: 'policy_kind_denied', bot_id: client.botId },
      { ...common, code: 'resource_not_found', bot_id: null },
    ]);
    expect(await refusals(other)).toEqual([]);
    // A rejected request is not a first use either, because its transaction was rolled back.
    expect(names(await events(client)).filter((name) => name.startsWith('token_first'))).toEqual([
      'token_first_used by runner',
    ]);
  });

  it('because the key does not open -> an event after the check-out, which is counted', async () => {
    const client = await newClientWithRunner();
    const other = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
    const signed = await call(`POST /bots/${client.botId}/sign`, {
      token: client.machineToken,
      body: message,
      env: { ...settings(), ENCRYPTION_KEY: other },
    });
    expectProblem(signed, 503, 'key_decryption_failed');
    expect((await refusals(client)).map(({ actor, code }) => [actor, code])).toEqual([
      ['runner', 'key_decryption_failed'],
    ]);
    expect(names(await events(client, '&event=key_released'))).toEqual(['key_released by runner']);
  });

  it('with an ended token, without a token, or malformed -> no event', async () => {
    const client = await newClientWithRunner();
    await call(`DELETE /tokens/${client.tokenId}`, { token: client.token });
    expectProblem(await sign(client, message), 401, 'token_invalid');
    expectProblem(
      await call(`DELETE /clients/${client.clientId}/revoke-key`),
      401,
      'authentication_required',
    );
    expectProblem(
      await call(`PUT /clients/${client.clientId}/rotate-key`, { token: client.token, body: '{' }),
      400,
      'json_malformed',
    );
    expectProblem(
      await call(`GET /clients/${crypto.randomUUID()}`, { token: client.token }),
      404,
      'resource_not_found',
    );
    const account = await newAccount();
    expectProblem(await revoke(client, account), 404, 'resource_not_found');
    expect(await refusals(client)).toEqual([]);
  });

  it('above twenty a minute -> counted instead', async () => {
    const client = await newClientWithBot();
    for (let i = 0; i < 24; i++) await rotate(client, { private_key: 'nonsense' });
    const rows = await refusals(client);
    // A minute may have ended in between.
    const told = rows.reduce((sum, row) => sum + 1 + (row.omitted ?? 0), 0);
    expect(rows.length).toBeGreaterThanOrEqual(20);
    expect(told).toBeLessThanOrEqual(24);
    expect(rows.length).toBeLessThan(24);
  });

  it('gets the same response if the event cannot be written', async () => {
    const client = await newClientWithBot();
    const env = { ...settings(), SUPABASE_URL: 'http://127.0.0.1:9' };
    const answer = await call(`PUT /clients/${client.clientId}/rotate-key`, {
      token: client.token,
      body: { private_key: 'nonsense' },
      env,
    });
    expectProblem(answer, 422, 'private_key_wrong_length');
  });
});

describe('GET /.well-known/jwks.json', () => {
  it('-> the public audit key, to anyone', async () => {
    const { status, json } = await call('GET /.well-known/jwks.json');
    expect([status, json.keys.length, json.keys[0].crv]).toEqual([200, 1, 'Ed25519']);
    expect(json.keys[0]).not.toHaveProperty('d');
  });

  it('without a key -> an empty set; with former keys alone -> the former keys', async () => {
    const env = { ...settings(), AUDIT_SIGNING_KEY: '' };
    expect((await call('GET /.well-known/jwks.json', { env })).json).toEqual({ keys: [] });
    const former = { ...env, AUDIT_PUBLIC_KEYS: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    expect((await call('GET /.well-known/jwks.json', { env: former })).json.keys).toHaveLength(1);
  });

  it.each([{ AUDIT_SIGNING_KEY: 'x' }, { AUDIT_PUBLIC_KEYS: 'x' }])(
    'with %j -> 503, named by /ready, which is ready',
    async (bad) => {
      const env = { ...settings(), ...bad };
      expectProblem(await call('GET /.well-known/jwks.json', { env }), 503, 'audit_key_malformed');
      const { status, json } = await call('GET /ready', { env });
      expect([status, json.dependencies.audit_key]).toEqual([
        200,
        { status: 'failing', code: 'audit_key_malformed', detail: expect.any(String) },
      ]);
    },
  );
});
