import { z } from '@hono/zod-openapi';
import { closedObject, Id } from './common.ts';
import { Address } from './keys.ts';

/** Form and meaning of what is to be signed are checked by `signing/`, which has codes for each. */
const Anything = z.record(z.string(), z.unknown());

const wallet = Address.optional().openapi({
  description: 'Id or address of the wallet that signs, where the bot has several.',
});

const EvmTransaction = closedObject({
  type: z.literal('evm.transaction'),
  transaction: Anything.openapi({
    type: 'object',
    description:
      'In the field names of JSON-RPC; quantities in hex or decimal text. Types 0 to 4; chainId, nonce, gas and the fees have to be there.',
    example: {
      type: '0x2',
      chainId: '0x1',
      nonce: '0x0',
      to: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
      value: '1000000000000000',
      gas: '21000',
      maxFeePerGas: '30000000000',
      maxPriorityFeePerGas: '1000000000',
    },
  }),
  wallet,
});

const EvmTypedData = closedObject({
  type: z.literal('evm.typed_data'),
  typed_data: Anything.openapi({
    type: 'object',
    description: '{domain, types, primaryType, message}, as eth_signTypedData_v4 takes it (EIP-712).',
  }),
  wallet,
});

const EvmMessage = closedObject({
  type: z.literal('evm.message'),
  message: z.union([z.string(), closedObject({ raw: z.string() })]).openapi({
    description: 'A text, or raw bytes in hex; at most 32 KiB. Signed as by personal_sign (EIP-191).',
  }),
  wallet,
});

const SolanaTransaction = closedObject({
  type: z.literal('solana.transaction'),
  message: z.string().openapi({
    description: 'Base64 of the message of a transaction, legacy or version 0, without signatures.',
  }),
  wallet,
});

export const SignRequest = z
  .discriminatedUnion('type', [EvmTransaction, EvmTypedData, EvmMessage, SolanaTransaction])
  .openapi('SignRequest');

export const SignAnswer = z
  .object({
    signature: z
      .string()
      .openapi({ description: 'Hex of 65 bytes (r, s, v of 27 or 28), or base58 of 64 bytes.' }),
    signed_transaction: z.string().optional().openapi({
      description: 'The whole transaction as nodes take it: hex, or base64 where nobody else signs.',
    }),
    address: z.string(),
    key_id: Id,
  })
  .openapi('SignAnswer');

export type SignRequest = z.infer<typeof SignRequest>;
export type SignAnswer = z.infer<typeof SignAnswer>;
