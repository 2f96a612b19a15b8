import { createRoute } from '@hono/zod-openapi';
import { IdParam, PageQuery } from '../contract/common.ts';
import { IssuedToken, IssueTokenRequest, Token, TokenPage } from '../contract/tokens.ts';
import { requireJson } from '../middleware/body.ts';
import { idempotent } from '../middleware/idempotency.ts';
import {
  answers,
  ENDING,
  IdempotencyKey,
  jsonBody,
  KEY_CHANGE,
  newRouter,
  SESSION,
} from '../openapi/route.ts';
import { issueToken } from '../services/machine-tokens.ts';

export const tokens = newRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/bots/{id}/tokens',
      tags: ['Machine tokens'],
      summary: 'Issue a machine token that signs for a bot. It is shown this once',
      security: KEY_CHANGE,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { params: IdParam, body: jsonBody(IssueTokenRequest) },
      responses: answers(201, IssuedToken, 'The token.'),
    }),
    async (c) => {
      const { database } = c.var;
      const { id } = c.req.valid('param');
      return c.json(await issueToken({ database, now: Date.now() }, id, c.req.valid('json')), 201);
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/bots/{id}/tokens',
      tags: ['Machine tokens'],
      summary: 'List the machine tokens that sign for a bot, newest first; never the tokens themselves',
      security: SESSION,
      request: { params: IdParam, query: PageQuery },
      responses: answers(200, TokenPage, 'A page of tokens.'),
    }),
    async (c) => c.json(await c.var.database.listTokens(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: '/tokens/{id}',
      tags: ['Machine tokens'],
      summary: 'Revoke a machine token: from now on it signs for nobody',
      security: ENDING,
      request: { params: IdParam },
      responses: answers(200, Token, 'What was revoked.'),
    }),
    async (c) => c.json(await c.var.database.revokeToken(c.req.valid('param').id), 200),
  );
