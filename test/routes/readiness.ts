/** What `/ready` reports about missing settings. */
import { expect } from 'vitest';
import type { Bindings } from '../../src/env.ts';
import type { ProblemCode } from '../../src/problem.ts';
import { call, settings } from '../support/api.ts';
import { newProject } from '../support/people.ts';

/** The shared database has envelopes under the master keys of all tests: here no key was dropped. */
export const { supabaseUrl: emptyProject } = await newProject();

/** The settings of the tests without these. */
export function without(...names: (keyof Bindings)[]): Bindings {
  return Object.fromEntries(Object.entries(settings()).filter(([name]) => !names.includes(name as never)));
}

const DEPENDENCIES = [
  'database',
  'schema',
  'master_key',
  'edge_token',
  'token_verification',
  'step_up',
  'rpc_settings',
  'audit_key',
] as const;
type Missing = Partial<Record<(typeof DEPENDENCIES)[number], ProblemCode>>;

/** Asserts that `/health` is ok and that `/ready` names exactly this. */
export async function expectMissing(env: Bindings, named: Missing): Promise<void> {
  // A check that cannot run is missing too.
  const missing = { ...(named.schema && { step_up: named.schema, edge_token: named.schema }), ...named };
  expect(await call('GET /health', { env })).toMatchObject({ status: 200, json: { status: 'ok' } });
  const ready = await call('GET /ready', { env });
  expect([ready.status, ready.json]).toEqual([
    503,
    {
      status: 'degraded',
      dependencies: {
        ...Object.fromEntries(
          DEPENDENCIES.map((name) => [
            name,
            missing[name]
              ? { status: 'failing', code: missing[name], detail: expect.any(String) }
              : { status: 'ok' },
          ]),
        ),
        monitor: { status: 'failing', code: 'monitor_token_missing', detail: expect.any(String) },
      },
    },
  ]);
}
