import { createRoute } from '@hono/zod-openapi';
import { IdParam } from '../contract/common.ts';
import { Policy, PolicyRequest } from '../contract/policies.ts';
import { requireJson } from '../middleware/body.ts';
import { answers, jsonBody, KEY_CHANGE, newRouter, SESSION } from '../openapi/route.ts';

export const policies = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/bots/{id}/policy',
      tags: ['Policies'],
      summary: 'What a bot may sign',
      security: SESSION,
      request: { params: IdParam },
      responses: answers(200, Policy, 'The policy.'),
    }),
    async (c) => c.json(await c.var.database.getPolicy(c.req.valid('param').id), 200),
  )
  .openapi(
    createRoute({
      method: 'put',
      path: '/bots/{id}/policy',
      tags: ['Policies'],
      summary: 'Set what a bot may sign; what is absent or null is not limited',
      security: KEY_CHANGE,
      middleware: [requireJson],
      request: { params: IdParam, body: jsonBody(PolicyRequest) },
      responses: answers(200, Policy, 'The policy, in force.'),
    }),
    async (c) => c.json(await c.var.database.setPolicy(c.req.valid('param').id, c.req.valid('json')), 200),
  );
