import { describe, expect, it } from 'vitest';
import { problemOf } from '../../src/database/errors.ts';
import { PROBLEM_CODES, type ProblemCode } from '../../src/problem.ts';

describe('what our functions raise', () => {
  it.each(PROBLEM_CODES)('PT with the hint %s -> that problem', (hint) => {
    expect(problemOf({ code: 'PT409', hint }, 409).code).toBe(hint);
  });

  it.each([
    ['a hint that is no code', { code: 'PT405', hint: 'append_only' }, 405],
    ['a hint named as a property of every object', { code: 'PT400', hint: 'constructor' }, 400],
    ['no hint', { code: 'PT400', hint: null }, 400],
    ['the hint of somebody else', { code: 'P0001', hint: 'not_found' }, 400],
  ])('%s -> internal', (_, error, status) => {
    expect(problemOf(error, status).code).toBe('internal');
  });
});

describe('what PostgreSQL and PostgREST say', () => {
  it.each<[string, number, ProblemCode, number]>([
    ['22P02', 400, 'malformed_request', 400],
    ['22P05', 400, 'malformed_request', 400],
    ['22021', 400, 'malformed_request', 400],
    ['22023', 400, 'malformed_request', 400],
    ['23502', 400, 'malformed_request', 400],
    ['23503', 409, 'malformed_request', 400],
    ['23505', 409, 'conflict', 409],
    ['23514', 400, 'malformed_request', 400],
    ['3F000', 404, 'database_not_migrated', 503],
    ['40001', 500, 'database_busy', 503],
    ['40P01', 500, 'database_busy', 503],
    ['42501', 401, 'forbidden', 403],
    ['42501', 403, 'forbidden', 403],
    ['42883', 404, 'database_not_migrated', 503],
    ['42P01', 404, 'database_not_migrated', 503],
    ['53300', 503, 'database_busy', 503],
    ['55P03', 500, 'database_busy', 503],
    ['57014', 500, 'database_busy', 503],
    ['PGRST000', 503, 'database_unavailable', 503],
    ['PGRST002', 503, 'database_unavailable', 503],
    ['PGRST003', 504, 'database_unavailable', 503],
    ['PGRST106', 406, 'database_not_migrated', 503],
    ['PGRST202', 404, 'database_not_migrated', 503],
    ['PGRST205', 404, 'database_not_migrated', 503],
    ['PGRST301', 401, 'token_invalid', 401],
    ['PGRST302', 401, 'token_invalid', 401],
    ['PGRST303', 401, 'token_expired', 401],
    ['XX000', 500, 'database_unavailable', 503],
    ['P0001', 400, 'internal', 500],
  ])('%s with %s -> %s', (code, status, problem, answered) => {
    const { code: found, status: answeredStatus, errors } = problemOf({ code }, status);
    expect([found, answeredStatus, errors]).toEqual([problem, answered, []]);
  });

  it.each<[string, number, ProblemCode]>([
    ['no answer', 0, 'database_unavailable'],
    ['a page', 404, 'database_unavailable'],
    ['a server error', 500, 'database_unavailable'],
    ['a bad gateway', 502, 'database_unavailable'],
    ['a refused API key', 401, 'database_not_configured'],
  ])('%s (%i) without a code -> %s', (_, status, problem) => {
    expect(problemOf({}, status).code).toBe(problem);
    expect(problemOf({ code: '' }, status).code).toBe(problem);
  });
});
