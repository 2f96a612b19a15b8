/** Writes `docs/reference/problems.md` from the catalogue of problems. */
import { PROBLEM_CODES, Problem, type ProblemCode, problemResponse } from '../../../src/problem.ts';
import { READINESS_PROBLEMS } from '../../../src/problems/readiness.ts';
import { REST_API_PROBLEMS } from '../../../src/problems/rest-api.ts';
import { code, heading } from './markdown.ts';

const GROUPS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'The token is missing, not valid or too old',
  403: 'The caller is not permitted to do this',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'The request is valid, but conflicts with the current state',
  413: 'The body is too large',
  415: 'The Content-Type is not supported',
  422: 'A field or parameter is not valid',
  429: 'Too many requests',
  500: 'The service has failed',
  503: 'The service is not available or not configured',
};

interface Entry {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryAfter: string | null;
}

/** The problem as a caller receives it. */
async function entryOf(code: ProblemCode): Promise<Entry> {
  const response = problemResponse(new Problem(code), '');
  const { status, title, detail } = (await response.json()) as Entry;
  return { code, status, title, detail, retryAfter: response.headers.get('retry-after') };
}

const entryText = ({ code, title, detail, retryAfter }: Entry): string => `
### ${code}

**${title}.** ${detail}${retryAfter === null ? '' : ` \`Retry-After: ${retryAfter}\`.`}
`;

const codesIn = (problems: object) => Object.keys(problems).map(code).join(', ');

export async function problemsPage(): Promise<string> {
  const entries = await Promise.all(PROBLEM_CODES.map(entryOf));
  const statuses = [...new Set(entries.map(({ status }) => status))].sort((a, b) => a - b);
  return `${heading('Problems', '`src/problems/`')}
Every error response of the API is a problem document (RFC 9457, \`application/problem+json\`). The only exception is the 503 of
\`GET /ready\`, which lists the dependencies. The \`code\` of a problem is one of the codes below. This set is closed, and the meaning of a
code never changes. \`title\` says what is wrong, \`detail\` says what to do, and \`errors\` names the fields. A problem never repeats a
value of the request.

A 503 with \`Retry-After\` is usually temporary: retry the request. A 503 without it lasts until the operator acts. A fault of the
service is never reported as a fault of the caller: if the database rejects a valid token, the status is 503 and not 401.

Some codes are not the response of a request to this API:

- ${codesIn(READINESS_PROBLEMS)}: only in \`GET /ready\`, as failing dependencies, and in the log of the cron job. The
  status of \`GET /ready\` is 503 only for \`step_up_settings_mismatch\`, and for \`master_keys_incomplete\` if no envelope of several clients can be decrypted.
- ${codesIn(REST_API_PROBLEMS)}: only directly at the REST API of the database, or for SQL of the operator.
${statuses
  .map(
    (status) => `
## ${status}: ${GROUPS[status] ?? 'other'}
${entries
  .filter((entry) => entry.status === status)
  .map(entryText)
  .join('')}`,
  )
  .join('')}`;
}
