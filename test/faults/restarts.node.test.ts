/** Real processes are stopped in the middle of a mixed load and restarted: no call is half-executed, no call hangs. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runLoad, wrongInDatabase } from '../load/load.ts';
import { createWorld } from '../load/world.ts';
import { MASTER_KEY } from '../support/api.ts';
import { type OwnApi, startOwnApi } from '../support/own-api.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { recordKeysOf, recordText } from '../support/recorder.ts';
import { type Bundle, bundle, serve } from '../support/workerd.ts';

let stack: OwnStack;
let built: Bundle;

beforeAll(async () => {
  [stack, built] = await Promise.all([startOwnStack(), bundle('test/faults/impatient-worker.ts')]);
});

afterAll(async () => {
  built?.remove();
  await stack?.stop();
});

/**
 * Runs a load, calls `stop` in the middle of it, at least twice and until a call has met it, and then runs a load that
 * must have no failures.
 */
async function disturb(stop: (api: OwnApi) => Promise<void>) {
  let failing = false;
  const api = await startOwnApi(stack);
  const worker = await serve(built, {
    SUPABASE_URL: api.url,
    SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
    EDGE_TOKEN: stack.edgeToken,
    SUPABASE_JWT_SECRET: stack.jwtSecret,
    ENCRYPTION_KEY: MASTER_KEY,
  });
  const world = await createWorld({
    apiUrl: worker.url,
    databaseUrl: stack.databaseUrl,
    jwtSecret: stack.jwtSecret,
    recorder: { keysOf: recordKeysOf, text: recordText },
    failures: () => failing,
  });
  const load = (seconds: number, signal?: AbortSignal) => {
    const until = Date.now() + seconds * 1000;
    return runLoad(world, { households: 3, runners: 2, until, steps: 30, ...(signal && { signal }) });
  };
  const isReady = async () => (await world.api.call('GET /ready')).status === 200;
  const unavailable = () => new Map(world.api.figures.answers()).get('database_unavailable') ?? 0;
  const enough = new AbortController();
  try {
    const under = load(100, enough.signal);
    // Awaited below; without this a failure before then would be an unhandled rejection.
    under.catch(() => {});
    for (let times = 0; times < 2 || (unavailable() === 0 && times < 6); times++) {
      await wait(2_000);
      failing = true;
      await stop(api);
      // The Worker is not restarted.
      await vi.waitUntil(isReady, { timeout: 60_000, interval: 100 });
      // Calls in flight at the time of the failure have a response by now: the time limit of a call has passed.
      await wait(3_000);
      failing = false;
    }
    enough.abort();
    const lived = await under;
    expect(world.judge.wrong).toEqual([]);
    expect(await wrongInDatabase(world, lived)).toEqual([]);
    expect(unavailable()).toBeGreaterThan(0);
    const after = await load(3);
    expect(world.judge.wrong).toEqual([]);
    expect(await wrongInDatabase(world, after)).toEqual([]);
    expect(after.length).toBeGreaterThan(0);
  } finally {
    await world.close();
    recordText(worker.output());
    await worker.stop();
    await api.stop();
  }
}

test('PostgreSQL cut off and restarted -> 503, recovery by itself, and a consistent database', async () => {
  await disturb(() => stack.restartPostgres());
}, 240_000);

test('the database API killed and started again -> 503, recovery by itself, and a consistent database', async () => {
  await disturb((api) => api.kill());
}, 240_000);
