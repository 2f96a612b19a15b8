import { z } from '@hono/zod-openapi';
import { Id, Name, pageOf, Time } from './common.ts';
import { Chain, KeyFields, Wallet, WalletRequest } from './keys.ts';

const MAX_CONFIG_BYTES = 16 * 1024;
const MAX_CONFIG_DEPTH = 8;

/** Whether PostgreSQL can store every text in a JSON value, and it is no deeper than a config needs. */
function isStorable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return true;
  return (
    depth < MAX_CONFIG_DEPTH &&
    Object.entries(value).every(([key, member]) => isStorable(key) && isStorable(member, depth + 1))
  );
}

/** What the bot's own program reads. Not for secrets: it is answered as it was sent. */
export const BotConfig = z
  .record(z.string(), z.unknown())
  .refine((config) => isStorable(config), { error: 'too deep, or text that cannot be stored' })
  .refine((config) => new TextEncoder().encode(JSON.stringify(config)).length <= MAX_CONFIG_BYTES, {
    error: 'more than 16 KiB',
  })
  .openapi({ type: 'object', example: { pair: 'ETH/USDC' } });

const BotTypeId = z.string().min(1).max(64).openapi({ example: 'evm-grid' });

export const CreateBotRequest = z
  .strictObject({
    client_id: Id,
    name: Name.openapi({ example: 'Grid one' }),
    bot_type: BotTypeId,
    config: BotConfig.optional(),
    wallets: z
      .array(WalletRequest)
      .max(20)
      .optional()
      .openapi({ description: "None: the client's trading key is used." }),
  })
  .openapi('CreateBotRequest');

export const SetupBotRequest = z
  .strictObject({ bot_type: BotTypeId, name: Name.optional(), config: BotConfig.optional(), ...KeyFields })
  .openapi('SetupBotRequest');

export const Bot = z
  .object({
    id: Id,
    client_id: Id,
    bot_type: z.string(),
    name: z.string(),
    config: z.record(z.string(), z.unknown()),
    status: z.enum(['stopped', 'running']),
    stop_reason: z.enum(['created', 'requested', 'key_revoked', 'chain_mismatch']).nullable(),
    started_at: Time.nullable(),
    stopped_at: Time.nullable(),
    created_at: Time,
    wallets: z.array(Wallet),
  })
  .openapi('Bot');
export const BotPage = pageOf(Bot).openapi('BotPage');

export const BotOptions = z
  .object({
    bot_types: z.array(z.object({ id: z.string(), name: z.string(), description: z.string(), chain: Chain })),
  })
  .openapi('BotOptions');

export type CreateBotRequest = z.infer<typeof CreateBotRequest>;
export type SetupBotRequest = z.infer<typeof SetupBotRequest>;
export type Bot = z.infer<typeof Bot>;
export type BotPage = z.infer<typeof BotPage>;
export type BotOptions = z.infer<typeof BotOptions>;
