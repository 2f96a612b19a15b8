/** Requests of JSON-RPC to the API of the test. */
import { expect } from 'vitest';
import type { ProblemCode } from '../../src/problem.ts';
import { type Answer, type Call, call } from '../support/api.ts';
import type { ClientWithRunner } from '../support/runners.ts';

type Runner = Pick<ClientWithRunner, 'botId' | 'machineToken'>;

export interface RpcOptions extends Omit<Call, 'token' | 'body'> {
  /** `?chain_id=`. */
  readonly chainId?: string | number;
}

/** Sends any body. */
export const post = (
  { botId, machineToken }: Runner,
  body: unknown,
  { chainId, ...more }: RpcOptions = {},
): Promise<Answer> =>
  call(`POST /bots/${botId}/rpc${chainId === undefined ? '' : `?chain_id=${chainId}`}`, {
    token: machineToken,
    body,
    ...more,
  });

export const request = (method: string, params: readonly unknown[] = [], id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

/** Calls one method. The response is checked to be one of JSON-RPC. */
export async function rpc(
  runner: Runner,
  method: string,
  params: readonly unknown[] = [],
  options: RpcOptions = {},
) {
  const { status, json } = await post(runner, request(method, params), options);
  expect([status, json.jsonrpc, json.id]).toEqual([200, '2.0', 1]);
  return json;
}

/** An error of JSON-RPC with this number, and the problem with this code in its data. */
export function rpcError(number: number, code: ProblemCode, more: object = {}) {
  return {
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: number,
      message: expect.stringMatching(/^[A-Z]/),
      data: {
        code,
        title: expect.any(String),
        detail: expect.stringMatching(/\.$/),
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        ...more,
      },
    },
  };
}
