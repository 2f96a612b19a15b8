import { IdParam } from '../contract/common.ts';
import { SignAnswer, SignRequest } from '../contract/signing.ts';
import { inBackground } from '../middleware/background.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';
import { sign as signFor } from '../services/sign.ts';
import { countedFailure, reportCountedFailure } from '../services/signing-failures.ts';

export const sign = newRouter().openapi(
  defineRoute({
    operationId: 'sign',
    method: 'post',
    path: '/bots/{id}/sign',
    access: 'signing',
    subject: 'bot',
    idempotencyKey: 'used',
    request: { params: IdParam, body: jsonBody(SignRequest) },
    responses: responses(200, SignAnswer),
  }),
  async (c) => {
    const { runnerDatabase: database, runtime, requestId } = c.var;
    const { id } = c.req.valid('param');
    try {
      return c.json(await signFor({ database, keyring: runtime.keyring }, id, c.req.valid('json')), 200);
    } catch (error) {
      const code = countedFailure(error);
      if (code) inBackground(c, () => reportCountedFailure(database, id, code, requestId));
      throw error;
    }
  },
);
