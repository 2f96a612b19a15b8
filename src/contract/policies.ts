import { z } from '@hono/zod-openapi';
import { canonicalAddress } from '../keys/index.ts';
import { SIGNING_KINDS } from '../signing/index.ts';
import { closedObject, Id, Time } from './common.ts';

const MAX_LIST_ITEMS = 100;

/** An amount in wei or lamports, as decimal text: JSON numbers are too small for it. */
const Value = z
  .string()
  .regex(/^(0|[1-9]\d{0,77})$/, { error: 'not a decimal number without a sign' })
  .openapi({ example: '1000000000000000000' });

const ChainId = z
  .union([z.string().regex(/^[1-9]\d{0,15}$/, { error: 'not a decimal chain id' }), z.int().positive()])
  .transform(String)
  .openapi({ type: ['string', 'integer'], example: '1' });

/** In the form in which addresses are compared. */
const Recipient = z
  .string()
  .max(128)
  .transform((text, context) => {
    try {
      return canonicalAddress(text).address;
    } catch {
      context.addIssue({ code: 'custom', message: 'not an address, or one with a wrong checksum' });
      return z.NEVER;
    }
  })
  .openapi({ type: 'string', example: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf' });

const Kind = z.enum(SIGNING_KINDS).openapi('SigningKind');

const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(MAX_LIST_ITEMS).nullish();

export const PolicyRequest = closedObject({
  kinds: list(Kind).openapi({
    description:
      'The kinds of signing that are allowed. If absent: all kinds, or only transactions if recipients or values are limited. With such a limit, solana.message is never allowed.',
  }),
  chain_ids: list(ChainId).openapi({
    description: 'The EVM chains that are allowed, for transactions and typed data.',
  }),
  recipients: list(Recipient).openapi({
    description: 'The accounts that may be paid, and the contracts or programs that may be called.',
  }),
  max_value: Value.nullish().openapi({
    description:
      'The highest value of one transaction, in wei or lamports, as decimal text. Fees are not counted.',
  }),
  max_value_24h: Value.nullish().openapi({
    description:
      'The highest sum of the values of all transactions in the last 24 hours, in wei or lamports, as decimal text. Fees are not counted.',
  }),
  quarantine_after: z.int().min(1).max(100).nullish().openapi({
    description:
      'The number of signing failures within an hour after which the bot is stopped. Requests that the policy rejects count, and keys that cannot be decrypted; the first key that cannot be decrypted stops the bot at once. Null: the bot is never stopped.',
  }),
}).openapi('PolicyRequest', {
  description: 'A field that is absent or null is not limited. Values are in the smallest unit of the chain.',
});

export const Policy = z
  .object({
    bot_id: Id,
    kinds: z.array(Kind).nullable(),
    chain_ids: z.array(z.string()).nullable(),
    recipients: z.array(z.string()).nullable(),
    max_value: z.string().nullable(),
    max_value_24h: z.string().nullable(),
    quarantine_after: z.int().nullable(),
    updated_at: Time.nullable(),
  })
  .openapi('Policy', { description: 'A field that is null is not limited.' });

export type PolicyRequest = z.infer<typeof PolicyRequest>;
export type Policy = z.infer<typeof Policy>;
