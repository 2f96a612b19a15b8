/** Tokens that Supabase's OAuth 2.1 server issues to another program for an account of ours: genuine, but rejected. */
import { describe, expect, inject, it } from 'vitest';
import { call, settings } from '../support/api.ts';
import { newHostedProject, newSigningKey } from '../support/hosted-sessions.ts';
import { sessionOperations } from '../support/operations.ts';
import { accessToken, newAdmin, newClient, type TokenClaims } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';

const client_id = crypto.randomUUID();
const [admin, owner] = [await newAdmin(), await newClient()];
const key = await newSigningKey('ES256');
const project = await newHostedProject([key]);

const path = (line: string) => line.replaceAll(/\{\w+\}/g, owner.clientId);

describe.each(sessionOperations.map(({ line, takesBody }) => [line, takesBody] as const))(
  '%s',
  (line, takesBody) => {
    it.each([
      ['an admin', admin],
      ['a client', owner],
    ])(
      'with a token that another program has of %s -> 403, and nothing is asked of the database',
      async (_, { userId }) => {
        const before = await project.counts();
        const token = await project.token(key, { sub: userId, client_id, scope: 'openid email' });
        expectProblem(
          await call(path(line), { token, env: project.settings, ...(takesBody && { body: '{' }) }),
          403,
          'oauth_token_rejected',
        );
        expect((await project.counts()).restCalls).toBe(before.restCalls);
      },
    );
  },
);

it('under a secret -> rejected too; the same session without client_id -> 200', async () => {
  const token = await accessToken({ sub: owner.userId, client_id });
  expectProblem(await call('GET /clients/me', { token, env: settings() }), 403, 'oauth_token_rejected');
  expect((await call('GET /clients/me', { token: owner.token })).status).toBe(200);
});

it('directly at the REST API -> reads and changes nothing', async () => {
  const rest = async (line: string, claims: TokenClaims, body?: object) => {
    const [method = '', where = ''] = line.split(' ');
    const response = await fetch(`${inject('supabaseUrl')}/rest/v1/${where}`, {
      method,
      headers: {
        apikey: inject('publishableKey'),
        authorization: `Bearer ${await accessToken({ ...claims })}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return [response.status, JSON.parse((await response.text()) || 'null')];
  };
  const [ofAdmin, ofOwner] = [admin, owner].map(({ userId: sub }) => ({ sub, client_id }));
  for (const claims of [ofAdmin, ofOwner]) {
    expect(await rest('GET clients?select=id', claims ?? {})).toEqual([200, []]);
    const [status, problem] = await rest('POST rpc/create_client', claims ?? {}, {
      name: 'x',
      email: 'x@example.test',
    });
    expect([status, problem.hint]).toEqual([403, 'admin_required']);
  }
  expect((await rest('POST rpc/get_own_client', ofOwner ?? {}))[0]).toBe(404);
  expect(await rest('GET clients?select=id', { sub: owner.userId })).toEqual([200, [{ id: owner.clientId }]]);
});
