import type { Hook } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import type { AppEnv } from '../app-env.ts';
import { log } from '../log.ts';
import { Problem, type ProblemPart, problemResponse } from '../problem.ts';
import { reportRefusal } from './report-refusals.ts';

/** Converts every error to a response. An error that is not a Problem becomes a 500 without details. */
export function handleError(error: Error, c: Context<AppEnv>): Response {
  const problem = asProblem(error, c);
  reportRefusal(c, problem);
  return respondWithProblem(c, problem);
}

/** Returns the response for a problem. The log line of the request has its code. */
export function respondWithProblem(
  c: Context<AppEnv>,
  problem: Problem,
  headers?: Record<string, string>,
): Response {
  c.set('problemCode', problem.code);
  return problemResponse(problem, c.get('requestId'), headers);
}

/** A problem for every error. Any other error is logged. */
export function asProblem(error: unknown, c: Context<AppEnv>): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HTTPException && error.status === 400) return new Problem('json_malformed');
  if (error instanceof HTTPException && error.status === 415) return new Problem('media_type_unsupported');
  // Only the name is logged, because the message may quote a value of the request.
  log({ event: 'unexpected_error', level: 'error', request_id: c.get('requestId'), error: nameOf(error) });
  return new Problem('internal_error');
}

const nameOf = (error: unknown) => (error instanceof Error ? error.name : typeof error);

/** Rejects a request that its schema rejects. The response repeats no values, and only names that a schema could have. */
export const rejectInvalid: Hook<unknown, AppEnv, string, unknown> = (result) => {
  if (result.success) return;
  throw new Problem(
    'validation_failed',
    (result.error.issues as z.core.$ZodIssue[]).slice(0, 20).map((issue) => ({
      ...place(result.target, issue.path),
      code: issue.code,
      detail: issue.code === 'unrecognized_keys' ? unknownFields(issue) : issue.message,
    })),
  );
};

function place(target: string, path: PropertyKey[]): Partial<ProblemPart> {
  if (target !== 'json') return { parameter: plainName(path[0]) };
  return { pointer: jsonPointer(path) };
}

/** A JSON pointer (RFC 6901) without names that no schema could have. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${plainName(part)}`).join('');
}

function unknownFields({ keys, message }: { readonly keys: readonly string[]; readonly message: string }) {
  return `unknown: ${keys.slice(0, 5).map(plainName).join(', ')}; ${message}`;
}

/** A private key that was sent as the name of a field must not be repeated. Only short words and indexes are. */
function plainName(part: PropertyKey | undefined): string {
  const text = String(part ?? '');
  return /^([a-z]{1,16}(_([a-z]{1,16}|\d{1,3}[a-z]?)){0,3}|\d{1,4})$/.test(text) ? text : '(not shown)';
}
