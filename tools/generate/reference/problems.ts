/** `docs/reference/problems.md`, from the catalogue of problems. */
import { PROBLEM_CODES, Problem, type ProblemCode, problemResponse } from '../../../src/problem.ts';
import { heading } from './markdown.ts';

const GROUPS: Readonly<Record<number, string>> = {
  400: 'The request cannot be read',
  401: 'The caller is not known, or has to sign in again',
  403: 'The caller may not do this',
  404: 'Not found',
  405: 'The path has other methods',
  409: 'The request is right, and the present state does not allow it',
  413: 'The body is too large',
  415: 'The body has another format',
  422: 'The body or a parameter is wrong',
  429: 'Too many requests',
  500: 'A fault of the service',
  503: 'The service, or a part of it, is not available',
};

interface Entry {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly retryAfter: string | null;
}

/** As a caller sees it. */
async function entryOf(code: ProblemCode): Promise<Entry> {
  const response = problemResponse(new Problem(code), '');
  const { status, title, detail } = (await response.json()) as Entry;
  return { code, status, title, detail, retryAfter: response.headers.get('retry-after') };
}

const entryText = ({ code, title, detail, retryAfter }: Entry): string => `
### ${code}

**${title}.** ${detail}${retryAfter === null ? '' : ` \`Retry-After: ${retryAfter}\`.`}
`;

export async function problemsPage(): Promise<string> {
  const entries = await Promise.all(PROBLEM_CODES.map(entryOf));
  const statuses = [...new Set(entries.map(({ status }) => status))].sort((a, b) => a - b);
  return `${heading('Problems', '`src/problem.ts`')}
Every response that is not a success is a problem document (RFC 9457, \`application/problem+json\`). Its \`code\` is one of the codes
below: a closed set, of which a code never changes its meaning. \`title\` says what is wrong, \`detail\` says what to do, and \`errors\`
names the fields. A problem never repeats a value that was sent.

A 503 with \`Retry-After\` passes by itself. A 503 without it lasts until the operator acts. A fault of the platform is never reported
as a fault of the caller: a valid token that the database rejects is 503, and not 401.
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
