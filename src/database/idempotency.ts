import type { Database, Json } from './types.ts';

type Functions = Database['public']['Functions'];

/**
 * A request with an Idempotency-Key. The database carries it out once. If the same request is sent again, the database
 * returns the stored response.
 */
export interface IdempotentRequest {
  /** SHA-256 of the Idempotency-Key, in hex. */
  readonly key: string;
  /** In hex. The same key with another fingerprint is another request, which the database rejects. */
  readonly fingerprint: string;
  /** The fields of a transaction that the edge filled in. They are stored under the key. */
  readonly filled?: Readonly<Record<string, string>>;
  /** Called if the database returned the stored response of an earlier call. */
  readonly onReplay: () => void;
  /** One part of the request, such as an item of a batch. `content` is all that makes it another part. */
  part(name: string, content: string): IdempotentRequest;
}

/** The database functions with the argument `once`. */
export type IdempotentFunction = {
  [Name in keyof Functions]: 'once' extends keyof Functions[Name]['Args'] ? Name : never;
}[keyof Functions];

export function idempotencyArgument(request: IdempotentRequest | undefined): { once?: Json } {
  if (!request) return {};
  const { key, fingerprint, filled } = request;
  return { once: { key, fingerprint, ...(filled && { filled: { ...filled } }) } };
}

export function isReplay(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'replayed' in result && result.replayed === true;
}
