/** The Auth server does not return its keys: sessions depend on it; runners and a revocation at the database do not. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type HostedProject,
  newHostedProject,
  newSigningKey,
  type SigningKey,
} from '../support/hosted-sessions.ts';
import { expectProblem } from '../support/problems.ts';
import { recordText } from '../support/recorder.ts';
import { type ClientWithRunner, newClientWithRunner } from '../support/runners.ts';
import { request } from '../support/worker.ts';
import { type Bundle, bundle, type Served, serve } from '../support/workerd.ts';

let built: Bundle;
let key: SigningKey;
let client: ClientWithRunner;

beforeAll(async () => {
  built = await bundle('test/faults/impatient-worker.ts');
  key = await newSigningKey('ES256');
  client = await newClientWithRunner();
});

afterAll(() => built?.remove());

async function withWorker(test: (worker: Served, project: HostedProject, token: string) => Promise<void>) {
  const project = await newHostedProject([key]);
  const worker = await serve(built, { ...project.settings } as Record<string, string>);
  try {
    await test(worker, project, await project.token(key, { sub: client.userId }));
  } finally {
    recordText(worker.output());
    await worker.stop();
  }
}

const down = { status: 503, type: 'text/html', body: '<h1>down</h1>' } as const;

test.each([
  ['returns 503', down],
  ['hangs', 'hang'],
] as const)(
  'the Auth server %s -> 503 auth_unavailable, runners continue to sign, and sessions recover by themselves',
  async (_, jwks) => {
    await withWorker(async (worker, project, token) => {
      const read = () => request(worker.url, `GET /clients/${client.clientId}/trading-key`, token);
      const sign = () =>
        request(worker.url, `POST /bots/${client.botId}/sign`, client.machineToken, {
          type: 'evm.message',
          message: 'x',
        });
      await project.set({ jwks });
      expectProblem(await read(), 503, 'auth_unavailable');
      expect((await sign()).status).toBe(200);
      const { jwksFetches } = await project.counts();
      // Concurrent requests cause one fetch together, not one each.
      for (const answer of await Promise.all(Array.from({ length: 20 }, read)))
        expectProblem(answer, 503, 'auth_unavailable');
      expect((await project.counts()).jwksFetches - jwksFetches).toBeLessThanOrEqual(2);
      await project.set({ jwks: 'keys' });
      while ((await read()).status !== 200) await wait(50);
      expect((await sign()).status).toBe(200);
    });
  },
);

test('the Auth server fails after its keys were fetched -> sessions continue to work', async () => {
  await withWorker(async (worker, project, token) => {
    const read = () => request(worker.url, `GET /clients/${client.clientId}/trading-key`, token);
    expect((await read()).status).toBe(200);
    await project.set({ jwks: down });
    expect((await read()).status).toBe(200);
    const stranger = await project.token(await newSigningKey('ES256'), { sub: client.userId });
    expectProblem(await request(worker.url, 'GET /clients/me', stranger), 401, 'token_invalid');
  });
});
