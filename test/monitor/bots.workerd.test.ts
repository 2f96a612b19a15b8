/** The health monitor, run by the Worker's own scheduled handler: its effects, and its log lines when it fails. */
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import { newMachineToken } from '../../src/machine-token.ts';
import { Problem, type ProblemCode } from '../../src/problem.ts';
import { settings } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import type { Reply } from '../support/hosted-project.ts';
import { newHostedProject } from '../support/hosted-sessions.ts';
import { monitorSettings, newCronToken, runCron, runMonitor } from '../support/monitor.ts';
import { operatorSql } from '../support/people.ts';
import { newClientWithRunner } from '../support/runners.ts';

const good = await monitorSettings();

afterEach(() => {
  vi.restoreAllMocks();
});

const changesOf = async (botId: string) =>
  (
    await operatorSql<{ state: string }>(
      'select state from public.bot_health_logs where bot_id = $1 order by id',
      [botId],
    )
  ).map(({ state }) => state);
const startedAgo = (botId: string, interval: string) =>
  operatorSql(`update public.bots set started_at = now() - $2::interval where id = $1`, [botId, interval]);

describe('a run', () => {
  it('records each change once, and logs one line about its run', async () => {
    const { botId } = await newClientWithBot();
    const line = await runMonitor(good);
    expect(await changesOf(botId)).toEqual(['starting']);
    expect(line).toMatchObject({ level: 'info', event: 'monitor', complete: 1 });
    // In batches of 5,000 bots: other tests leave their bots here.
    expect(line.batches).toBe(Math.max(1, Math.ceil(line.bots_checked / 5000)));
    expect(line.bots_checked).toBeGreaterThan(0);
    expect(line.changed_to_starting).toBeGreaterThan(0);
    expect(line.changed).toBeGreaterThanOrEqual(line.changed_to_starting);
    for (const name of [
      'duration_ms',
      'database_ms',
      'pruned_health_logs',
      'pruned_reservations',
      'pruned_answers',
    ]) {
      expect([name, line[name]]).toEqual([name, expect.any(Number)]);
    }
    await runMonitor(good);
    expect(await changesOf(botId)).toEqual(['starting']);
    await startedAgo(botId, '3 minutes');
    await runMonitor(good);
    await runMonitor(good);
    expect(await changesOf(botId)).toEqual(['starting', 'missing']);
  });

  it('concurrent with another records nothing twice', async () => {
    const { botId } = await newClientWithBot();
    await Promise.all(Array.from({ length: 6 }, () => runCron(good)));
    await runMonitor(good);
    expect(await changesOf(botId)).toEqual(['starting']);
  });

  it('that finds another run in progress ends, and logs it', async () => {
    const project = await newHostedProject();
    const nothing = { pruned_health_logs: 0, pruned_reservations: 0, pruned_answers: 0, database_ms: 0 };
    const body = JSON.stringify({ busy: true, complete: false, bots_checked: 0, changes: {}, ...nothing });
    await project.set({ rest: { status: 200, type: 'application/json', body } });
    const lines = await runCron({ ...project.settings, MONITOR_TOKEN: newMachineToken() });
    expect(lines).toMatchObject([{ busy: 1, batches: 0, complete: 0 }]);
    expect(await project.counts()).toMatchObject({ restCalls: 1 + 1 });
  });

  it('ends after 20 batches, however many bots there are', async () => {
    const project = await newHostedProject();
    const body = JSON.stringify({
      busy: false,
      complete: false,
      bots_checked: 5000,
      changes: { late: 2 },
      pruned_health_logs: 1,
      pruned_reservations: 0,
      pruned_answers: 0,
      database_ms: 0.5,
    });
    await project.set({ rest: { status: 200, type: 'application/json', body } });
    const lines = await runCron({ ...project.settings, MONITOR_TOKEN: newMachineToken() });
    expect(lines).toMatchObject([
      { batches: 20, complete: 0, bots_checked: 100_000, changed: 40, changed_to_late: 40, database_ms: 10 },
    ]);
    // One call is from the audit, which ends at the response that it cannot parse.
    expect(await project.counts()).toMatchObject({ restCalls: 20 + 1 });
  });
});

it('the chaining of events ends after 40 calls, however many events are queued', async () => {
  const project = await newHostedProject();
  const body = JSON.stringify({ chained: 500, clients: 1 });
  await project.set({ rest: { status: 200, type: 'application/json', body } });
  await runCron({ ...project.settings, MONITOR_TOKEN: newMachineToken() });
  // One call is from the monitor, which ends at the response that it cannot parse.
  expect(await project.counts()).toMatchObject({ restCalls: 40 + 1 });
});

describe('a run that fails', () => {
  const answering = async (rest: Reply): Promise<Bindings> => {
    const project = await newHostedProject();
    await project.set({ rest });
    return { ...project.settings, MONITOR_TOKEN: newMachineToken() };
  };
  const html = (status: number): Reply => ({ status, type: 'text/html', body: '<h1>Welcome</h1>' });
  const json = (status: number, value: unknown): Reply => ({
    status,
    type: 'application/json',
    body: JSON.stringify(value),
  });

  it.each<[string, ProblemCode, () => Bindings | Promise<Bindings>]>([
    ['without a token', 'monitor_token_missing', () => settings()],
    ['without any setting', 'monitor_token_missing', () => ({})],
    [
      'with a token of another form',
      'monitor_token_malformed',
      () => ({ ...good, MONITOR_TOKEN: 'tk_secret' }),
    ],
    ['with a token that nobody made', 'token_invalid', () => ({ ...good, MONITOR_TOKEN: newMachineToken() })],
    [
      'with the token of a runner',
      'token_invalid',
      async () => ({ ...good, MONITOR_TOKEN: (await newClientWithRunner()).machineToken }),
    ],
    [
      'with the token of another job',
      'token_invalid',
      async () => ({ ...good, MONITOR_TOKEN: await newCronToken('rewrap', 'new') }),
    ],
    ['without a database', 'database_not_configured', () => ({ ...good, SUPABASE_URL: '' })],
    [
      'with a database where nobody listens',
      'database_unavailable',
      () => ({ ...good, SUPABASE_URL: 'http://127.0.0.1:9' }),
    ],
    [
      'with a real database without its tables',
      'database_not_migrated',
      () => ({ ...good, SUPABASE_URL: inject('unmigratedUrl') }),
    ],
    ['with a gateway that fails', 'database_unavailable', () => answering(html(502))],
    ['with a page instead of an answer', 'database_unavailable', () => answering(html(200))],
    ['with an answer of another form', 'database_unavailable', () => answering(json(200, { busy: 'no' }))],
    [
      'with states of unknown names',
      'database_unavailable',
      () =>
        answering(
          json(200, {
            busy: false,
            complete: true,
            bots_checked: 1,
            changes: { 'late\nand more': 1 },
            pruned_health_logs: 0,
            pruned_reservations: 0,
            pruned_answers: 0,
            database_ms: 0,
          }),
        ),
    ],
    [
      'with a database that gives up',
      'database_busy',
      () => answering(json(500, { code: '57014', message: 'x' })),
    ],
  ])('%s -> one line with %s and a remedy; the next run succeeds', async (_, code, environment) => {
    const env = await environment();
    const lines = await runCron(env);
    expect(lines).toEqual([
      {
        level: 'error',
        event: 'monitor',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        duration_ms: expect.any(Number),
        code,
        remedy: new Problem(code).remedy,
      },
    ]);
    expect(lines[0]?.remedy).toMatch(/\S/);
    expect(JSON.stringify(lines)).not.toContain(env.MONITOR_TOKEN ?? 'no token');
    vi.restoreAllMocks();
    expect(await runMonitor(good)).toMatchObject({ level: 'info', complete: 1 });
  });

  it('for an unexpected reason -> one line without the message of the error', async () => {
    const env = { ...good };
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
      throw new RangeError(`cannot wait with ${good.MONITOR_TOKEN}`);
    });
    const lines = await runCron(env);
    expect(lines).toMatchObject([{ level: 'error', code: 'internal_error' }]);
    expect(JSON.stringify(lines)).not.toContain(good.MONITOR_TOKEN);
  });
});
