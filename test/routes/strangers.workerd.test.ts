/** Another client's resources do not exist: the response equals, byte for byte, that for an id that does not exist. */
import { describe, expect, it } from 'vitest';
import { type Answer, call } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { sessionOperations } from '../support/operations.ts';
import { newAccount, newAdmin, newClient } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { bodyOf, lineTo } from '../support/requests.ts';

const [admin, owner, stranger, nobody] = await Promise.all([
  newAdmin(),
  newClientWithBot(),
  newClientWithBot(),
  newAccount(),
]);
/** Reads come first, because they change nothing for the later requests. The revocation comes last. */
const ABOUT_A_CLIENT = sessionOperations
  // Operations that do not concern one client. For machine tokens see tokens.workerd.test.ts and runner.workerd.test.ts.
  .filter(({ path }) => path.includes('{id}') || path === '/bots/create')
  .filter(({ path }) => path !== '/tokens/{id}')
  .sort((one, other) => Number(one.line.startsWith('DELETE')) - Number(other.line.startsWith('DELETE')));
const ADMINS_ONLY = ['POST /bots/create', 'POST /bots/{id}/wallets'];

function ask(line: string, token: string, target: { clientId: string; botId: string }): Promise<Answer> {
  return call(lineTo(line, target), {
    token,
    headers: { 'x-request-id': 'the-same' },
    body: bodyOf(line, target),
  });
}

const absent = () => ({ clientId: crypto.randomUUID(), botId: crypto.randomUUID() });
const bytes = ({ status, text, headers }: Answer) => ({ status, text, headers: [...headers] });

describe.each(ABOUT_A_CLIENT)('$line', ({ line }) => {
  it.each([
    ['another client', stranger],
    ['an account without a client', nobody],
  ])(`${line} by %s -> 404, the same as for an absent id`, async (_, { token }) => {
    const answer = await ask(line, token, owner);
    expectProblem(answer, 404, 'resource_not_found');
    expect(bytes(answer)).toEqual(bytes(await ask(line, token, absent())));
  });

  it(`${line} by an admin with an absent id -> the same 404`, async () => {
    expect(bytes(await ask(line, admin.token, absent()))).toEqual(
      bytes(await ask(line, stranger.token, owner)),
    );
  });

  if (ADMINS_ONLY.includes(line)) {
    it(`${line} by the client itself -> 403`, async () => {
      expectProblem(await ask(line, owner.token, owner), 403, 'admin_required');
    });
    it(`${line} by an admin -> 201`, async () => {
      expect((await ask(line, admin.token, owner)).status).toBe(201);
    });
  } else {
    it.each([
      ['the client itself', (own: typeof owner) => own.token],
      ['an admin', () => admin.token],
    ])(`${line} by %s -> 2xx`, async (_, token) => {
      const own = await newClientWithBot();
      expect([200, 201]).toContain((await ask(line, token(own), own)).status);
    });
  }
});

describe('lists', () => {
  it('GET /clients by a client -> only that client', async () => {
    const answer = await call('GET /clients', { token: stranger.token });
    expect(answer.json.items.map(({ id }: { id: string }) => id)).toEqual([stranger.clientId]);
  });

  it('GET /clients by an account without a client -> an empty list', async () => {
    expect((await call('GET /clients', { token: nobody.token })).json).toEqual({
      items: [],
      next_cursor: null,
    });
  });

  it.each(['GET /keys/status', 'GET /events', 'GET /events/checkpoints'])(
    '%s by a client, or by an account without one -> 403, by an admin -> 200',
    async (line) => {
      for (const { token } of [owner, nobody]) {
        expectProblem(await call(line, { token }), 403, 'admin_required');
      }
      expect((await call(line, { token: admin.token })).status).toBe(200);
    },
  );

  it('POST /clients by a client, or by an account without a client -> 403', async () => {
    const body = { name: 'Mine', email: `${crypto.randomUUID()}@example.test` };
    for (const { token } of [await newClient(), nobody]) {
      expectProblem(await call('POST /clients', { token, body }), 403, 'admin_required');
    }
    expect((await call('POST /clients', { token: admin.token, body })).status).toBe(201);
  });
});
