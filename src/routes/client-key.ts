import { createRoute } from '@hono/zod-openapi';
import { IdParam } from '../contract/common.ts';
import { Revocation, RotateRequest, Rotation, TradingKey } from '../contract/keys.ts';
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
import { rotateKey } from '../services/keys-of-bots.ts';

export const clientKey = newRouter()
  .openapi(
    createRoute({
      method: 'get',
      path: '/clients/{id}/trading-key',
      tags: ['Keys'],
      summary: 'What is known of the trading key; never the key',
      security: SESSION,
      request: { params: IdParam },
      responses: answers(200, TradingKey, 'The trading key without the key.'),
    }),
    async (c) => c.json(await c.var.database.getTradingKey(c.req.valid('param').id), 200),
  )
  .openapi(
    createRoute({
      method: 'put',
      path: '/clients/{id}/rotate-key',
      tags: ['Keys'],
      summary: 'Replace the trading key, in every wallet of every bot of the client',
      security: KEY_CHANGE,
      middleware: [requireJson, idempotent],
      parameters: [IdempotencyKey],
      request: { params: IdParam, body: jsonBody(RotateRequest) },
      responses: answers(200, Rotation, 'The new trading key and what changed.'),
    }),
    async (c) => {
      const { database, runtime } = c.var;
      const { id } = c.req.valid('param');
      return c.json(await rotateKey({ database, keyring: runtime.keyring }, id, c.req.valid('json')), 200);
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: '/clients/{id}/revoke-key',
      tags: ['Keys'],
      summary: 'Stop every bot of the client and delete every ciphertext. Needs no master key',
      security: ENDING,
      request: { params: IdParam },
      responses: answers(200, Revocation, 'What was revoked and stopped.'),
    }),
    async (c) => c.json(await c.var.database.revokeKey(c.req.valid('param').id), 200),
  );
