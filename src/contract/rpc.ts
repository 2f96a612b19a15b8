import { z } from '@hono/zod-openapi';
import { CHAIN_ID } from '../chain-settings.ts';
import { closedObject } from './common.ts';

export const MAX_RPC_ITEMS = 20;

const REQUEST = {
  type: 'object',
  required: ['jsonrpc', 'method'],
  properties: {
    jsonrpc: { type: 'string', enum: ['2.0'] },
    id: {
      type: ['string', 'number', 'null'],
      description: 'At most 36 characters, returned as it was sent. A request without it is a notification.',
    },
    method: { type: 'string' },
    params: { type: 'array', items: {} },
  },
};

/** Any JSON: a request that is not valid gets an error of JSON-RPC, and so do its neighbors in a batch one by one. */
export const RpcBody = z.unknown().openapi('RpcBody', {
  description: `A request of JSON-RPC 2.0, or a batch of at most ${MAX_RPC_ITEMS}.`,
  anyOf: [REQUEST, { type: 'array', items: REQUEST, maxItems: MAX_RPC_ITEMS }],
} as object);

export const RpcQuery = closedObject({
  chain_id: z.string().regex(CHAIN_ID).optional().openapi({
    description:
      'The EVM chain, in decimal. Without it: the only chain of the policy, or else the only chain that has a node.',
    example: '1',
  }),
});

const RpcResponse = z
  .object({
    jsonrpc: z.literal('2.0'),
    id: z.union([z.string(), z.number(), z.null()]),
    result: z.unknown().optional(),
    error: z
      .object({
        code: z.int(),
        message: z.string(),
        data: z.unknown().optional().openapi({
          description:
            'The problem: code, title, detail, request_id and errors. Or the data of the error of a node.',
        }),
      })
      .optional(),
  })
  .openapi('RpcResponse');

export const RpcAnswer = z.union([RpcResponse, z.array(RpcResponse)]);

export type RpcResponse = z.infer<typeof RpcResponse>;
