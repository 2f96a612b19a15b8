import { z } from '@hono/zod-openapi';
import { closedObject, Id } from './common.ts';
import { Address } from './keys.ts';

/** `signing/` checks the form and the meaning of what is to be signed, with problem codes for each fault. */
const Anything = z.record(z.string(), z.unknown());

const wallet = Address.optional().openapi({
  description: 'The id or the address of the wallet that signs. Required if the bot has several wallets.',
});

const EvmTransaction = closedObject({
  type: z.literal('evm.transaction'),
  transaction: Anything.openapi({
    description:
      'A transaction of type 0 to 4, with the field names of JSON-RPC and quantities as hex or decimal text. `chainId`, `nonce`, `gas` and the fees are required.',
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
    description: '{domain, types, primaryType, message}, as in eth_signTypedData_v4 (EIP-712).',
  }),
  wallet,
});

const EvmMessage = closedObject({
  type: z.literal('evm.message'),
  message: z.union([z.string(), closedObject({ raw: z.string() })]).openapi({
    description:
      'A text, or raw bytes in hex, of at most 32 KiB. It is signed as personal_sign does (EIP-191).',
  }),
  wallet,
});

const SolanaTransaction = closedObject({
  type: z.literal('solana.transaction'),
  message: z.string({ error: 'must be base64 text, not a list of numbers' }).openapi({
    description:
      'Base64 of the message of a transaction: legacy, version 0 or 1. A whole transaction is accepted too, with signatures or zeros in their place. Its message is signed.',
  }),
  wallet,
});

const SolanaMessage = closedObject({
  type: z.literal('solana.message'),
  message: z.union([z.string(), closedObject({ base64: z.string() })]).openapi({
    description:
      'A text, or bytes in base64, of at most 32 KiB. The bytes are signed as they are, as wallets do. Off-chain messages of version 0 and 1 are checked. Bytes that could be a transaction are rejected.',
  }),
  wallet,
});

export const SignRequest = z
  .discriminatedUnion('type', [EvmTransaction, EvmTypedData, EvmMessage, SolanaTransaction, SolanaMessage])
  .openapi('SignRequest');

export const SignAnswer = z
  .object({
    signature: z.string().openapi({
      description: 'EVM: hex of 65 bytes (r, s, and v as 27 or 28). Solana: base58 of 64 bytes.',
    }),
    signed_transaction: z.string().optional().openapi({
      description:
        'The signed transaction, ready to send. EVM: hex. Solana: base64, present only if it has every signature: nobody else has to sign, or the request was a whole transaction with the valid signatures of all others.',
    }),
    address: z.string().openapi({ description: 'The address of the key that signed.' }),
    key_id: Id,
  })
  .openapi('SignAnswer');

export type SignRequest = z.infer<typeof SignRequest>;
export type SignAnswer = z.infer<typeof SignAnswer>;
