import type { z } from 'zod';
import type { Connection } from './connection.ts';
import { isReplay, type Once } from './once.ts';
import { parseAnswer } from './parse.ts';
import { callWithRetry, type Functions } from './postgrest.ts';
import type { Session } from './session.ts';
import type { Json } from './types.ts';

export type { Functions } from './postgrest.ts';

export interface Call {
  readonly requestId?: string;
  /** The session that the call runs under; without one it has the rights of `anon`. */
  readonly session?: Session;
  /** Whether a second call changes nothing, whatever others do in between. If the database does not respond, it is sent again. */
  readonly repeatable?: boolean;
  readonly once?: Once | undefined;
}

/**
 * Calls one function: one transaction, one round trip, and a second one only as `callWithRetry` decides. The answer is cut
 * to its schema: what the schema does not name cannot leave, whatever a function returns.
 *
 * @throws {Problem}
 */
export async function callFunction<Name extends keyof Functions & string, Answer extends z.ZodType>(
  { rpc, limits }: Connection,
  { session, requestId, repeatable = false, once }: Call,
  answer: Answer,
  name: Name,
  args: Functions[Name]['Args'],
): Promise<z.infer<Answer>> {
  const data = await callWithRetry(limits, repeatable, (signal) =>
    rpc(name, args, { session, requestId, signal }),
  );
  const parsed = parseAnswer(answer, data, { name, requestId });
  if (isReplay(data)) once?.onReplay();
  return parsed;
}

/** A caller without a session: the function begins by finding its machine token. */
export interface TokenHolder {
  /** The machine token itself. It is sent in the body only. */
  readonly token: string;
  readonly requestId: string;
}

/** `callFunction` for those functions. @throws {Problem} */
export function callByToken<Name extends keyof Functions & string, Answer extends z.ZodType>(
  connection: Connection,
  { token, requestId }: TokenHolder,
  answer: Answer,
  name: Name,
  args: Omit<Functions[Name]['Args'], 'token'>,
  call: Pick<Call, 'repeatable' | 'once'> = {},
): Promise<z.infer<Answer>> {
  const all = { ...args, token } as Functions[Name]['Args'];
  return callFunction(connection, { requestId, ...call }, answer, name, all);
}

/** The generated types know a JSON argument only as `Json`; ours are JSON by their schemas. */
export function asJson(value: object): Json {
  return value as Json;
}
