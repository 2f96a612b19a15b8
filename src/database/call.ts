import type { z } from 'zod';
import type { Connection } from './connection.ts';
import { type IdempotentRequest, isReplay } from './idempotency.ts';
import { parseResult } from './parse.ts';
import { callWithRetry, type Functions } from './postgrest.ts';
import type { Session } from './session.ts';
import type { Json } from './types.ts';

export type { Functions } from './postgrest.ts';

export interface Call {
  readonly requestId?: string;
  /** The session that the call runs under. Without a session, the call has the rights of `anon`. */
  readonly session?: Session;
  /**
   * Whether the call can be sent twice without harm, whatever others change in between. If the database does not respond,
   * a repeatable call is sent again.
   */
  readonly repeatable?: boolean;
  readonly idempotency?: IdempotentRequest | undefined;
}

/**
 * Calls one database function in one transaction. `callWithRetry` decides whether a second attempt is made. The result
 * contains only members that the schema names, so that a function cannot leak a column by accident.
 *
 * @throws {Problem}
 */
export async function callFunction<Name extends keyof Functions & string, Schema extends z.ZodType>(
  { rpc, limits }: Connection,
  { session, requestId, repeatable = false, idempotency }: Call,
  schema: Schema,
  name: Name,
  args: Functions[Name]['Args'],
): Promise<z.infer<Schema>> {
  const data = await callWithRetry(limits, repeatable, (signal) =>
    rpc(name, args, { session, requestId, signal }),
  );
  const parsed = parseResult(schema, data, { name, requestId });
  if (isReplay(data)) idempotency?.onReplay();
  return parsed;
}

/** A caller without a session. The database function verifies the machine token first. */
export interface TokenHolder {
  /** The machine token itself. It is sent in the body only. */
  readonly token: string;
  readonly requestId: string;
}

/** Calls a function that takes a machine token. @throws {Problem} */
export function callByToken<Name extends keyof Functions & string, Schema extends z.ZodType>(
  connection: Connection,
  { token, requestId }: TokenHolder,
  schema: Schema,
  name: Name,
  args: Omit<Functions[Name]['Args'], 'token'>,
  call: Pick<Call, 'repeatable' | 'idempotency'> = {},
): Promise<z.infer<Schema>> {
  const all = { ...args, token } as Functions[Name]['Args'];
  return callFunction(connection, { requestId, ...call }, schema, name, all);
}

/** The generated types accept only `Json` for a JSON argument. The values here are JSON because of their schemas. */
export function asJson(value: object): Json {
  return value as Json;
}
