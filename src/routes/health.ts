import { requiredSignIn } from '../auth/step-up.ts';
import { Health, Readiness } from '../contract/health.ts';
import { monitorToken } from '../monitor/settings.ts';
import { defineRoute, json, newRouter, responses } from '../openapi/route.ts';
import { checkRpcSettings } from '../services/json-rpc/node.ts';
import { checkReadiness, isAvailable } from '../services/readiness.ts';

export const service = newRouter()
  .openapi(
    defineRoute({
      operationId: 'getHealth',
      method: 'get',
      path: '/health',
      access: 'health',
      responses: responses(200, Health),
    }),
    (c) => c.json({ status: 'ok' } as const, 200),
  )
  .openapi(
    defineRoute({
      operationId: 'getReadiness',
      method: 'get',
      path: '/ready',
      access: 'anyone',
      responses: { ...responses(200, Readiness), 503: json(Readiness) },
    }),
    async (c) => {
      const { runtime, callStats } = c.var;
      const readiness = await checkReadiness({
        schemaVersion: () => callStats.measure(async () => runtime.database().schemaVersion()),
        keyring: runtime.keyring,
        countUnopenable: runtime.countUnopenable,
        edgeToken: () => callStats.measure(async () => runtime.database().checkEdgeToken()),
        tokenVerification: runtime.verifier.probe,
        auditKeys: runtime.auditKeys,
        stepUpAgrees: async () => {
          const required = requiredSignIn(runtime.settings);
          return callStats.measure(async () => runtime.database().stepUpAgrees(required));
        },
        monitor: () => monitorToken(runtime.settings),
        rpcSettings: () => checkRpcSettings(runtime.settings),
      });
      return c.json(readiness, isAvailable(readiness) ? 200 : 503);
    },
  );
