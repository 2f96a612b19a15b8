/** Reports errors of PostgreSQL as PostgREST does. lite reports many of them as 500 "SUP" without the SQLSTATE. */

/** lite reports these codes, and all PT and PGRST codes, in the same way as PostgREST, or nearly so. */
const AS_LITE_REPORTS = /^(PT...|PGRST|22...|42...|23502|23503|23505|25006)$/;

const STATUSES: readonly (readonly [sqlstate: RegExp, status: number])[] = [
  [/^(08|53|57P01)/, 503],
  [/^P0001$/, 400],
  [/^(09|21|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|XX)/, 500],
  [/^(0L|0P|28)/, 403],
];

interface ServerError {
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
}

const isServerError = (error: unknown): error is ServerError =>
  error instanceof Error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code));

/** Converts an error for lite: the result looks like an error that a function raises with its own status. */
export function asPostgrestError(error: unknown): unknown {
  if (!isServerError(error) || AS_LITE_REPORTS.test(error.code)) return error;
  const { code, message, detail = null, hint = null } = error;
  const [, status] = STATUSES.find(([sqlstate]) => sqlstate.test(code)) ?? [code, 400];
  return Object.assign(new Error(JSON.stringify({ code, message, details: detail, hint })), {
    code: 'PGRST',
    detail: JSON.stringify({ status, headers: {} }),
  });
}
