/**
 * The only place that knows the REST API of the database, of which the edge needs one request: `POST /rpc/{function}`
 * of PostgREST. It holds the publishable key and never one that bypasses policies.
 */
import { fetchAnswer } from './answer.ts';
import type { Session } from './session.ts';
import type { Database } from './types.ts';

export type Functions = Database['public']['Functions'];

export interface RpcOptions {
  /** Without one a call has the rights of `anon`: next to none. */
  readonly session?: Session | undefined;
  readonly requestId?: string | undefined;
  readonly signal: AbortSignal;
}

/** Calls a function once. Answers what it returned, not yet checked. @throws {CallFailure} */
export type Rpc = <Name extends keyof Functions & string>(
  name: Name,
  args: Functions[Name]['Args'],
  options: RpcOptions,
) => Promise<unknown>;

export function createRpc(supabaseUrl: URL, publishableKey: string): Rpc {
  const url = `${supabaseUrl.href.replace(/\/$/, '')}/rest/v1/rpc`;
  return (name, args, { session, requestId, signal }) => {
    const headers = {
      apikey: publishableKey,
      // The API key is no JWT: the gateway makes `anon` of it, and an Authorization header with it may be rejected.
      ...(session && { authorization: `Bearer ${session.token}` }),
      'content-profile': 'public',
      'content-type': 'application/json',
      ...(requestId !== undefined && { 'x-request-id': requestId }),
    };
    const body = JSON.stringify(args);
    return fetchAnswer(`${url}/${name}`, { method: 'POST', headers, body, signal }, session);
  };
}
