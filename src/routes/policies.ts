import { IdParam } from '../contract/common.ts';
import { Policy, PolicyRequest } from '../contract/policies.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';

export const policies = newRouter()
  .openapi(
    defineRoute({
      operationId: 'getPolicy',
      method: 'get',
      path: '/bots/{id}/policy',
      access: 'session',
      subject: 'bot',
      request: { params: IdParam },
      responses: responses(200, Policy),
    }),
    async (c) => c.json(await c.var.database.getPolicy(c.req.valid('param').id), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'setPolicy',
      method: 'put',
      path: '/bots/{id}/policy',
      access: 'key_change',
      subject: 'bot',
      request: { params: IdParam, body: jsonBody(PolicyRequest) },
      responses: responses(200, Policy),
    }),
    async (c) => c.json(await c.var.database.setPolicy(c.req.valid('param').id, c.req.valid('json')), 200),
  );
