import { isProblemCode, Problem, type ProblemCode } from '../problem.ts';
import type { Session } from './session.ts';

/** An error of PostgREST, or of a gateway in front of it. */
export interface DatabaseError {
  readonly code?: string;
  /** The code of the problem, if a function of this project raised it (`raise ... using hint`). */
  readonly hint?: unknown;
}

/**
 * The problem for each error, by SQLSTATE or by PostgREST's own code, never by message. An entry is a code or the first
 * characters of a class of codes. The longest entry that matches applies.
 *
 * An error that a value of the request can cause is a 4xx. An error that only the platform, its operator or this code can
 * cause is a 5xx.
 */
const CAUSES: Readonly<Partial<Record<ProblemCode, readonly string[]>>> = {
  data_not_storable: [
    // A text that is too long, a number out of range, a date that does not exist, a text that PostgreSQL cannot store.
    '22001 22003 22007 22008 22009 22021 22023 22P02 22P05',
    // A value that violates a constraint or exceeds a limit, such as the size of an index entry.
    '23 54000 54001',
    // PostgREST cannot parse the JSON. The edge serializes it, so only half of a surrogate pair in a text can cause this.
    'PGRST102',
  ],
  value_not_unique: ['23505 23P01'],
  permission_denied: ['42501'],
  // Deadlock, serialization failure, lock timeout, statement or transaction timeout, too many connections.
  database_busy: ['40001 40P01 55006 55P03 57014 25P03 25P04 53300'],
  // Standby, read-only mode of a hosted project, full disk.
  database_read_only: ['25006 53100'],
  // Connection, resources, shutdown, files, login of PostgREST, corruption; PostgREST without a connection.
  database_unavailable: ['08 28 40 53 57 58 F0 XX PGRST0 PGRSTX'],
  // A table, function or schema does not exist, or is not in PostgREST's schema cache.
  database_not_migrated: ['42P01 42883 3F000 PGRST106 PGRST2'],
  // PostgREST does not know the path in SUPABASE_URL.
  database_not_configured: ['PGRST125'],
  // PostgREST rejects the JWT before it begins a transaction.
  database_rejects_token: ['PGRST3'],
};

const BY_CODE: ReadonlyMap<string, ProblemCode> = new Map(
  Object.entries(CAUSES).flatMap(([problem, lists]) =>
    lists.flatMap((list) => list.split(' ')).map((code) => [code, problem as ProblemCode] as const),
  ),
);

/** The form of codes of PostgreSQL and PostgREST. Codes of gateways have other forms. */
const KNOWN_FORM = /^(?:[0-9A-Z]{5}|PGRST[0-9A-Z]{3})$/;

/** A problem that a database function of this project raised. So the call reached the database. */
export class RaisedProblem extends Problem {}

/**
 * The problem of a failed call.
 *
 * @param status the HTTP status
 * @param session the session of the call; calls of machine tokens and of the edge have no session
 * @param now milliseconds since the epoch
 */
export function problemOf(
  { code = '', hint }: DatabaseError,
  status: number,
  session?: Session,
  now = Date.now(),
): Problem {
  if (code.startsWith('PT') && isProblemCode(hint)) {
    // The database counts by the minute.
    return new RaisedProblem(hint, [], hint === 'rate_limited' ? { 'retry-after': '60' } : undefined);
  }
  const problem = causeOf(code, status);
  // The edge has verified the token. So it is a fault of the caller only if the token has expired since then.
  if (problem === 'database_rejects_token' && session && session.expiresAt * 1000 <= now)
    return new Problem('token_expired');
  // Without a session, a permission is denied only if a grant of the migrations is missing.
  if (problem === 'permission_denied' && !session) return new Problem('database_not_migrated');
  return new Problem(problem);
}

function causeOf(code: string, status: number): ProblemCode {
  if (KNOWN_FORM.test(code)) {
    for (let length = code.length; length >= 2; length--) {
      const cause = BY_CODE.get(code.slice(0, length));
      if (cause !== undefined) return cause;
    }
    // A mistake in a function (21000, P0001), or a request of the edge that PostgREST rejects.
    return 'internal_error';
  }
  // The gateway checks the API key before it forwards the call to PostgREST.
  if (status === 401) return 'publishable_key_rejected';
  return code !== '' && status < 500 ? 'internal_error' : 'database_unavailable';
}
