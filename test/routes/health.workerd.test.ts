import { afterEach, describe, expect, it, vi } from 'vitest';
import { call } from '../support/api.ts';
import { newClientWithBot, revoke } from '../support/bots.ts';
import { monitorSettings, runMonitor } from '../support/monitor.ts';
import { newAccount, newAdmin, operatorSql, type Person } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner } from '../support/runners.ts';

const admin = await newAdmin();
const cron = await monitorSettings();
const get = (as: { token: string }, botId: string, query = '') =>
  call(`GET /bots/${botId}/health${query}`, { token: as.token });
const beat = ({ botId, machineToken }: { botId: string; machineToken: string }, body: object) =>
  call(`POST /bots/${botId}/heartbeat`, { token: machineToken, body });

afterEach(() => {
  vi.restoreAllMocks();
});

describe('GET /bots/{id}/health', () => {
  it('of a bot that was just set up -> starting, without recorded changes', async () => {
    const own = await newClientWithBot();
    const { status, json } = await get(own, own.botId);
    expect([status, json]).toEqual([
      200,
      {
        bot_id: own.botId,
        client_id: own.clientId,
        status: 'running',
        state: 'starting',
        since: expect.any(String),
        detail: null,
        last_heartbeat: null,
        last_signature_at: null,
        signing_failures: { last_hour: 0, last_code: null, last_at: null },
        monitored_at: json.monitored_at,
        items: [],
        next_cursor: null,
      },
    ]);
  });

  it.each<[string, (own: Person) => Person]>([
    ['its client', (own) => own],
    ['an admin', () => admin],
  ])('by %s -> the last report of its runner, with the state as of now', async (_, as) => {
    const own = await newClientWithRunner();
    const ask = async () => (await get(as(own), own.botId)).json;
    await beat(own, { status: 'ok' });
    const well = await ask();
    expect(well).toMatchObject({ state: 'healthy', last_heartbeat: { status: 'ok', message: null } });
    expect(well.since).toBe(well.last_heartbeat.at);
    const metrics = { open_orders: 3 };
    await beat(own, { status: 'failing', message: 'no gas', metrics });
    expect(await ask()).toMatchObject({
      state: 'failing',
      detail: { message: 'no gas' },
      last_heartbeat: { status: 'failing', message: 'no gas', metrics, at: expect.any(String) },
    });
    // The runner sends no more heartbeats, and the monitor does not run: the response shows it all the same.
    await operatorSql(`update public.bots set started_at = now() - interval '1 hour' where id = $1`, [
      own.botId,
    ]);
    await operatorSql(
      `update public.bot_heartbeats set beat_at = now() - interval '3 minutes' where bot_id = $1`,
      [own.botId],
    );
    const late = await ask();
    expect(late).toMatchObject({
      state: 'late',
      detail: { heartbeat_at: late.last_heartbeat.at },
      items: [],
    });
    expect(Date.parse(late.since) - Date.parse(late.last_heartbeat.at)).toBe(120_000);
    await call(`POST /bots/${own.botId}/stop`, { token: own.token });
    expect(await ask()).toMatchObject({
      status: 'stopped',
      state: 'stopped',
      detail: { reason: 'requested' },
    });
    await revoke(own);
    expect(await ask()).toMatchObject({ state: 'stopped', detail: { reason: 'requested' } });
  });

  it('after runs of the monitor -> the changes, newest first, in pages without gaps', async () => {
    const own = await newClientWithRunner();
    await runMonitor(cron);
    for (const status of ['failing', 'ok', 'degraded', 'ok']) {
      await beat(own, { status });
      await runMonitor(cron);
    }
    const states = ['healthy', 'degraded', 'healthy', 'failing', 'starting'];
    const all = (await get(own, own.botId)).json;
    expect(all.items.map(({ state }: { state: string }) => state)).toEqual(states);
    expect(all.items[0]).toEqual({
      id: expect.any(String),
      state: 'healthy',
      since: all.since,
      noticed_at: expect.any(String),
      detail: null,
    });
    expect(Date.parse(all.monitored_at)).toBeGreaterThanOrEqual(Date.parse(all.items[0].noticed_at));
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const { json } = await get(own, own.botId, `?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      expect(json).toMatchObject({ state: 'healthy', last_heartbeat: { status: 'ok' } });
      paged.push(...json.items.map(({ state }: { state: string }) => state));
      cursor = json.next_cursor;
    } while (cursor !== null && paged.length < 20);
    expect(paged).toEqual(states);
    // Only of this bot: rows of another bot are not shown.
    const other = await newClientWithRunner();
    expect((await get(other, other.botId)).json.items).toEqual([]);
  });

  it.each(['?limit=0', '?limit=101', '?cursor=x', '?state=late'])('%s -> 422', async (query) => {
    const own = await newClientWithBot();
    expectProblem(await get(own, own.botId, query), 422, 'validation_failed');
  });

  it('by another client, or by an account without a client -> the 404 of an absent bot', async () => {
    const own = await newClientWithBot();
    for (const person of [await newClientWithBot(), await newAccount()]) {
      expectProblem(await get(person, own.botId), 404, 'resource_not_found');
    }
    expectProblem(await get(admin, crypto.randomUUID()), 404, 'resource_not_found');
  });

  it('with the machine token of its runner -> 401', async () => {
    const own = await newClientWithRunner();
    expectProblem(await get({ token: own.machineToken }, own.botId), 401, 'session_required');
  });
});
