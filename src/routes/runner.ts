import { createRoute } from '@hono/zod-openapi';
import { IdParam } from '../contract/common.ts';
import { Heartbeat, HeartbeatRequest, RunnerBots } from '../contract/runner.ts';
import { requireJson } from '../middleware/body.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, IdempotencyKey, jsonBody, newRouter, RUNNER } from './openapi.ts';

export const runner = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/runner/bots',
      tags: ['Execution'],
      summary: 'The running bots of a machine token, with config and wallets (runner)',
      security: RUNNER,
      responses: answers(200, RunnerBots, 'The bots that run.'),
    }),
    async (c) => c.json(await c.var.runnerDatabase.listBots(), 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/bots/{id}/heartbeat',
      tags: ['Execution'],
      summary: 'Say how a bot does; the answer says whether it should still run (runner)',
      security: RUNNER,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { params: IdParam, body: jsonBody(HeartbeatRequest) },
      responses: answers(200, Heartbeat, 'It was recorded.'),
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await c.var.runnerDatabase.recordHeartbeat(id, c.req.valid('json')), 200);
    },
  );
