/** The rules that every problem of the API meets: complete by RFC 9457, never cached, with a challenge if it is a 401. */
import { expect } from 'vitest';
import { PROBLEM_CODES, type ProblemCode } from '../../src/problem.ts';
import type { Answer } from './api.ts';

/** Temporary problems. A 503 with any other code lasts until the operator acts, and has no Retry-After. */
const PASSING: readonly ProblemCode[] = [
  'auth_unavailable',
  'database_busy',
  'database_rejects_token',
  'database_unavailable',
  'master_key_unavailable',
  'rate_limited',
];
const MEMBERS = ['code', 'detail', 'request_id', 'status', 'title', 'type'];
const WITHOUT_A_TOKEN = 'Bearer realm="trading-keys"';

export function expectProblem(answer: Answer, status: number, code: ProblemCode): void {
  const { errors, ...members } = answer.json ?? {};
  // The code first, because it says most about a difference.
  expect({ status: answer.status, code: members.code }).toEqual({ status, code });
  expect(Object.keys(members).sort()).toEqual(MEMBERS);
  expect(members).toMatchObject({
    status,
    type: `/docs#problem-${code}`,
    title: expect.stringMatching(/^\S/),
    detail: expect.stringMatching(/^\S/),
    request_id: answer.headers.get('x-request-id'),
  });
  expect(PROBLEM_CODES).toContain(members.code);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('www-authenticate')).toEqual(challengeFor(status, code));
  expect(answer.headers.has('retry-after')).toBe(PASSING.includes(code));
  for (const part of errors ?? []) {
    expect(part).toEqual({
      ...(part.parameter === undefined
        ? { pointer: expect.stringMatching(/^(\/[^/]+)*$/) }
        : { parameter: expect.any(String) }),
      code: expect.stringMatching(/^[a-z_]+$/),
      detail: expect.any(String),
    });
  }
}

/** RFC 6750, section 3: an error is named only if a token was sent; RFC 9470 if another sign-in would help. */
function challengeFor(status: number, code: ProblemCode): unknown {
  if (['second_factor_required', 'sign_in_too_old'].includes(code)) {
    return expect.stringContaining(`${WITHOUT_A_TOKEN}, error="insufficient_user_authentication"`);
  }
  if (status !== 401) return null;
  return code === 'authentication_required' ? WITHOUT_A_TOKEN : `${WITHOUT_A_TOKEN}, error="invalid_token"`;
}
