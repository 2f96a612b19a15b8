import { describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { badSessions } from '../support/bad-sessions.ts';
import { emptyProject } from '../support/empty-project.ts';
import { operations, PUBLIC, runnerOperations, sessionOperations } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { lineTo } from '../support/requests.ts';

const admin = await newAdmin();
const sessions = await badSessions(admin.userId);

describe.each(sessionOperations)('$line', ({ line }) => {
  it.each(sessions)(`${line} with $how -> 401 $code`, async ({ header, code }) => {
    const headers = header === undefined ? {} : { authorization: header };
    expectProblem(await call(lineTo(line), { headers }), 401, code);
  });

  it(`${line} with a valid session -> not 401`, async () => {
    const answer = await call(lineTo(line), { token: admin.token });
    expect([200, 404, 415]).toContain(answer.status);
    expect(answer.headers.get('www-authenticate')).toBeNull();
  });

  it(`${line} with no token and any body -> 401`, async () => {
    const body = line.startsWith('GET') ? undefined : '{';
    expectProblem(await call(lineTo(line), { body }), 401, 'authentication_required');
  });
});

describe.each(runnerOperations)('$line', ({ line }) => {
  it.each(sessions)(`${line} with $how -> 401`, async ({ header }) => {
    const headers = header === undefined ? {} : { authorization: header };
    const otherwise = isBearerOfJwtForm(header) ? 'machine_token_required' : 'token_invalid';
    const code = header === undefined ? 'authentication_required' : otherwise;
    expectProblem(await call(lineTo(line), { headers }), 401, code);
  });

  it(`${line} with a good session -> 401 machine_token_required`, async () => {
    expectProblem(await call(lineTo(line), { token: admin.token }), 401, 'machine_token_required');
  });
});

const isBearerOfJwtForm = (header = '') => /^Bearer [\w-]+\.[\w-]+\.[\w-]*$/.test(header);

describe('what anyone may ask', () => {
  it('is exactly this', () => {
    expect(operations.filter(({ security }) => security.length === 0).map(({ line }) => line)).toEqual(
      PUBLIC,
    );
  });

  it.each([...PUBLIC, 'GET /openapi.json'])('%s without a token -> 200', async (line) => {
    const answer = await call(line, { env: await emptyProject() });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each(PUBLIC)('%s with a bad token -> 200: no token is required', async (line) => {
    expect((await call(line, { token: 'garbage', env: await emptyProject() })).status).toBe(200);
  });
});
