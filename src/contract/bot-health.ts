import { z } from '@hono/zod-openapi';
import { Id, pageOf, Time } from './common.ts';

export const HEALTH_STATES = [
  'healthy',
  'starting',
  'key_old',
  'degraded',
  'failing',
  'late',
  'missing',
  'keyless',
  'stopped',
  'quarantined',
] as const;

const State = z.enum(HEALTH_STATES).openapi('HealthState', {
  description:
    'The gravest that holds. degraded, failing: the runner says so. late: its last heartbeat is too old; missing: none since the start. starting: none yet. key_old: a key that the bot signs with is too old. keyless: it runs without a key, which should not be.',
});

const Detail = z
  .object({
    reason: z.string().optional().openapi({ description: 'Why it was stopped: as stop_reason of the bot.' }),
    code: z.string().optional().openapi({ description: 'The last problem before a quarantine.' }),
    failures: z.int().optional().openapi({ description: 'To sign, in the hour before a quarantine.' }),
    message: z.string().optional().openapi({ description: 'What the runner said.' }),
    heartbeat_at: Time.optional(),
    addresses: z.array(z.string()).optional().openapi({ description: 'Of the keys that are too old.' }),
  })
  .nullable();

export const HealthChange = z
  .object({
    id: Id,
    state: State,
    since: Time,
    noticed_at: Time.openapi({ description: 'When the monitor, or a quarantine, wrote it down.' }),
    detail: Detail,
  })
  .openapi('HealthChange');

export const BotHealth = pageOf(HealthChange)
  .extend({
    bot_id: Id,
    client_id: Id,
    status: z.enum(['stopped', 'running']),
    state: State,
    since: Time.openapi({ description: 'When the state began, as far as can be told.' }),
    detail: Detail,
    last_heartbeat: z
      .object({
        status: z.enum(['ok', 'degraded', 'failing']),
        message: z.string().nullable(),
        metrics: z.record(z.string(), z.unknown()).nullable(),
        at: Time,
      })
      .nullable(),
    signing_failures: z.object({
      last_hour: z.int().openapi({ description: 'Since the start, 100 at most.' }),
      last_code: z.string().nullable(),
      last_at: Time.nullable(),
    }),
    monitored_at: Time.nullable().openapi({
      description: 'When the monitor last went through all bots. The state is judged anew with each asking.',
    }),
  })
  .openapi('BotHealth');

export type BotHealth = z.infer<typeof BotHealth>;
export type HealthChange = z.infer<typeof HealthChange>;
