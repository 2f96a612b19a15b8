import { BotHealth } from '../contract/bot-health.ts';
import { IdParam, PageQuery } from '../contract/common.ts';
import { defineRoute, newRouter, responses } from '../openapi/route.ts';

export const health = newRouter().openapi(
  defineRoute({
    operationId: 'getBotHealth',
    method: 'get',
    path: '/bots/{id}/health',
    access: 'session',
    subject: 'bot',
    request: { params: IdParam, query: PageQuery },
    responses: responses(200, BotHealth),
  }),
  async (c) => c.json(await c.var.database.getBotHealth(c.req.valid('param').id, c.req.valid('query')), 200),
);
