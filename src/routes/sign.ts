import { IdParam } from '../contract/common.ts';
import { SignAnswer, SignRequest } from '../contract/signing.ts';
import { inBackground } from '../middleware/background.ts';
import { MAX_SIGNING_BODY_BYTES, requireSmallBody } from '../middleware/body.ts';
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
    maxBodyBytes: MAX_SIGNING_BODY_BYTES,
    request: { params: IdParam, body: jsonBody(SignRequest) },
    responses: responses(200, SignAnswer),
  }),
  async (c) => {
    const { runnerDatabase: database, runtime, requestId } = c.var;
    const { id } = c.req.valid('param');
    const request = c.req.valid('json');
    if (request.type !== 'evm.transaction') await requireSmallBody(c);
    try {
      return c.json(await signFor({ database, keyring: runtime.keyring }, id, request), 200);
    } catch (error) {
      const code = countedFailure(error);
      if (code) inBackground(c, () => reportCountedFailure(database, id, code, requestId));
      throw error;
    }
  },
);
