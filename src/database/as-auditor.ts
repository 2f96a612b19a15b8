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
    /** The last checkpoint, and the hash that its row has now. The hash is null if the row does not exist any more. */
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

/** The database functions of the cron job that maintains the audit chains. All throw `Problem`. */
export class AuditorDatabase {
  readonly #connection: Connection;
  readonly #auditor: Auditor;

  constructor(connection: Connection, auditor: Auditor) {
    this.#connection = connection;
    this.#auditor = auditor;
  }

  /** Moves queued events into their chains, beginning with the clients whose events have waited longest. */
  chainQueuedEvents(atMost: number) {
    return this.#call(Chained, 'chain_queued_events', { at_most: atMost });
  }
  listUnsignedHeads(atMost: number): Promise<UnsignedHead[]> {
    return this.#call(UnsignedHeads, 'list_unsigned_heads', { at_most: atMost });
  }
  /** Stores the checkpoints that name a row of their chain, and ignores the others. */
  storeCheckpoints(checkpoints: readonly SignedHead[]) {
    return this.#call(Stored, 'store_checkpoints', {
      edge_token: this.#connection.edgeToken(),
      checkpoints: asJson(checkpoints),
    });
  }

  #call<Name extends keyof Functions & string, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
  ): Promise<z.infer<Schema>> {
    return callByToken(this.#connection, this.#auditor, schema, name, args);
  }
}
