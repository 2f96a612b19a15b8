/** Machine tokens that a session or the operator stores directly in the database: each can be listed, limited and revoked. */
import { describe, expect, it, vi } from 'vitest';
import { hashOfMachineToken, newMachineToken } from '../../src/machine-token.ts';
import { call } from '../support/api.ts';
import { newClientWithBot, setUp } from '../support/bots.ts';
import { newCronToken } from '../support/monitor.ts';
import { newAdmin, operatorSql } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { bytea, rest, rpc } from '../support/rest.ts';
import { issue, newClientWithRunner, newMachineTokenFor, sign } from '../support/runners.ts';

const admin = await newAdmin();
const message = { type: 'evm.message', message: 'hello' };

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
