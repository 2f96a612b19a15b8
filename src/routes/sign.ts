import { createRoute } from '@hono/zod-openapi';
import { IdParam } from '../contract/common.ts';
import { SignAnswer, SignRequest } from '../contract/signing.ts';
import { requireJson } from '../middleware/body.ts';
import { sign as signFor } from '../services/sign.ts';
import { answers, jsonBody, newRouter, SIGNING } from './openapi.ts';

export const sign = newRouter().openapi(
  createRoute({
    method: 'post',
    path: '/bots/{id}/sign',
    tags: ['Execution'],
    summary: 'Sign a transaction, typed data or a message with the key of a running bot (runner)',
    security: SIGNING,
    middleware: [requireJson],
    request: { params: IdParam, body: jsonBody(SignRequest) },
    responses: answers(200, SignAnswer, 'The signature, by which address and under which key id.'),
  }),
  async (c) => {
    const { runnerDatabase, runtime } = c.var;
    const dependencies = { database: runnerDatabase, keyring: runtime.keyring };
    return c.json(await signFor(dependencies, c.req.valid('param').id, c.req.valid('json')), 200);
  },
);
