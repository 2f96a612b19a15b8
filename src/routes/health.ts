import { createRoute } from '@hono/zod-openapi';
import { requiredSignIn } from '../auth/step-up.ts';
import { Health, Readiness } from '../contract/health.ts';
import { monitorToken } from '../monitor/settings.ts';
import { ALWAYS, ANYONE, answers, newRouter } from '../openapi/route.ts';
import { checkReadiness, isAvailable } from '../services/readiness.ts';

export const service = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/health',
      tags: ['Service'],
      summary: 'Whether the Worker runs',
      security: ALWAYS,
      responses: answers(200, Health, 'It runs.'),
    }),
    (c) => c.json({ status: 'ok' } as const, 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/ready',
      tags: ['Service'],
      summary: 'Whether everything that the Worker depends on is there, each by name',
      security: ANYONE,
      responses: {
        ...answers(
          200,
          Readiness,
          'Everything that calls need is there; degraded where some envelopes open under no master key.',
        ),
        503: { description: 'Something is missing.', content: { 'application/json': { schema: Readiness } } },
      },
    }),
    async (c) => {
      const { runtime, tally } = c.var;
      const readiness = await checkReadiness({
        schemaVersion: () => tally.count(async () => runtime.database().schemaVersion()),
        keyring: runtime.keyring,
        countUnopenable: runtime.countUnopenable,
        edgeToken: () => tally.count(async () => runtime.database().checkEdgeToken()),
        tokenVerification: runtime.verifier.probe,
        auditKeys: runtime.auditKeys,
        stepUpAgrees: async () => {
          const required = requiredSignIn(runtime.settings);
          return tally.count(async () => runtime.database().stepUpAgrees(required));
        },
        monitor: () => monitorToken(runtime.settings),
      });
      return c.json(readiness, isAvailable(readiness) ? 200 : 503);
    },
  );
