/** What a call of a machine token shows about the token: whether the database knows it, or nothing. */
import { describe, expect, it } from 'vitest';
import { RunnerDatabase } from '../../src/database/as-runner.ts';
import type { Connection } from '../../src/database/connection.ts';
import { problemOf } from '../../src/database/errors.ts';
import { CallFailure } from '../../src/database/postgrest.ts';
import { TIME_LIMITS } from '../../src/time-limits.ts';

const TOKEN = { token: 'tk_x', requestId: 'request-1' };
const heartbeat = {
  bot_id: crypto.randomUUID(),
  bot_status: 'running',
  recorded_at: '2026-11-22T22:36:46.106Z',
};

/** What `onTokenChecked` gets of one heartbeat. */
async function checksOf(rpc: () => Promise<unknown>): Promise<boolean[]> {
  const checks: boolean[] = [];
  const connection = { rpc, limits: TIME_LIMITS, edgeToken: () => '' } as unknown as Connection;
  const onTokenChecked = (isKnown: boolean) => checks.push(isKnown);
  const database = new RunnerDatabase(connection, { ...TOKEN, onTokenChecked });
  await database.recordHeartbeat(heartbeat.bot_id, { status: 'ok' }).catch(() => undefined);
  return checks;
}

const failing = (error: { code?: string; hint?: string }, status: number) => () =>
  checksOf(async () => {
    throw new CallFailure(problemOf(error, status), undefined);
  });

describe('a call of a machine token', () => {
  it.each([
    ['that succeeds -> known', () => checksOf(async () => heartbeat), [true]],
    ['with token_invalid -> not known', failing({ code: 'PT401', hint: 'token_invalid' }, 401), [false]],
    [
      'with not_found by our function -> known',
      failing({ code: 'PT404', hint: 'resource_not_found' }, 404),
      [true],
    ],
    [
      'with a problem of the policy -> known',
      failing({ code: 'PT403', hint: 'policy_kind_denied' }, 403),
      [true],
    ],
    ['with a violated constraint -> nothing', failing({ code: '23505' }, 409), []],
    ['with a right that is missing -> nothing', failing({ code: '42501' }, 403), []],
    ['with a 404 of a gateway -> nothing', failing({}, 404), []],
    ['with a result of another form -> nothing', () => checksOf(async () => ({ status: 'fine' })), []],
  ])('%s', async (_, checks, expected) => {
    expect(await checks()).toEqual(expected);
  });
});
