import { describe, expect, it } from 'vitest';
import { problemOf } from '../../src/database/errors.ts';
import { PROBLEM_CODES, type ProblemCode } from '../../src/problem.ts';

describe('errors that our functions raise', () => {
  it.each(PROBLEM_CODES)('PT with the hint %s -> that problem', (hint) => {
    expect(problemOf({ code: 'PT409', hint }, 409).code).toBe(hint);
  });

  it.each([
    ['a hint that is not a code', { code: 'PT405', hint: 'append_only' }, 405],
    ['a hint named as a property of every object', { code: 'PT400', hint: 'constructor' }, 400],
    ['no hint', { code: 'PT400', hint: null }, 400],
    ['the hint of somebody else', { code: 'P0001', hint: 'resource_not_found' }, 400],
  ])('%s -> internal_error', (_, error, status) => {
    expect(problemOf(error, status).code).toBe('internal_error');
  });
});

/** A session whose access token is valid for another hour. */
const session = { token: 'x', expiresAt: Date.now() / 1000 + 3600 };

describe('errors of PostgreSQL and PostgREST', () => {
  it.each<[string, number, ProblemCode, number]>([
    // A value of the request.
    ['22001', 400, 'data_not_storable', 400],
    ['22003', 400, 'data_not_storable', 400],
    ['22007', 400, 'data_not_storable', 400],
    ['22008', 400, 'data_not_storable', 400],
    ['22009', 400, 'data_not_storable', 400],
    ['22P02', 400, 'data_not_storable', 400],
    ['22P05', 400, 'data_not_storable', 400],
    ['22021', 400, 'data_not_storable', 400],
    ['22023', 400, 'data_not_storable', 400],
    ['23502', 400, 'data_not_storable', 400],
    ['23503', 409, 'data_not_storable', 400],
    ['23505', 409, 'value_not_unique', 409],
    ['23514', 400, 'data_not_storable', 400],
    ['23P01', 400, 'value_not_unique', 409],
    ['54000', 413, 'data_not_storable', 400],
    ['54001', 413, 'data_not_storable', 400],
    ['PGRST102', 400, 'data_not_storable', 400],
    ['42501', 401, 'permission_denied', 403],
    ['42501', 403, 'permission_denied', 403],
    // What passes.
    ['25P03', 500, 'database_busy', 503],
    ['25P04', 500, 'database_busy', 503],
    ['40001', 500, 'database_busy', 503],
    ['40P01', 500, 'database_busy', 503],
    ['53300', 503, 'database_busy', 503],
    ['55006', 500, 'database_busy', 503],
    ['55P03', 500, 'database_busy', 503],
    ['57014', 500, 'database_busy', 503],
    ['PGRST300', 500, 'database_rejects_token', 503],
    ['PGRST301', 401, 'database_rejects_token', 503],
    ['PGRST302', 401, 'database_rejects_token', 503],
    ['PGRST303', 401, 'database_rejects_token', 503],
    ['08006', 503, 'database_unavailable', 503],
    ['28P01', 403, 'database_unavailable', 503],
    ['40003', 500, 'database_unavailable', 503],
    ['53200', 503, 'database_unavailable', 503],
    ['57P01', 503, 'database_unavailable', 503],
    ['58030', 500, 'database_unavailable', 503],
    ['XX000', 500, 'database_unavailable', 503],
    ['PGRST000', 503, 'database_unavailable', 503],
    ['PGRST001', 503, 'database_unavailable', 503],
    ['PGRST002', 503, 'database_unavailable', 503],
    ['PGRST003', 504, 'database_unavailable', 503],
    ['PGRSTX00', 500, 'database_unavailable', 503],
    // Errors that the operator must fix.
    ['25006', 405, 'database_read_only', 503],
    ['53100', 503, 'database_read_only', 503],
    ['3F000', 404, 'database_not_migrated', 503],
    ['42883', 404, 'database_not_migrated', 503],
    ['42P01', 404, 'database_not_migrated', 503],
    ['PGRST106', 406, 'database_not_migrated', 503],
    ['PGRST202', 404, 'database_not_migrated', 503],
    ['PGRST203', 300, 'database_not_migrated', 503],
    ['PGRST205', 404, 'database_not_migrated', 503],
    ['PGRST125', 404, 'database_not_configured', 503],
    // A mistake of ours: an UPDATE without WHERE under safeupdate, an error without a code of its own.
    ['21000', 400, 'internal_error', 500],
    ['22012', 400, 'internal_error', 500],
    ['25001', 500, 'internal_error', 500],
    ['42703', 400, 'internal_error', 500],
    ['P0001', 400, 'internal_error', 500],
    ['P0002', 500, 'internal_error', 500],
    ['P0004', 500, 'internal_error', 500],
    ['PT500', 500, 'internal_error', 500],
  ])('%s with %i -> %s', (code, status, problem, answered) => {
    const { code: found, status: answeredStatus, errors } = problemOf({ code }, status, session);
    expect([found, answeredStatus, errors]).toEqual([problem, answered, []]);
  });

  it.each(
    Array.from({ length: 29 }, (_, i) => `PGRST${100 + i}`).filter(
      (code) => !['PGRST102', 'PGRST106', 'PGRST125'].includes(code),
    ),
  )('%s, a request of ours that PostgREST rejects -> internal_error', (code) => {
    for (const status of [400, 404, 405, 406, 415, 416, 500])
      expect(problemOf({ code }, status, session).code).toBe('internal_error');
  });

  it('42501 without a session -> the grants of the migrations are missing', () => {
    for (const status of [401, 403])
      expect(problemOf({ code: '42501' }, status).code).toBe('database_not_migrated');
  });

  it.each<[string, number, ProblemCode]>([
    ['no answer', 0, 'database_unavailable'],
    ['a page', 404, 'database_unavailable'],
    ['a server error', 500, 'database_unavailable'],
    ['a bad gateway', 502, 'database_unavailable'],
    ['a rejected API key', 401, 'publishable_key_rejected'],
  ])('%s (%i) without a code -> %s', (_, status, problem) => {
    for (const one of [session, undefined]) {
      expect(problemOf({}, status, one).code).toBe(problem);
      expect(problemOf({ code: '' }, status, one).code).toBe(problem);
    }
  });

  it.each<[string, number, ProblemCode]>([
    ['UNAUTHORIZED_INVALID_API_KEY', 401, 'publishable_key_rejected'],
    ['too_many_requests', 429, 'internal_error'],
    ['SUP', 500, 'database_unavailable'],
    ['constructor', 400, 'internal_error'],
  ])('%s of a gateway with %i -> %s', (code, status, problem) => {
    expect(problemOf({ code }, status, session).code).toBe(problem);
  });
});

describe('a rejected token', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  const expiringIn = (seconds: number) => ({ token: 'x', expiresAt: now / 1000 + seconds });

  it.each(['PGRST301', 'PGRST302', 'PGRST303'])('%s -> token_expired only if it has expired here', (code) => {
    const of = (seconds: number) => problemOf({ code }, 401, expiringIn(seconds), now).code;
    expect([of(3600), of(1)]).toEqual(['database_rejects_token', 'database_rejects_token']);
    expect([of(0), of(-1)]).toEqual(['token_expired', 'token_expired']);
  });

  it.each(['PGRST301', 'PGRST302', 'PGRST303'])(
    '%s without a session -> not token_expired: no token was sent',
    (code) => {
      expect(problemOf({ code }, 401, undefined, now).code).toBe('database_rejects_token');
    },
  );

  it('an expired token does not change the problem of another error', () => {
    expect(problemOf({}, 401, expiringIn(-1), now).code).toBe('publishable_key_rejected');
    expect(problemOf({ code: '40001' }, 500, expiringIn(-1), now).code).toBe('database_busy');
  });
});
