import { z } from '@hono/zod-openapi';
import { closedObject, Id, pageOf, Time } from './common.ts';
import { Wallet } from './keys.ts';
import { isStorableText, storedBytes } from './stored.ts';

const MAX_METRICS_BYTES = 8 * 1024;

/** A bot in the list of its runner. */
export const RunnerBotSummary = z
  .object({
    id: Id,
    client_id: Id,
    bot_type: z.string(),
    name: z.string(),
    status: z.enum(['stopped', 'running']),
    started_at: Time.nullable(),
    wallets: z.array(Wallet),
  })
  .openapi('RunnerBotSummary', {
    description: 'A bot without its config. `GET /runner/bots/{id}` returns the config.',
  });
export const RunnerBotPage = pageOf(RunnerBotSummary).openapi('RunnerBotPage');

export const RunnerBot = RunnerBotSummary.extend({ config: z.record(z.string(), z.unknown()) }).openapi(
  'RunnerBot',
  { description: 'A bot with its config.' },
);

export const HeartbeatRequest = closedObject({
  status: z.enum(['ok', 'degraded', 'failing']),
  message: z.string().max(1000).refine(isStorableText, { error: 'text that cannot be stored' }).optional(),
  metrics: z
    .record(
      z.string().max(64).refine(isStorableText),
      z.union([z.number(), z.boolean(), z.string().max(200).refine(isStorableText)]),
    )
    .refine((metrics) => storedBytes(metrics) <= MAX_METRICS_BYTES, {
      error: 'more than 8 KiB with all digits of its numbers',
    })
    .optional()
    .openapi({ example: { open_orders: 3, latency_ms: 41 } }),
}).openapi('HeartbeatRequest');

export const Heartbeat = z
  .object({
    bot_id: Id,
    bot_status: z
      .enum(['stopped', 'running'])
      .openapi({ description: 'Whether the bot should run. A runner ends a bot that is `stopped`.' }),
    recorded_at: Time,
  })
  .openapi('Heartbeat');

export type RunnerBot = z.infer<typeof RunnerBot>;
export type RunnerBotSummary = z.infer<typeof RunnerBotSummary>;
export type RunnerBotPage = z.infer<typeof RunnerBotPage>;
export type HeartbeatRequest = z.infer<typeof HeartbeatRequest>;
export type Heartbeat = z.infer<typeof Heartbeat>;
