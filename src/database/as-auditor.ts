import { z } from 'zod';
import { asJson, callByToken, type Functions } from './call.ts';
import type { Connection } from './connection.ts';

export interface Auditor {
  /** The machine token of the scope `monitor`. */
  readonly token: string;
  readonly requestId: string;
}

const UnsignedHeads = z.array(
  z.object({
    client_id: z.string(),
    seq: z.int(),
    hash: z.string(),
    /** The last checkpoint, and the hash that its row has now; null where the row is gone. */
    last: z.object({ jws: z.string(), seq: z.int(), hash: z.string().nullable() }).nullable(),
  }),
);
export type UnsignedHead = z.infer<typeof UnsignedHeads>[number];

const Chained = z.object({ chained: z.int(), clients: z.int() });
const Stored = z.object({ stored: z.int() });

export interface SignedHead {
  readonly client_id: string;
  readonly seq: number;
  readonly jws: string;
}

/** The database as the cron sees it that keeps the audit chains. All throw `Problem`. */
export class AuditorDatabase {
  readonly #connection: Connection;
  readonly #auditor: Auditor;

  constructor(connection: Connection, auditor: Auditor) {
    this.#connection = connection;
    this.#auditor = auditor;
  }

  /** Chains what is queued, of the clients that wait longest. */
  chainQueuedEvents(atMost: number) {
    return this.#call(Chained, 'chain_queued_events', { at_most: atMost });
  }
  listUnsignedHeads(atMost: number): Promise<UnsignedHead[]> {
    return this.#call(UnsignedHeads, 'list_unsigned_heads', { at_most: atMost });
  }
  /** Keeps those that name a row of their chain. */
  storeCheckpoints(checkpoints: readonly SignedHead[]) {
    return this.#call(Stored, 'store_checkpoints', {
      edge_token: this.#connection.edgeToken(),
      checkpoints: asJson(checkpoints),
    });
  }

  #call<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
  ): Promise<z.infer<Answer>> {
    return callByToken(this.#connection, this.#auditor, answer, name, args);
  }
}
