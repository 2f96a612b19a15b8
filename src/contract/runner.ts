import { z } from '@hono/zod-openapi';
import { Id, Time } from './common.ts';
import { Wallet } from './keys.ts';

const MAX_METRICS_BYTES = 8 * 1024;
const storable = (text: string) => text.isWellFormed() && !text.includes('\0');

export const RunnerBot = z
  .object({
    id: Id,
    client_id: Id,
    bot_type: z.string(),
    name: z.string(),
    config: z.record(z.string(), z.unknown()),
    status: z.literal('running'),
    started_at: Time.nullable(),
    wallets: z.array(Wallet),
  })
  .openapi('RunnerBot');

export const RunnerBots = z
  .object({ items: z.array(RunnerBot), next_cursor: z.string().nullable() })
  .openapi('RunnerBots');

export const HeartbeatRequest = z
  .strictObject({
    status: z.enum(['ok', 'degraded', 'failing']),
    message: z.string().max(1000).refine(storable, { error: 'text that cannot be stored' }).optional(),
    metrics: z
      .record(
        z.string().max(64).refine(storable),
        z.union([z.number(), z.boolean(), z.string().max(200).refine(storable)]),
      )
      .refine((metrics) => new TextEncoder().encode(JSON.stringify(metrics)).length <= MAX_METRICS_BYTES, {
        error: 'more than 8 KiB',
      })
      .optional()
      .openapi({ type: 'object', example: { open_orders: 3, latency_ms: 41 } }),
  })
  .openapi('HeartbeatRequest');

export const Heartbeat = z
  .object({
    bot_id: Id,
    bot_status: z
      .enum(['stopped', 'running'])
      .openapi({ description: 'What the bot should be: a runner ends one that is stopped.' }),
    recorded_at: Time,
  })
  .openapi('Heartbeat');

export type RunnerBots = z.infer<typeof RunnerBots>;
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;
export type Heartbeat = z.infer<typeof Heartbeat>;
