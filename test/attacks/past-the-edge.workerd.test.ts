/** Attacks that once succeeded, with a session, a machine token, a dump or the operator's SQL: each is rejected or limited. */
import { describe, expect, inject, it, vi } from 'vitest';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { call } from '../support/api.ts';
import { newClientWithBot, revoke, rotate, setUp } from '../support/bots.ts';
import { newCronToken } from '../support/monitor.ts';
import { newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { bytea, rest, rpc } from '../support/rest.ts';
import {
  type ClientWithRunner,
  issue,
  newClientWithRunner,
  newMachineTokenFor,
  setPolicy,
  sign,
} from '../support/runners.ts';

const admin = await newAdmin();
const message = { type: 'evm.message', message: 'hello' };
const claim = { kind: 'evm.message', value: '0', digest: '0'.repeat(64), recipients: [] };

interface KeyRow {
  readonly client_id: string;
  readonly chain: string;
  readonly address: string;
  readonly key_id: string;
  readonly encrypted_key: string;
}

/** The row as a thief could have copied it from a dump or a replica. */
async function keptRow({ clientId }: { clientId: string }): Promise<KeyRow> {
  const [row] = await operatorSql<KeyRow>(
    'select client_id, chain, address, key_id, encrypted_key from public.trading_keys where client_id = $1',
    [clientId],
  );
  if (!row) throw new Error('The client has no trading key.');
  return row;
}

const inSql = (row: KeyRow) => [row.client_id, row.chain, row.address, row.key_id, row.encrypted_key];
const INSERT_KEY =
  'insert into public.trading_keys (client_id, chain, address, key_id, encrypted_key) values ($1, $2, $3, $4, $5)';

describe('a key that has ended', () => {
  const ends: [string, (own: ClientWithRunner) => Promise<unknown>][] = [
    ['was revoked', (own) => revoke(own)],
    [
      'was rotated, and whose successor was revoked',
      async (own) => {
        await rotate(own, { private_key: newEvmKey().privateKey });
        await revoke(own);
      },
    ],
  ];

  it.each(ends)('that %s -> a copy of its row is rejected, whoever writes it', async (_, end) => {
    const own = await newClientWithRunner();
    const kept = await keptRow(own);
    await end(own);
    // Before the fix, the owner's own or stolen session put the row back, and the Worker signed with the revoked key.
    expect(await rest('POST trading_keys', own.token, kept)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    expect(await rest('POST trading_keys', admin.token, kept)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    const { client_id, ...wallet } = kept;
    const edge_token = inject('edgeToken');
    const setUp = { edge_token, client_id, bot_type: 'evm-grid', name: 'x', config: {}, wallet };
    expect(await rpc('setup_bot', setUp, own.token)).toMatchObject({ status: 409, hint: 'key_id_ended' });
    await expect(operatorSql(INSERT_KEY, inSql(kept))).rejects.toThrow('The key with this id has ended');
    expectProblem(await call(`POST /bots/${own.botId}/start`, { token: own.token }), 409, 'bot_key_missing');
    expectProblem(await sign(own, message), 401, 'token_invalid');
  });

  it('after a rotation -> no wallet can be rotated back to it', async () => {
    const own = await newClientWithRunner();
    const kept = await keptRow(own);
    await rotate(own, { private_key: newEvmKey().privateKey });
    const { client_id, ...wallet } = kept;
    const edge_token = inject('edgeToken');
    expect(await rest(`PATCH trading_keys?client_id=eq.${client_id}`, own.token, wallet)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    const answers = [
      await rpc('rotate_key', { edge_token, client_id, ...wallet }, own.token),
      await rpc('add_wallet', { edge_token, bot_id: own.botId, wallet }, admin.token),
    ];
    for (const answer of answers) expect(answer).toMatchObject({ status: 409, hint: 'key_id_ended' });
    await expect(
      operatorSql(
        'update public.bot_wallets set address = $3, key_id = $4, encrypted_key = $5, chain = $2 where client_id = $1',
        inSql(kept),
      ),
    ).rejects.toThrow('The key with this id has ended');
  });

  it('whose private key is submitted again -> stored under a new key id', async () => {
    const own = await newClientWithBot();
    const { key_id } = await keptRow(own);
    await revoke(own);
    expect((await setUp(own, { private_key: own.key.privateKey })).status).toBe(201);
    const again = await keptRow(own);
    expect(again.address).toBe(own.key.address);
    expect(again.key_id).not.toBe(key_id);
  });
});

describe('an envelope', () => {
  it('-> the database returns it to no session and no machine token without the edge token', async () => {
    const own = await newClientWithRunner();
    const { machineToken: admins } = await newMachineTokenFor(admin, own.botId);
    for (const token of [own.machineToken, admins]) {
      const request = { token, bot_id: own.botId, signing: claim };
      expect((await rpc('check_out_key', request)).status).toBe(404);
      for (const edge_token of [newMachineToken(), token, hashOfMachineToken(inject('edgeToken'))]) {
        const answer = await rpc('check_out_key', { edge_token, ...request });
        expect(answer).toMatchObject({ status: 503, hint: 'edge_token_invalid' });
      }
    }
    const admitted = {
      edge_token: inject('edgeToken'),
      token: own.machineToken,
      bot_id: own.botId,
      signing: claim,
    };
    expect((await rpc('check_out_key', admitted)).json.encrypted_key).toMatch(/^ey/);
    // A caller with a session has no right to call the function.
    expect((await rpc('check_out_key', admitted, own.token)).status).toBe(403);
  });

  it('that no key opens -> reserves no address and replaces no key', async () => {
    const [own, other] = [await newClientWithBot(), newEvmKey()];
    const kept = await keptRow(own);
    const spoiled = { ...kept, encrypted_key: kept.encrypted_key.replace(/.{22}$/, 'A'.repeat(22)) };
    expect(
      await rest(`PATCH trading_keys?client_id=eq.${own.clientId}`, own.token, {
        encrypted_key: spoiled.encrypted_key,
      }),
    ).toMatchObject({ status: 403, hint: 'envelope_write_denied' });
    const squatting = { ...kept, address: other.address, key_id: crypto.randomUUID(), bot_id: own.botId };
    expect(await rest('POST bot_wallets', own.token, squatting)).toMatchObject({
      status: 403,
      hint: 'envelope_write_denied',
    });
    expect(await keptRow(own)).toEqual(kept);
  });
});

describe('a dump', () => {
  it('-> contains no credential: the stored hash of a token is not accepted as the token', async () => {
    const own = await newClientWithRunner();
    await newCronToken('monitor');
    await newCronToken('rewrap', 'new-master-key');
    const stored = await operatorSql<{ hash: string; scope: string }>(
      `select encode(token_hash, 'hex') as hash, scope from public.machine_tokens
        where id = $1 or scope in ('monitor', 'rewrap', 'edge') order by created_at desc limit 20`,
      [own.tokenId],
    );
    expect(new Set(stored.map(({ scope }) => scope))).toEqual(new Set(['bots', 'edge', 'monitor', 'rewrap']));
    const edge_token = inject('edgeToken');
    for (const { hash: token } of stored) {
      const calls: [string, object][] = [
        ['list_runner_bots', { token }],
        ['record_heartbeat', { token, bot_id: own.botId, status: 'ok' }],
        ['check_out_key', { edge_token, token, bot_id: own.botId, signing: claim }],
        ['report_signing_failure', { edge_token, token, bot_id: own.botId, code: 'policy_kind_denied' }],
        ['report_runner_refusal', { edge_token, token, bot_id: own.botId, code: 'x', route: 'GET /bots' }],
        ['monitor_bots', { token }],
        ['chain_queued_events', { token }],
        ['list_unsigned_heads', { token, at_most: 1 }],
        ['store_checkpoints', { edge_token, token, checkpoints: [] }],
        ['list_envelopes_to_rewrap', { edge_token, token, master_key_ids: ['new-master-key'], batch: 1 }],
        ['rewrap_keys', { edge_token, token, rewrapped: [] }],
        ['count_keys_to_rewrap', { token }],
      ];
      for (const [name, args] of calls) {
        expect([name, await rpc(name, args)]).toMatchObject([name, { status: 401, hint: 'token_invalid' }]);
      }
      expect((await rpc('edge_token_valid', { edge_token: token })).json).toBe(false);
      expectProblem(await sign({ botId: own.botId, machineToken: token }, message), 401, 'token_invalid');
    }
  });
});

describe('a machine token', () => {
  const hash = () => bytea(hashOfMachineToken(newMachineToken()));

  it('with an id that the session chose -> rejected; with an id from the database -> listed and revoked', async () => {
    const own = await newClientWithBot();
    const token = newMachineToken();
    const row = { client_id: own.clientId, name: 'x', token_hash: bytea(hashOfMachineToken(token)) };
    const chosen = await rest('POST machine_tokens', own.token, {
      ...row,
      id: 'deadbeef-dead-0bad-0bad-deadbeefdead',
    });
    expect([chosen.status, chosen.code]).toEqual([403, '42501']);
    const { status, json } = await rest('POST machine_tokens?select=id', own.token, row);
    expect(status).toBe(201);
    const [{ id }] = json;
    const signs = { token_id: id, bot_id: own.botId, client_id: own.clientId };
    expect((await rest('POST machine_token_bots', own.token, signs)).status).toBe(201);
    expect((await sign({ botId: own.botId, machineToken: token }, message)).status).toBe(200);
    for (const reader of [own.token, admin.token]) {
      const { json } = await call(`GET /bots/${own.botId}/tokens`, { token: reader });
      expect(json.items.map((item: { id: string }) => item.id)).toContain(id);
    }
    expect((await call(`DELETE /tokens/${id}`, { token: own.token })).status).toBe(200);
    expectProblem(await sign({ botId: own.botId, machineToken: token }, message), 401, 'token_invalid');
  });

  it('with any id that the operator stored -> listed and revoked', async () => {
    const own = await newClientWithBot();
    const id = `ffffffff-ffff-ffff-ffff-${crypto.randomUUID().slice(24)}`;
    await operatorSql(
      `insert into public.machine_tokens (id, client_id, name, token_hash) values ($1, $2, 'x', sha256('nobody knows'))`,
      [id, own.clientId],
    );
    await operatorSql(
      'insert into public.machine_token_bots (token_id, bot_id, client_id) values ($1, $2, $3)',
      [id, own.botId, own.clientId],
    );
    const listed = await call(`GET /bots/${own.botId}/tokens`, { token: own.token });
    expect(listed.json.items.map((item: { id: string }) => item.id)).toEqual([id]);
    expect((await call(`DELETE /tokens/${id}`, { token: own.token })).status).toBe(200);
  });

  it('of a client -> ends with a revocation, also directly at the REST API, unless it also signs for another client', async () => {
    const [own, other] = [await newClientWithRunner(), await newClientWithBot()];
    const loose = await rest('POST machine_tokens?select=id', own.token, {
      client_id: own.clientId,
      name: 'x',
      token_hash: hash(),
    });
    const shared = await newMachineTokenFor(admin, own.botId, { other_bot_ids: [other.botId] });
    expect((await rest(`DELETE trading_keys?client_id=eq.${own.clientId}`, own.token)).status).toBe(204);
    const left = await operatorSql<{ id: string }>(
      'select id from public.machine_tokens where id = any ($1)',
      [[own.tokenId, loose.json[0].id, shared.tokenId]],
    );
    expect(left).toEqual([{ id: shared.tokenId }]);
    expect((await setUp(own, { private_key: newEvmKey().privateKey })).status).toBe(201);
    expect((await call(`POST /bots/${own.botId}/start`, { token: own.token })).status).toBe(200);
    expectProblem(await sign(own, message), 401, 'token_invalid');
    expect((await sign({ botId: other.botId, machineToken: shared.machineToken }, message)).status).toBe(200);
  });

  it('beyond the fiftieth of a bot -> 409 token_limit_reached; lists have pages', async () => {
    const own = await newClientWithBot();
    for (let issued = 0; issued < 50; issued++) expect((await issue(own, own.botId)).status).toBe(201);
    expectProblem(await issue(own, own.botId), 409, 'token_limit_reached');
    const ids = new Set<string>();
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `GET /bots/${own.botId}/tokens?limit=20${cursor && `&cursor=${cursor}`}`;
      const { json } = await call(path, { token: own.token });
      expect(json.items.length).toBeLessThanOrEqual(20);
      for (const { id } of json.items) ids.add(id);
      cursor = json.next_cursor;
    }
    expect(ids.size).toBe(50);
  }, 30_000);
});

describe('one statement of a session', () => {
  it('with 100 rows -> executed, with 101 -> rejected as a whole', async () => {
    const own = await newClientWithBot();
    const rows = (count: number) =>
      Array.from({ length: count }, () => ({ client_id: own.clientId, bot_type: 'evm-dca', name: 'many' }));
    expect(await rest('POST bots', own.token, rows(101))).toMatchObject({
      status: 422,
      hint: 'row_limit_exceeded',
    });
    expect((await rest('POST bots?select=id', own.token, rows(100))).json).toHaveLength(100);
    expect((await rest('POST bots', own.token, rows(1))).status).toBe(201);
    const change = await rest(`PATCH bots?client_id=eq.${own.clientId}&name=eq.many`, own.token, {
      status: 'stopped',
    });
    expect(change).toMatchObject({ status: 422, hint: 'row_limit_exceeded' });
  });
});

describe('a flood of changes', () => {
  it('-> at most 60 events a minute, the others are counted, and the event of a new token is not hidden', async () => {
    const own = await newClientWithBot();
    const bots = Array.from({ length: 50 }, () => ({
      client_id: own.clientId,
      bot_type: 'evm-dca',
      name: 'p',
    }));
    const ids = (await rest('POST bots?select=id', own.token, bots)).json.map(({ id }: { id: string }) => id);
    const policies = ids.map((bot_id: string) => ({ bot_id, client_id: own.clientId, max_value: 1 }));
    expect((await rest('POST bot_policies', own.token, policies)).status).toBe(201);
    for (let value = 2; value < 12; value++) {
      await rest(`PATCH bot_policies?client_id=eq.${own.clientId}`, own.token, { max_value: value });
    }
    const { tokenId } = await newMachineTokenFor(own, own.botId);
    const read = async (query: string) =>
      (await call(`GET /clients/${own.clientId}/key-events?limit=100${query}`, { token: own.token })).json;
    const tokens = await read('&event=token_issued');
    expect(tokens.items.map(({ detail }: { detail: { token_id: string } }) => detail.token_id)).toEqual([
      tokenId,
    ]);
    const { items, omitted } = await read('');
    const counted = items.filter(({ event }: { event: string }) => /^(bot|policy|token)_/.test(event));
    expect(counted.length).toBeLessThanOrEqual(60);
    const within = items.reduce(
      (sum: number, { detail }: { detail: { omitted?: number } | null }) => sum + (detail?.omitted ?? 0),
      0,
    );
    // Eleven statements that write 50 policies each, then 51 bots, one start and one token.
    expect(counted.length + within + omitted).toBe(11 * 50 + 51 + 1 + 1);
  });

  it('that changes nothing -> writes no event', async () => {
    const own = await newClientWithBot();
    await setPolicy(own, own.botId, { max_value: '1' });
    const count = async () =>
      (await operatorSql('select from private.every_key_event where client_id = $1', [own.clientId])).length;
    const before = await count();
    await setPolicy(own, own.botId, { max_value: '1' });
    await rest(`PATCH bot_policies?client_id=eq.${own.clientId}`, own.token, { max_value: 1 });
    await call(`POST /bots/${own.botId}/start`, { token: own.token });
    expect(await count()).toBe(before);
  });
});

describe('the monitor token', () => {
  it('-> sets no limits, writes no state that differs from the state of the bot, and begins a round only after a pause', async () => {
    const own = await newClientWithRunner();
    const token = await newCronToken('monitor');
    const limits = { heartbeat_limit_seconds: 1, key_age_limit_days: 1 };
    expect((await rpc('monitor_bots', { token, ...limits })).status).toBe(404);
    const logs = async () =>
      (await operatorSql('select state from public.bot_health_logs where bot_id = $1', [own.botId])).length;
    /** A call judges one batch of the bots of all tests, or returns at once if another monitor is at work. */
    const goThroughAllBots = () =>
      vi.waitUntil(async () => (await rpc('monitor_bots', { token })).json.complete === true, {
        timeout: 20_000,
      });
    await goThroughAllBots();
    const before = await logs();
    for (let round = 0; round < 5; round++) await goThroughAllBots();
    expect(await logs()).toBe(before);
  });

  it('-> stores no checkpoint', async () => {
    const token = await newCronToken('monitor');
    const checkpoints = [{ client_id: crypto.randomUUID(), seq: 1, jws: 'x' }];
    expect((await rpc('store_checkpoints', { token, checkpoints })).status).toBe(404);
    expect(await rpc('store_checkpoints', { edge_token: token, token, checkpoints })).toMatchObject({
      status: 503,
      hint: 'edge_token_invalid',
    });
  });
});

describe("the operator's SQL", () => {
  it('-> writes an event for every change that concerns a key', async () => {
    const own = await newClientWithRunner();
    await setPolicy(own, own.botId, { max_value: '0' });
    const names = async (chain: string) =>
      (
        await operatorSql<{ event: string }>(
          'select event from private.every_key_event where client_id = $1 order by created_at, id',
          [chain],
        )
      ).map(({ event }) => event);
    const deployment = '00000000-0000-0000-0000-000000000000';
    const steps: [string, string, string, unknown[]][] = [
      ['policy_removed', own.clientId, 'delete from public.bot_policies where bot_id = $1', [own.botId]],
      [
        'token_changed',
        own.clientId,
        "update public.machine_tokens set expires_at = '2099-01-01' where id = $1",
        [own.tokenId],
      ],
      [
        'token_changed',
        own.clientId,
        'update public.machine_tokens set token_hash = sha256($1::text::bytea) where id = $1',
        [own.tokenId],
      ],
      [
        'token_revoked',
        own.clientId,
        'delete from public.machine_token_bots where token_id = $1',
        [own.tokenId],
      ],
      ['bot_changed', own.clientId, `update public.bots set config = '{"a": 1}' where id = $1`, [own.botId]],
      [
        'wallet_changed',
        own.clientId,
        'update public.bot_wallets set key_id = null, encrypted_key = null where bot_id = $1',
        [own.botId],
      ],
      ['wallet_removed', own.clientId, 'delete from public.bot_wallets where bot_id = $1', [own.botId]],
      [
        'client_changed',
        own.clientId,
        "update public.clients set name = 'Another' where id = $1",
        [own.clientId],
      ],
      ['admin_added', deployment, 'insert into private.admins (user_id) values ($1)', [own.userId]],
      ['admin_removed', deployment, 'delete from private.admins where user_id = $1', [own.userId]],
    ];
    for (const [event, chain, text, values] of steps) {
      const before = await names(chain);
      await operatorSql(text, values);
      expect([text, (await names(chain)).slice(before.length)]).toEqual([
        text,
        expect.arrayContaining([event]),
      ]);
    }
  });
});
