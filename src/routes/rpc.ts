import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { IdParam } from '../contract/common.ts';
import { RpcAnswer, RpcBody, RpcQuery } from '../contract/rpc.ts';
import { log } from '../log.ts';
import { inBackground } from '../middleware/background.ts';
import { MAX_SIGNING_BODY_BYTES } from '../middleware/body.ts';
import { asProblem } from '../middleware/handle-error.ts';
import { reportRefusal } from '../middleware/report-refusals.ts';
import { defineRoute, jsonBody, newRouter, responses } from '../openapi/route.ts';
import { Problem } from '../problem.ts';
import { errorOf } from '../services/json-rpc/errors.ts';
import { readMessage } from '../services/json-rpc/message.ts';
import { nodesOf } from '../services/json-rpc/node.ts';
import { run } from '../services/json-rpc/run.ts';
import { countedFailure, reportCountedFailure } from '../services/signing-failures.ts';

/** For the operator, who may have to change RPC_URLS. */
const isFaultOfNode = ({ code }: Problem) =>
  code === 'rpc_node_unavailable' ||
  code === 'rpc_node_response_invalid' ||
  code === 'rpc_transaction_unconfirmed';

/** A body that is not JSON gets an error of JSON-RPC. Other problems of the whole HTTP request stay what they are. */
const answerParseErrors = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  const { problemCode, requestId } = c.var;
  const hasLoneSurrogate = c.error instanceof Problem && c.error.errors[0]?.code === 'lone_surrogate';
  if (problemCode !== 'json_malformed' && !hasLoneSurrogate) return;
  const error = errorOf(new Problem('json_malformed'), requestId);
  c.res = undefined;
  c.res = c.json({ jsonrpc: '2.0', id: null, error }, 200);
});

export const rpc = newRouter().openapi(
  defineRoute({
    operationId: 'callJsonRpc',
    method: 'post',
    path: '/bots/{id}/rpc',
    access: 'signing',
    subject: 'bot',
    idempotencyKey: 'used',
    maxBodyBytes: MAX_SIGNING_BODY_BYTES,
    around: answerParseErrors,
    request: { params: IdParam, query: RpcQuery, body: jsonBody(RpcBody) },
    responses: { ...responses(200, RpcAnswer), 204: { description: '' } },
  }),
  async (c) => {
    const { runnerDatabase: database, runtime, requestId, countAnother } = c.var;
    const { id: botId } = c.req.valid('param');
    const message = readMessage(c.req.valid('json'), await c.req.text());
    // All of them before the first is run: a 429 means that nothing was done, and clients repeat the whole request.
    await Promise.all(message.items.slice(1).map(countAnother));
    const answers = await run(message, {
      caller: {
        database,
        keyring: runtime.keyring,
        botId,
        chainId: c.req.valid('query').chain_id,
        nodes: nodesOf(runtime.settings, runtime.limits.nodeMs),
      },
      requestId,
      asProblem: (error) => asProblem(error, c),
      onProblem(problem, signs) {
        if (c.get('problemCode') === undefined) c.set('problemCode', problem.code);
        if (isFaultOfNode(problem)) {
          log({ event: 'rpc_node_failed', level: 'error', request_id: requestId, code: problem.code });
        }
        if (!signs) return;
        reportRefusal(c, problem);
        const code = countedFailure(problem);
        if (code) inBackground(c, () => reportCountedFailure(database, botId, code, requestId));
      },
    });
    if (answers.length === 0) return c.body(null, 204);
    const [first] = answers;
    return c.json(message.isBatch || !first ? answers : first, 200);
  },
);
