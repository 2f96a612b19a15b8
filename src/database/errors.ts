import { isProblemCode, Problem, type ProblemCode } from '../problem.ts';

/** What PostgREST, or the network before it, says went wrong. */
export interface DatabaseError {
  readonly code?: string;
  /** Our functions name the problem's code here (`raise ... using hint`). */
  readonly hint?: unknown;
}

/** By SQLSTATE or PostgREST's own code. Never by message. */
const BY_CODE: Readonly<Record<string, ProblemCode>> = {
  // text that PostgreSQL cannot store, and values its constraints refuse
  '22P02': 'malformed_request',
  '22P05': 'malformed_request',
  '22021': 'malformed_request',
  '22023': 'malformed_request',
  '23502': 'malformed_request',
  '23503': 'malformed_request',
  '23514': 'malformed_request',
  '23505': 'conflict',
  '42501': 'forbidden',
  // deadlock, serialization failure, lock timeout, statement timeout, too many connections
  '40P01': 'database_busy',
  '40001': 'database_busy',
  '55P03': 'database_busy',
  '57014': 'database_busy',
  '53300': 'database_busy',
  // no such function, table or schema
  '42P01': 'database_not_migrated',
  '42883': 'database_not_migrated',
  '3F000': 'database_not_migrated',
  PGRST106: 'database_not_migrated',
  PGRST202: 'database_not_migrated',
  PGRST205: 'database_not_migrated',
  // the token, judged a second time
  PGRST301: 'token_invalid',
  PGRST302: 'token_invalid',
  PGRST303: 'token_expired',
};

/** The problem to answer for a failed call; `status` is the HTTP status, 0 where there was no answer. */
export function problemOf(error: DatabaseError, status: number): Problem {
  if (error.code?.startsWith('PT') && isProblemCode(error.hint)) return new Problem(error.hint);
  // Its own members only: a code is text of somebody else's, and every object has a `constructor`.
  const code = Object.hasOwn(BY_CODE, error.code ?? '') ? BY_CODE[error.code ?? ''] : undefined;
  if (code) return new Problem(code);
  // Said before the database by what checks the API key; a refused token has a code, above.
  if (status === 401) return new Problem('database_not_configured');
  return new Problem(error.code && status < 500 ? 'internal' : 'database_unavailable');
}
