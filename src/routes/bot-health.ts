import { createRoute } from '@hono/zod-openapi';
import { BotHealth } from '../contract/bot-health.ts';
import { IdParam, PageQuery } from '../contract/common.ts';
import { answers, newRouter, SESSION } from '../openapi/route.ts';

export const health = newRouter().openapi(
  createRoute({
    method: 'get',
    path: '/bots/{id}/health',
    tags: ['Bots'],
    summary: 'How a bot does, and what changed of that, newest first',
    security: SESSION,
    request: { params: IdParam, query: PageQuery },
    responses: answers(200, BotHealth, 'The state as of now, and a page of changes.'),
  }),
  async (c) => c.json(await c.var.database.getBotHealth(c.req.valid('param').id, c.req.valid('query')), 200),
);
