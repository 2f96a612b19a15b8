import { z } from 'zod';
import { asJson, callByToken, type Functions } from './call.ts';
import type { Connection } from './connection.ts';

export interface Rewrapper {
  /** The machine token of the scope `rewrap`. */
  readonly token: string;
  readonly requestId: string;
}

const SealedKey = z.object({
  client_id: z.string(),
  chain: z.string(),
  address: z.string(),
  key_id: z.string(),
  encrypted_key: z.string(),
});
const Page = z.object({
  items: z.array(SealedKey),
  /** Whether this was the last page. The page after it starts again with the envelopes that could not be moved. */
  last: z.boolean(),
});
const Outcomes = z.object({ outcomes: z.array(z.enum(['moved', 'changed', 'busy', 'deferred'])) });

export type SealedKey = z.infer<typeof SealedKey>;
export type RewrapPage = z.infer<typeof Page>;
/**
 * `changed`: the row has another envelope than the one that was listed. `busy`: another transaction holds the locks of the
 * client's keys. `deferred`: this call had no time left for the key.
 */
export type RewrapOutcome = z.infer<typeof Outcomes>['outcomes'][number];

export interface RewrappedKey {
  readonly client_id: string;
  readonly key_id: string;
  /** SHA-256 of the envelope that was listed, in hex. */
  readonly replaced_hash: string;
  readonly encrypted_key: string;
}

/** The envelopes that are moved to another master key. */
export interface RewrapStore {
  /** The next envelopes that these master keys sealed. Envelopes move to the first of the master keys. */
  next(masterKeyIds: readonly string[], batch: number): Promise<RewrapPage>;
  /**
   * Stores the new envelopes and returns the outcome of each, in the same order. A call with one key waits for the locks. A
   * call with several keys skips a key whose locks are held.
   */
  replace(rewrapped: readonly RewrappedKey[]): Promise<RewrapOutcome[]>;
  /** The number of private keys that another master key than the first has sealed. */
  countLeft(): Promise<number>;
}

/** The database functions of a machine token with the scope `rewrap`. All throw `Problem`. */
export class RewrapDatabase implements RewrapStore {
  readonly #connection: Connection;
  readonly #rewrapper: Rewrapper;

  constructor(connection: Connection, rewrapper: Rewrapper) {
    this.#connection = connection;
    this.#rewrapper = rewrapper;
  }

  next(masterKeyIds: readonly string[], batch: number) {
    return this.#call(Page, 'list_envelopes_to_rewrap', {
      edge_token: this.#connection.edgeToken(),
      master_key_ids: [...masterKeyIds],
      batch,
    });
  }
  async replace(rewrapped: readonly RewrappedKey[]) {
    return (
      await this.#call(Outcomes, 'rewrap_keys', {
        edge_token: this.#connection.edgeToken(),
        rewrapped: asJson(rewrapped),
      })
    ).outcomes;
  }
  countLeft() {
    return this.#call(z.int(), 'count_keys_to_rewrap', {});
  }

  #call<Name extends keyof Functions & string, Schema extends z.ZodType>(
    schema: Schema,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
  ): Promise<z.infer<Schema>> {
    return callByToken(this.#connection, this.#rewrapper, schema, name, args);
  }
}
