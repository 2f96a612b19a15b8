/** `npm run soak` for some seconds, on the stack that all tests share. Every response is judged; no time is measured. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { settings } from '../support/api.ts';
import { newProject } from '../support/people.ts';
import { recordKeysOf, recordText } from '../support/recorder.ts';
import { type Bundle, bundle, type Served, serve } from '../support/workerd.ts';
import { runLoad, wrongInDatabase } from './load.ts';
import { createWorld, type World } from './world.ts';

const SECONDS = 20;

let built: Bundle;
let worker: Served;
let world: World;

beforeAll(async () => {
  built = await bundle();
  // A project of its own, so that /ready reports only what this test does.
  const project = await newProject();
  worker = await serve(built, { ...settings(), SUPABASE_URL: project.supabaseUrl });
  world = await createWorld({
    apiUrl: worker.url,
    databaseUrl: project.databaseUrl,
    jwtSecret: inject('jwtSecret'),
    recorder: { keysOf: recordKeysOf, text: recordText },
  });
});

afterAll(async () => {
  await worker?.stop();
  recordText(worker?.output() ?? '');
  built?.remove();
  await world?.close();
});

test('concurrent households, runners and strangers -> no impossible response, and a consistent database', async () => {
  const until = Date.now() + SECONDS * 1000;
  const lived = await runLoad(world, { households: 3, runners: 2, until, leastRequests: 1500, steps: 40 });
  expect(world.judge.wrong).toEqual([]);
  expect(await wrongInDatabase(world, lived)).toEqual([]);
  // Without signatures, rotations and revocations the run would prove nothing.
  const answers = new Map(world.api.figures.timings().map(({ route, requests }) => [route, requests]));
  for (const route of [
    'POST /bots/{id}/sign',
    'PUT /clients/{id}/rotate-key',
    'DELETE /clients/{id}/revoke-key',
  ])
    expect([route, (answers.get(route) ?? 0) > 0]).toEqual([route, true]);
  expect(world.signatures).toBeGreaterThan(0);
}, 180_000);
