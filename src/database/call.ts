import type { z } from 'zod';
import { Problem } from '../problem.ts';
import type { Connection } from './connect.ts';
import { problemOf } from './errors.ts';
import type { Database, Json } from './types.ts';

export type Functions = Database['public']['Functions'];

const TIME_LIMIT_MS = 10_000;

export interface Call {
  readonly requestId: string;
  /** The access token of a session; without one a call has the rights of `anon`. */
  readonly token?: string;
}

/**
 * Calls one function: one transaction, one round trip. The answer is cut to its schema: what the schema does not
 * name cannot leave, whatever a function returns.
 *
 * @throws {Problem}
 */
export async function callFunction<Name extends keyof Functions & string, Answer extends z.ZodType>(
  connection: Connection,
  { token, requestId }: Call,
  answer: Answer,
  name: Name,
  args: Functions[Name]['Args'],
): Promise<z.infer<Answer>> {
  const request = connection.rpc(name, args).setHeader('x-request-id', requestId);
  if (token !== undefined) request.setHeader('authorization', `Bearer ${token}`);
  const { data, error, status } = await request.abortSignal(AbortSignal.timeout(TIME_LIMIT_MS));
  if (error) throw problemOf(error, status);
  const parsed = answer.safeParse(data);
  if (!parsed.success) throw new Problem('database_unavailable');
  return parsed.data;
}

/** The generated types know a JSON argument only as `Json`; ours are JSON by their schemas. */
export function asJson(value: object): Json {
  return value as Json;
}
