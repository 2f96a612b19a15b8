/** The bundled Worker's cron in the real runtime, and the lines that it logs. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { issueToken } from '../../tools/operator/tokens.ts';
import { recordText } from '../support/recorder.ts';
import { type RunningWorker, request, startWorker } from '../support/worker.ts';

const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
let worker: RunningWorker;
let token: string;

const settings = () => ({
  SUPABASE_URL: inject('supabaseUrl'),
  SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
  EDGE_TOKEN: inject('edgeToken'),
  SUPABASE_JWT_SECRET: inject('jwtSecret'),
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
});

beforeAll(async () => {
  token = (await issueToken(sql, { scope: 'monitor', name: 'e2e' })).token;
  worker = await startWorker({ ...settings(), MONITOR_TOKEN: token });
});

afterAll(async () => {
  await worker.harness.close();
  await sql.end();
});

/** The lines of the runtime's log that are ours: ours are JSON. */
function lines(event: string): Record<string, unknown>[] {
  return worker.harness.getLogs().flatMap((entry) => {
    recordText(JSON.stringify(entry));
    const text = JSON.stringify(entry).includes(`\\"event\\":\\"${event}\\"`) ? entry.message : undefined;
    return text === undefined ? [] : [JSON.parse(text)];
  });
}

describe('the cron', () => {
  test('runs the monitor, which logs one line about its run, without a token', async () => {
    await expect
      .poll(
        async () => {
          expect(await worker.harness.getWorker().scheduled({ cron: '* * * * *' })).toMatchObject({
            outcome: 'ok',
          });
          return lines('monitor');
        },
        { timeout: 20_000 },
      )
      .toContainEqual(expect.objectContaining({ level: 'info', complete: 1, batches: expect.any(Number) }));
    expect(JSON.stringify(worker.harness.getLogs())).not.toContain(token);
  });

  test('is reported by /ready, whose own log line has only the allowed fields', async () => {
    const ready = await request(worker.url, 'GET /ready?token=tk_secret');
    // Not all checks: this database has keys of other tests, which this master key does not open.
    expect(ready.json.dependencies.monitor).toEqual({ status: 'ok' });
    const requestId = ready.headers.get('x-request-id');
    await expect.poll(() => lines('request').filter((line) => line.request_id === requestId)).toHaveLength(1);
    expect(JSON.stringify(worker.harness.getLogs())).not.toContain('tk_secret');
  });
});
