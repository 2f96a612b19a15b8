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
  /** Called if the database returned the stored response of an earlier call. */
  readonly onReplay: () => void;
}

/** The database functions with the argument `once`. */
export type IdempotentFunction = {
  [Name in keyof Functions]: 'once' extends keyof Functions[Name]['Args'] ? Name : never;
}[keyof Functions];

export function idempotencyArgument(request: IdempotentRequest | undefined): { once?: Json } {
  return request ? { once: { key: request.key, fingerprint: request.fingerprint } } : {};
}

export function isReplay(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'replayed' in result && result.replayed === true;
}
