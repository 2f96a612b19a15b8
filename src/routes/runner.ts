import { createRoute } from '@hono/zod-openapi';
import { IdParam, PageQuery } from '../contract/common.ts';
import { Heartbeat, HeartbeatRequest, RunnerBot, RunnerBotPage } from '../contract/runner.ts';
import { requireJson } from '../middleware/body.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, IdempotencyKey, jsonBody, newRouter, RUNNER } from '../openapi/route.ts';

export const runner = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/runner/bots',
      tags: ['Execution'],
      summary: 'List the running bots of a machine token with their wallets, newest first (runner)',
      security: RUNNER,
      request: { query: PageQuery },
      responses: answers(200, RunnerBotPage, 'A page of running bots.'),
    }),
    async (c) => c.json(await c.var.runnerDatabase.listBots(c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/runner/bots/{id}',
      tags: ['Execution'],
      summary: 'One bot of a machine token, running or stopped, with its config (runner)',
      security: RUNNER,
      request: { params: IdParam },
      responses: answers(200, RunnerBot, 'The bot.'),
    }),
    async (c) => c.json(await c.var.runnerDatabase.getBot(c.req.valid('param').id), 200),
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
