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
    'The most severe state that applies. `degraded` and `failing` are reported by the runner. A heartbeat or a signature is a sign of life. `late`: the last sign of life is too old. `missing`: there was none since the start. `starting`: the bot was started recently and there was none yet. `key_old`: a key of the bot is too old. `keyless`: the bot runs without a key, which is a fault.',
});

export const HealthDetail = z
  .object({
    reason: z.string().optional().openapi({ description: 'Why the bot was stopped: its `stop_reason`.' }),
    code: z.string().optional().openapi({ description: 'The code of the last problem before a quarantine.' }),
    failures: z
      .int()
      .optional()
      .openapi({ description: 'The number of signing failures in the hour before a quarantine.' }),
    message: z.string().optional().openapi({ description: 'The message of the runner.' }),
    heartbeat_at: Time.optional(),
    signature_at: Time.optional(),
    addresses: z
      .array(z.string())
      .optional()
      .openapi({ description: 'The addresses of the keys that are too old.' }),
  })
  .openapi('HealthDetail');

export const HealthChange = z
  .object({
    id: Id,
    state: State,
    since: Time,
    noticed_at: Time.openapi({ description: 'When the monitor, or a quarantine, recorded the change.' }),
    detail: z.union([HealthDetail, z.null()]),
  })
  .openapi('HealthChange');

export const BotHealth = pageOf(HealthChange)
  .extend({
    bot_id: Id,
    client_id: Id,
    status: z.enum(['stopped', 'running']),
    state: State,
    since: Time.openapi({ description: 'When the state began, as far as it is known.' }),
    detail: z.union([HealthDetail, z.null()]),
    last_heartbeat: z
      .object({
        status: z.enum(['ok', 'degraded', 'failing']),
        message: z.string().nullable(),
        metrics: z.record(z.string(), z.unknown()).nullable(),
        at: Time,
      })
      .nullable(),
    last_signature_at: Time.nullable().openapi({
      description:
        'When the last signature of the bot was released. It counts as a sign of life if it is after the last start.',
    }),
    signing_failures: z.object({
      last_hour: z.int().openapi({
        description: 'The number of signing failures in the last hour and since the start, at most 100.',
      }),
      last_code: z.string().nullable(),
      last_at: Time.nullable(),
    }),
    monitored_at: Time.nullable().openapi({
      description: 'When the monitor last checked all bots. The state is determined again for each request.',
    }),
  })
  .openapi('BotHealth', {
    description:
      'The state at the time of the request. `items` are the changes that were recorded, newest first.',
  });

export type BotHealth = z.infer<typeof BotHealth>;
export type HealthChange = z.infer<typeof HealthChange>;
