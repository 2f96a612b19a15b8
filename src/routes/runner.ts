import { IdParam, PageQuery } from '../contract/common.ts';
import { Heartbeat, HeartbeatRequest, RunnerBot, RunnerBotPage } from '../contract/runner.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';

export const runner = newRouter()
  .openapi(
    defineRoute({
      operationId: 'listRunnerBots',
      method: 'get',
      path: '/runner/bots',
      access: 'runner',
      request: { query: PageQuery },
      responses: responses(200, RunnerBotPage),
    }),
    async (c) => c.json(await c.var.runnerDatabase.listBots(c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'getRunnerBot',
      method: 'get',
      path: '/runner/bots/{id}',
      access: 'runner',
      subject: 'bot',
      request: { params: IdParam },
      responses: responses(200, RunnerBot),
    }),
    async (c) => c.json(await c.var.runnerDatabase.getBot(c.req.valid('param').id), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'recordHeartbeat',
      method: 'post',
      path: '/bots/{id}/heartbeat',
      access: 'runner',
      subject: 'bot',
      idempotencyKey: 'used',
      request: { params: IdParam, body: jsonBody(HeartbeatRequest) },
      responses: responses(200, Heartbeat),
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      return c.json(await c.var.runnerDatabase.recordHeartbeat(id, c.req.valid('json')), 200);
    },
  );
