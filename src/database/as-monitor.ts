import { z } from 'zod';
import { callByToken } from './call.ts';
import type { Connection } from './connection.ts';

export interface Monitor {
  /** The machine token of the scope `monitor`. */
  readonly token: string;
  readonly requestId: string;
}

const Batch = z.object({
  /** Another run was in progress, so this run did nothing. */
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

/** The database function of the health monitor. */
export class MonitorDatabase {
  readonly #connection: Connection;
  readonly #monitor: Monitor;

  constructor(connection: Connection, monitor: Monitor) {
    this.#connection = connection;
    this.#monitor = monitor;
  }

  /** Checks the next batch of bots. @throws {Problem} */
  checkBots(): Promise<Batch> {
    return callByToken(this.#connection, this.#monitor, Batch, 'monitor_bots', {});
  }
}
