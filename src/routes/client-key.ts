import { IdParam } from '../contract/common.ts';
import { Revocation, RotateRequest, Rotation, TradingKey } from '../contract/keys.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';
import { rotateKey } from '../services/keys-of-bots.ts';

export const clientKey = newRouter()
  .openapi(
    defineRoute({
      operationId: 'getTradingKey',
      method: 'get',
      path: '/clients/{id}/trading-key',
      access: 'session',
      subject: 'client',
      request: { params: IdParam },
      responses: responses(200, TradingKey),
    }),
    async (c) => c.json(await c.var.database.getTradingKey(c.req.valid('param').id), 200),
  )
  .openapi(
    defineRoute({
      operationId: 'rotateKey',
      method: 'put',
      path: '/clients/{id}/rotate-key',
      access: 'key_change',
      subject: 'client',
      idempotencyKey: 'used',
      request: { params: IdParam, body: jsonBody(RotateRequest) },
      responses: responses(200, Rotation),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const { id } = c.req.valid('param');
      return c.json(await rotateKey({ database, keyring: runtime.keyring }, id, c.req.valid('json')), 200);
    },
  )
  .openapi(
    defineRoute({
      operationId: 'revokeKey',
      method: 'delete',
      path: '/clients/{id}/revoke-key',
      access: 'ending',
      subject: 'client',
      request: { params: IdParam },
      responses: responses(200, Revocation),
    }),
    async (c) => c.json(await c.var.database.revokeKey(c.req.valid('param').id), 200),
  );
