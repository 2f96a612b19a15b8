/** What the database API answers, read to its end: JSON of a success, or a `CallFailure` that says what to do. */
import { fetchWhole } from '../fetch-whole.ts';
import { Problem, type ProblemCode } from '../problem.ts';
import { type DatabaseError, problemOf } from './errors.ts';
import type { Session } from './session.ts';

/** The database ends a page at 512 KiB; nothing else that it returns is as large. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/**
 * What is known of a call that failed in a way that may pass. `unknown`: whether it was carried out is not known, so that
 * it is repeated only if doing it twice is doing it once. `undone`: the database rolled it back. `rejected`: the token or
 * the API key was rejected before the call began, as hosted projects do for a second where their clocks differ.
 */
export type Passing = 'unknown' | 'undone' | 'rejected';

/** SQLSTATE of transactions that the database ended in favour of another one: class 40, where it is certain. */
const UNDONE = ['40001', '40P01'];
/** No connection was free, which is over sooner than what takes long or waits for a row. */
const TOO_MANY_CONNECTIONS = '53300';

const REJECTED: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'database_rejects_token',
  'publishable_key_rejected',
]);

export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly problem: Problem;
  readonly passing: Passing | undefined;
  /** What the answer asks for, in milliseconds (RFC 9110, section 10.2.3). */
  readonly retryAfterMs: number;

  constructor(problem: Problem, passing: Passing | undefined, retryAfterMs = 0) {
    super(problem.code);
    this.problem = problem;
    this.passing = passing;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @param session that the call runs under @throws {CallFailure} */
export async function fetchAnswer(url: string, init: RequestInit, session?: Session): Promise<unknown> {
  const { status, headers, text } = await fetchWhole(url, init, MAX_ANSWER_BYTES).catch(() => {
    throw new CallFailure(new Problem('database_unavailable'), 'unknown');
  });
  const value = parseJson(text);
  if (value !== undefined && status >= 200 && status < 300) return value;
  // What is no JSON, also with 200, is somebody else's answer: of a proxy, a login, a pause.
  const error = errorIn(value);
  const problem = problemOf(error, status, session);
  throw new CallFailure(problem, passingOf(error, problem), retryAfter(headers.get('retry-after')));
}

function passingOf({ code }: DatabaseError, problem: Problem): Passing | undefined {
  if (REJECTED.has(problem.code)) return 'rejected';
  if (UNDONE.includes(code ?? '')) return 'undone';
  return problem.code === 'database_unavailable' || code === TOO_MANY_CONNECTIONS ? 'unknown' : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of PostgREST; others in front of it answer objects with members of these names and other types. */
function errorIn(value: unknown): DatabaseError {
  const { code, hint }: Record<string, unknown> = { ...(value as object) };
  return { ...(typeof code === 'string' && { code }), hint };
}

/** Seconds; a date too, of which clocks that differ make anything, so that it counts as a refusal to be asked. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  return /^\d+$/.test(header) ? Number(header) * 1000 : Number.POSITIVE_INFINITY;
}
