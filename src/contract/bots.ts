import { z } from '@hono/zod-openapi';
import { closedObject, Id, Name, pageOf, Time } from './common.ts';
import { Chain, KeyFields, Wallet, WalletRequest } from './keys.ts';
import { isStorableText, storedBytes } from './stored.ts';

const MAX_CONFIG_BYTES = 16 * 1024;
const MAX_CONFIG_DEPTH = 8;

/**
 * Whether a config is returned as it was sent: its text can be stored in PostgreSQL, its numbers are exact enough in
 * JavaScript and PostgreSQL, and it is not too deep. An amount in wei belongs in a string. `private.is_config` accepts
 * every config that this function accepts.
 */
function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return isStorableText(value);
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  if (typeof value !== 'object' || value === null) return true;
  return (
    depth < MAX_CONFIG_DEPTH &&
    Object.entries(value).every(
      ([key, member]) => key !== '__proto__' && isStorable(key) && isStorable(member, depth + 1),
    )
  );
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

export const BotConfig = z
  .custom<Record<string, unknown>>(isObject, { error: 'not an object' })
  .refine((config) => isStorable(config), {
    error: 'too deep, or values that cannot be stored as they are',
    // The size of a config that is too deep is not measured: that would overflow the stack.
    abort: true,
  })
  .refine((config) => storedBytes(config) <= MAX_CONFIG_BYTES, {
    error: 'more than 16 KiB with all digits of its numbers',
  })
  .openapi({
    type: 'object',
    additionalProperties: {},
    description:
      "Settings for the bot's own program, at most 16 KiB. Not for secrets, because responses return it as it was sent.",
    example: { pair: 'ETH/USDC' },
  });

const BotTypeId = z.string().min(1).max(64).openapi({ example: 'evm-grid' });

export const CreateBotRequest = closedObject({
  client_id: Id,
  name: Name.openapi({ example: 'Grid one' }),
  bot_type: BotTypeId,
  config: BotConfig.optional(),
  wallets: z
    .array(WalletRequest)
    .max(20)
    .optional()
    .openapi({ description: "Without wallets the bot uses the client's trading key." }),
}).openapi('CreateBotRequest');

export const SetupBotRequest = closedObject({
  bot_type: BotTypeId,
  name: Name.optional(),
  config: BotConfig.optional(),
  ...KeyFields,
}).openapi('SetupBotRequest');

/** A bot in a list. */
export const BotSummary = z
  .object({
    id: Id,
    client_id: Id,
    bot_type: z.string(),
    name: z.string(),
    status: z.enum(['stopped', 'running']),
    stop_reason: z
      .enum(['created', 'requested', 'key_revoked', 'chain_mismatch', 'quarantined', 'restored'])
      .nullable(),
    started_at: Time.nullable(),
    stopped_at: Time.nullable(),
    created_at: Time,
    wallets: z.array(Wallet),
  })
  .openapi('BotSummary', { description: 'A bot without its config. `GET /bots/{id}` returns the config.' });
export const BotPage = pageOf(BotSummary).openapi('BotPage');

export const Bot = BotSummary.extend({ config: z.record(z.string(), z.unknown()) }).openapi('Bot', {
  description: 'A bot with its config.',
});

export const BotOptions = z
  .object({
    bot_types: z.array(z.object({ id: z.string(), name: z.string(), description: z.string(), chain: Chain })),
  })
  .openapi('BotOptions');

export type CreateBotRequest = z.infer<typeof CreateBotRequest>;
export type SetupBotRequest = z.infer<typeof SetupBotRequest>;
export type Bot = z.infer<typeof Bot>;
export type BotSummary = z.infer<typeof BotSummary>;
export type BotPage = z.infer<typeof BotPage>;
export type BotOptions = z.infer<typeof BotOptions>;
