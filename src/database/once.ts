import type { Database, Json } from './types.ts';

type Functions = Database['public']['Functions'];

/** One request, however often it is sent: the database carries it out once, and then gives its first answer again. */
export interface Once {
  /** SHA-256 of the Idempotency-Key, in hex. */
  readonly key: string;
  /** What tells apart the requests that come under one key, in hex. */
  readonly fingerprint: string;
  /** Called where the answer is that of an earlier call. */
  readonly onReplay: () => void;
}

/** The functions that take `once`. */
export type OnceFunction = {
  [Name in keyof Functions]: 'once' extends keyof Functions[Name]['Args'] ? Name : never;
}[keyof Functions];

export function asArgument(once: Once | undefined): { once?: Json } {
  return once ? { once: { key: once.key, fingerprint: once.fingerprint } } : {};
}

export function isReplay(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'replayed' in answer && answer.replayed === true;
}
