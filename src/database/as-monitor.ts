import { z } from 'zod';
import { callByToken } from './call.ts';
import type { Connection } from './connect.ts';

export interface Monitor {
  /** SHA-256 of the machine token of the scope `monitor`, in hex. */
  readonly tokenHash: string;
  readonly requestId: string;
}

export interface MonitorLimits {
  readonly heartbeatLimitSeconds: number;
  readonly keyAgeLimitDays: number;
}

const Batch = z.object({
  /** Another run was at it: this one did nothing. */
  busy: z.boolean(),
  /** Whether the round through all bots ended with this batch. */
  complete: z.boolean(),
  bots_checked: z.number(),
  /** How many bots changed to each state. */
  changes: z.record(z.string().regex(/^[a-z_]{1,32}$/), z.number()),
  pruned_health_logs: z.number(),
  pruned_reservations: z.number(),
  pruned_answers: z.number(),
  database_ms: z.number(),
});
export type Batch = z.infer<typeof Batch>;

/** The database as the monitor's token sees it: one function. */
export class MonitorDatabase {
  readonly #connection: Connection;
  readonly #monitor: Monitor;

  constructor(connection: Connection, monitor: Monitor) {
    this.#connection = connection;
    this.#monitor = monitor;
  }

  /** The next batch of the round through all bots. @throws {Problem} */
  checkBots({ heartbeatLimitSeconds, keyAgeLimitDays }: MonitorLimits): Promise<Batch> {
    return callByToken(this.#connection, this.#monitor, Batch, 'monitor_bots', {
      heartbeat_limit_seconds: heartbeatLimitSeconds,
      key_age_limit_days: keyAgeLimitDays,
    });
  }
}
