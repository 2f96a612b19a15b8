/** Every failure that this API reports, as RFC 9457 problems. The set of codes is closed, and a code never changes. */
import { AUTHENTICATION_PROBLEMS } from './problems/authentication.ts';
import { JSON_RPC_PROBLEMS } from './problems/json-rpc.ts';
import { KEY_PROBLEMS } from './problems/keys.ts';
import type { ProblemText } from './problems/problem-text.ts';
import { READINESS_PROBLEMS } from './problems/readiness.ts';
import { REQUEST_PROBLEMS } from './problems/requests.ts';
import { RESOURCE_PROBLEMS } from './problems/resources.ts';
import { REST_API_PROBLEMS } from './problems/rest-api.ts';
import { SERVICE_PROBLEMS } from './problems/service.ts';
import { SIGNING_PROBLEMS } from './problems/signing.ts';

const CATALOGUE = {
  ...REQUEST_PROBLEMS,
  ...AUTHENTICATION_PROBLEMS,
  ...RESOURCE_PROBLEMS,
  ...KEY_PROBLEMS,
  ...SIGNING_PROBLEMS,
  ...JSON_RPC_PROBLEMS,
  ...REST_API_PROBLEMS,
  ...SERVICE_PROBLEMS,
  ...READINESS_PROBLEMS,
};

export type ProblemCode = keyof typeof CATALOGUE;

/** By status, then by area. */
export const PROBLEM_CODES = (Object.keys(CATALOGUE) as [ProblemCode, ...ProblemCode[]]).sort(
  (a, b) => CATALOGUE[a][0] - CATALOGUE[b][0],
);

/** One fault of the request, and its place: a JSON pointer into the body (RFC 6901), or the name of a parameter. */
export interface ProblemPart {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly code: string;
  readonly detail: string;
}

/** Thrown to reject a request. It must not contain any value of the request. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly ProblemPart[];
  /** Headers of the response. They replace the default headers of the code. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    errors: readonly ProblemPart[] = [],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code);
    this.code = code;
    this.errors = errors;
    this.headers = headers;
  }

  get status() {
    return CATALOGUE[this.code][0];
  }

  get title(): string {
    return CATALOGUE[this.code][1];
  }

  /** The `detail` of the response. */
  get remedy(): string {
    return CATALOGUE[this.code][2];
  }
}

export function isProblemCode(text: unknown): text is ProblemCode {
  return typeof text === 'string' && Object.hasOwn(CATALOGUE, text);
}

/** The response for a problem, as `application/problem+json`. */
export function problemResponse(
  problem: Problem,
  requestId: string,
  headers: Record<string, string> = {},
): Response {
  // The literal types of most entries lack the optional `Retry-After`.
  const entry: ProblemText = CATALOGUE[problem.code];
  const [status, title, detail, retryAfter] = entry;
  const body = {
    // A relative reference, so that it can be opened at every URL of the API (RFC 9457, section 3.1.1).
    type: `/docs#problem-${problem.code}`,
    title,
    status,
    detail,
    request_id: requestId,
    code: problem.code,
    ...(problem.errors.length > 0 && { errors: problem.errors }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
      ...((status === 401 || problem.code === 'second_factor_required') && {
        'www-authenticate': challenge(problem.code),
      }),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      ...problem.headers,
      ...headers,
    },
  });
}

/** RFC 6750, section 3: without a token, the challenge has no error code. */
function challenge(code: ProblemCode): string {
  const realm = 'Bearer realm="trading-keys"';
  switch (code) {
    case 'authentication_required':
      return realm;
    case 'second_factor_required':
      return stepUpChallenge({ requireAal2: true });
    case 'sign_in_too_old':
      return stepUpChallenge({});
    default:
      return `${realm}, error="invalid_token"`;
  }
}

/** The sign-in that the caller needs (RFC 9470, section 3). */
export function stepUpChallenge(required: {
  requireAal2?: boolean;
  maxSignInAgeSeconds?: number | undefined;
}): string {
  return [
    'Bearer realm="trading-keys", error="insufficient_user_authentication"',
    ...(required.requireAal2 ? ['acr_values="aal2"'] : []),
    ...(required.maxSignInAgeSeconds === undefined ? [] : [`max_age="${required.maxSignInAgeSeconds}"`]),
  ].join(', ');
}
