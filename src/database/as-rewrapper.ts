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
  /** Whether this was the last page. The next page begins from the start, with what could not be moved. */
  last: z.boolean(),
});
const Outcomes = z.object({ outcomes: z.array(z.enum(['moved', 'changed', 'busy', 'deferred'])) });

export type SealedKey = z.infer<typeof SealedKey>;
export type RewrapPage = z.infer<typeof Page>;
/** `changed`: it is no longer the envelope that was handed out. `busy`: the client's keys are in use. */
export type RewrapOutcome = z.infer<typeof Outcomes>['outcomes'][number];

export interface RewrappedKey {
  readonly client_id: string;
  readonly key_id: string;
  /** SHA-256 of the envelope that was handed out, in hex. */
  readonly replaced_hash: string;
  readonly encrypted_key: string;
}

/** Where envelopes are taken from to be moved to a new master key, and put back. */
export interface RewrapStore {
  /** The next envelopes that these master keys sealed; the first of them is the one to move to. */
  next(masterKeyIds: readonly string[], batch: number): Promise<RewrapPage>;
  /** What became of each, in the same order. A single key waits for its locks. Of several keys, one whose locks are held is skipped. */
  replace(rewrapped: readonly RewrappedKey[]): Promise<RewrapOutcome[]>;
  /** How many private keys are under other master keys than the new one. */
  countLeft(): Promise<number>;
}

/** The database as a token for rewrapping sees it, called without a session. All throw `Problem`. */
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

  #call<Name extends keyof Functions & string, Answer extends z.ZodType>(
    answer: Answer,
    name: Name,
    args: Omit<Functions[Name]['Args'], 'token'>,
  ): Promise<z.infer<Answer>> {
    return callByToken(this.#connection, this.#rewrapper, answer, name, args);
  }
}
