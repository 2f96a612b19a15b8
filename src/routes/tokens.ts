import { IdParam, PageQuery } from '../contract/common.ts';
import { IssuedToken, IssueTokenRequest, Token, TokenPage } from '../contract/tokens.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';
import { issueToken } from '../services/machine-tokens.ts';

export const tokens = newRouter()
  .openapi(
    defineRoute({
      operationId: 'issueToken',
      method: 'post',
      path: '/bots/{id}/tokens',
      access: 'key_change',
      subject: 'bot',
      idempotencyKey: 'used',
      request: { params: IdParam, body: jsonBody(IssueTokenRequest) },
      responses: responses(201, IssuedToken),
    }),
    async (c) => {
      const { database } = c.var;
      const { id } = c.req.valid('param');
      return c.json(await issueToken({ database, now: Date.now() }, id, c.req.valid('json')), 201);
    },
  )
  .openapi(
    defineRoute({
      operationId: 'listTokens',
      method: 'get',
      path: '/bots/{id}/tokens',
      access: 'session',
      subject: 'bot',
      request: { params: IdParam, query: PageQuery },
      responses: responses(200, TokenPage),
    }),
    async (c) => c.json(await c.var.database.listTokens(c.req.valid('param').id, c.req.valid('query')), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'revokeToken',
      method: 'delete',
      path: '/tokens/{id}',
      access: 'ending',
      subject: 'token',
      request: { params: IdParam },
      responses: responses(200, Token),
    }),
    async (c) => c.json(await c.var.database.revokeToken(c.req.valid('param').id), 200),
  );
