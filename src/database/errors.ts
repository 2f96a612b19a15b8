import { isProblemCode, Problem, type ProblemCode } from '../problem.ts';
import type { Session } from './session.ts';

/** What PostgREST, or the network before it, says went wrong. */
export interface DatabaseError {
  readonly code?: string;
  /** Our functions name the problem's code here (`raise ... using hint`). */
  readonly hint?: unknown;
}

/**
 * Which errors make which problem, by SQLSTATE or PostgREST's own code and never by message. An entry names a code, or a
 * class by the letters that its codes begin with. The longest entry that fits counts.
 *
 * A 4xx is what a value of the request can cause. What only the platform, its operator or our own code can cause is 5xx.
 */
const CAUSES: Readonly<Partial<Record<ProblemCode, readonly string[]>>> = {
  value_not_storable: [
    // A text too long, a number out of range, a date that does not exist, text that PostgreSQL cannot store or read.
    '22001 22003 22007 22008 22009 22021 22023 22P02 22P05',
    // A constraint that the value violates; a limit that it exceeds, such as the size of an index entry.
    '23 54000 54001',
    // JSON that PostgREST cannot parse. The edge itself writes JSON, so it is a text in it: half of a surrogate pair.
    'PGRST102',
  ],
  value_taken: ['23505 23P01'],
  permission_denied: ['42501'],
  // Deadlock, serialization failure, lock timeout, statement or transaction timeout, too many connections.
  database_busy: ['40001 40P01 55006 55P03 57014 25P03 25P04 53300'],
  // Standby, read-only mode of a hosted project, full disk.
  database_read_only: ['25006 53100'],
  // Connection, resources, shutdown, files, login of PostgREST, corruption; PostgREST without a connection.
  database_unavailable: ['08 28 40 53 57 58 F0 XX PGRST0 PGRSTX'],
  // No such table, function or schema; PostgREST does not find them in its schema cache.
  database_not_migrated: ['42P01 42883 3F000 PGRST106 PGRST2'],
  // PostgREST does not know the path in SUPABASE_URL.
  database_not_configured: ['PGRST125'],
  // The JWT of the call. PostgREST checks it before it begins a transaction.
  database_rejects_token: ['PGRST3'],
};

const BY_CODE: ReadonlyMap<string, ProblemCode> = new Map(
  Object.entries(CAUSES).flatMap(([problem, lists]) =>
    lists.flatMap((list) => list.split(' ')).map((code) => [code, problem as ProblemCode] as const),
  ),
);

/** A code of PostgreSQL or PostgREST. Gateways have others. */
const KNOWN_FORM = /^(?:[0-9A-Z]{5}|PGRST[0-9A-Z]{3})$/;

/** A problem that one of our own functions raised: the database was reached, and the function began. */
export class RaisedProblem extends Problem {}

/**
 * The problem to answer for a failed call.
 *
 * @param status the HTTP status
 * @param session that the call ran under; calls of machine tokens and of the edge itself have none
 * @param now milliseconds since the epoch
 */
export function problemOf(
  { code = '', hint }: DatabaseError,
  status: number,
  session?: Session,
  now = Date.now(),
): Problem {
  if (code.startsWith('PT') && isProblemCode(hint)) return new RaisedProblem(hint);
  const problem = causeOf(code, status);
  // The edge verified the token, so that the caller is not at fault for it unless it has expired meanwhile.
  if (problem === 'database_rejects_token' && session && session.expiresAt * 1000 <= now)
    return new Problem('token_expired');
  // Without a session it is a grant of the migrations that is missing.
  if (problem === 'permission_denied' && !session) return new Problem('database_not_migrated');
  return new Problem(problem);
}

function causeOf(code: string, status: number): ProblemCode {
  if (KNOWN_FORM.test(code)) {
    for (let length = code.length; length >= 2; length--) {
      const cause = BY_CODE.get(code.slice(0, length));
      if (cause !== undefined) return cause;
    }
    // A statement of ours that PostgreSQL does not carry out (21000, P0001), a request of ours that PostgREST rejects.
    return 'internal_error';
  }
  // The gateway checks the API key before PostgREST gets the call.
  if (status === 401) return 'publishable_key_rejected';
  return code !== '' && status < 500 ? 'internal_error' : 'database_unavailable';
}
