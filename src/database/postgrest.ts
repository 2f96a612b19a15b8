/**
 * The REST API of the database. The edge sends it one kind of request, `POST /rpc/{function}` of PostgREST, with the
 * publishable key and never with a key that bypasses policies.
 */
import { fetchWhole } from '../fetch-whole.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import type { TimeLimits } from '../time-limits.ts';
import { type DatabaseError, problemOf } from './errors.ts';
import type { Session } from './session.ts';
import type { Database } from './types.ts';

export type Functions = Database['public']['Functions'];

export interface RpcOptions {
  /** Without a session, a call has the rights of `anon`, which are almost none. */
  readonly session?: Session | undefined;
  readonly requestId?: string | undefined;
  readonly signal: AbortSignal;
}

/** Calls a function once and returns its result, not validated yet. @throws {CallFailure} */
export type Rpc = <Name extends keyof Functions & string>(
  name: Name,
  args: Functions[Name]['Args'],
  options: RpcOptions,
) => Promise<unknown>;

/** The database ends a page at 512 KiB, and returns nothing larger than a page. */
const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

export function createRpc(supabaseUrl: URL, publishableKey: string): Rpc {
  const url = `${supabaseUrl.href.replace(/\/$/, '')}/rest/v1/rpc`;
  return (name, args, { session, requestId, signal }) => {
    const headers = {
      apikey: publishableKey,
      // The publishable key is not a JWT. The gateway maps it to `anon`, and may reject an Authorization header with it.
      ...(session && { authorization: `Bearer ${session.token}` }),
      'content-profile': 'public',
      'content-type': 'application/json',
      ...(requestId !== undefined && { 'x-request-id': requestId }),
    };
    const body = JSON.stringify(args);
    return fetchResult(`${url}/${name}`, { method: 'POST', headers, body, signal }, session);
  };
}

// failures ----------------------------------------------------------------------------------------------------

/**
 * Why a failed call may succeed when it is sent again.
 *
 * - `unknown`: the database may have committed it. Only a call that is safe to repeat is sent again.
 * - `rolled_back`: the database ended the transaction in favor of another one.
 * - `rejected`: the token or the API key was rejected before the transaction began. Hosted projects do this for about a
 *   second if their clocks differ.
 * - `busy`: too many calls wait for the same lock. The database rolled this one back instead of letting it wait.
 */
export type Transient = 'unknown' | 'rolled_back' | 'rejected' | 'busy';

/** SQLSTATE of class 40: the transaction was rolled back. */
const ROLLED_BACK = ['40001', '40P01'];
/** Raised by `private.raise_busy`. */
const LOCKS_BUSY = 'PT503';
/** All connections were in use, which passes sooner than a slow query or a row lock. */
const TOO_MANY_CONNECTIONS = '53300';

const REJECTED: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'database_rejects_token',
  'publishable_key_rejected',
]);

export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly problem: Problem;
  readonly transient: Transient | undefined;
  /** From the response's `Retry-After` header, in milliseconds (RFC 9110, section 10.2.3). */
  readonly retryAfterMs: number;

  constructor(problem: Problem, transient: Transient | undefined, retryAfterMs = 0) {
    super(problem.code);
    this.problem = problem;
    this.transient = transient;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @param session the session of the call @throws {CallFailure} */
async function fetchResult(url: string, init: RequestInit, session?: Session): Promise<unknown> {
  const { status, headers, text } = await fetchWhole(url, init, MAX_RESPONSE_BYTES).catch(() => {
    throw new CallFailure(new Problem('database_unavailable'), 'unknown');
  });
  const value = parseJson(text);
  if (value !== undefined && status >= 200 && status < 300) return value;
  // A body that is not JSON does not come from PostgREST, even with status 200: a proxy, a login page, a paused project.
  const error = errorIn(value);
  const problem = problemOf(error, status, session);
  throw new CallFailure(problem, transientOf(error, problem), retryAfter(headers.get('retry-after')));
}

function transientOf({ code }: DatabaseError, problem: Problem): Transient | undefined {
  if (REJECTED.has(problem.code)) return 'rejected';
  if (ROLLED_BACK.includes(code ?? '')) return 'rolled_back';
  if (code === LOCKS_BUSY && problem.code === 'database_busy') return 'busy';
  return problem.code === 'database_unavailable' || code === TOO_MANY_CONNECTIONS ? 'unknown' : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** PostgREST's error object. A proxy may send members of the same names with other types. */
function errorIn(value: unknown): DatabaseError {
  const { code, hint }: Record<string, unknown> = { ...(value as object) };
  return { ...(typeof code === 'string' && { code }), hint };
}

/** Seconds. A date is treated as "do not retry", because its meaning depends on two clocks that may differ. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  return /^\d+$/.test(header) ? Number(header) * 1000 : Number.POSITIVE_INFINITY;
}

// retries -----------------------------------------------------------------------------------------------------

/** If a call may be repeated, the share of its time that the first attempt gets. */
const FIRST_SHARE = 1 / 2;
/** With a smaller share left, a second attempt would only time out. */
const LEAST_SHARE = 1 / 5;

const SHORTEST_BUSY_PAUSE_MS = 25;
const LONGEST_BUSY_PAUSE_MS = 400;

/**
 * Sends a call, and sends it once more if that may help: if nothing was done, or if the call is safe to repeat. Both
 * attempts together end within `callMs`. Attempts that wait for a busy lock do not count.
 *
 * @throws {Problem}
 */
export async function callWithRetry<Result>(
  { callMs, pauseMs, rejectedPauseMs }: TimeLimits,
  repeatable: boolean,
  attempt: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const deadline = Date.now() + callMs;
  const share = repeatable ? callMs * FIRST_SHARE : callMs;
  const first = await retryWhileBusy(share, deadline, callMs * LEAST_SHARE, attempt).catch(asFailure);
  if (!(first instanceof CallFailure)) return first;
  if (first.transient === 'busy') throw first.problem;
  const mayHelp = first.transient === 'unknown' ? repeatable : first.transient !== undefined;
  const wait = Math.max(first.retryAfterMs, first.transient === 'rejected' ? rejectedPauseMs : 0);
  // Random, so that calls that failed at the same time are not repeated at the same time.
  const pause = wait + pauseMs * (0.5 + Math.random());
  const left = Math.floor(deadline - Date.now() - pause);
  if (!mayHelp || left < callMs * LEAST_SHARE) throw first.problem;
  await new Promise((resolve) => setTimeout(resolve, pause));
  const second = await attempt(AbortSignal.timeout(left)).catch(asFailure);
  if (second instanceof CallFailure) throw second.problem;
  return second;
}

/**
 * While too many calls wait for the same lock, waits here and not on a database connection. Nothing was done, so every
 * call may be sent again.
 */
async function retryWhileBusy<Result>(
  share: number,
  deadline: number,
  least: number,
  attempt: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  let limit = share;
  for (let pause = SHORTEST_BUSY_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_BUSY_PAUSE_MS)) {
    try {
      return await attempt(AbortSignal.timeout(limit));
    } catch (error) {
      if (!(error instanceof CallFailure) || error.transient !== 'busy') throw error;
      const wait = pause * (0.5 + Math.random());
      const left = Math.floor(deadline - Date.now() - wait);
      if (left < least) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
      limit = Math.min(share, left);
    }
  }
}

function asFailure(error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  throw error;
}
