/**
 * Does for the ids of tokens, and for bots as runners name them, what test/routes/strangers does for the clients' routes.
 * Whole responses are compared, headers included. Every request sends the same request id, so that this header is equal.
 */
import { describe, expect, it } from 'vitest';
import { type Answer, call } from '../support/api.ts';
import { newClientWithBot } from '../support/bots.ts';
import { operations } from '../support/operations.ts';
import { newAdmin } from '../support/people.ts';
import { expectProblem } from '../support/problems.ts';
import { newClientWithRunner } from '../support/runners.ts';

const [victim, thief, admin] = await Promise.all([newClientWithRunner(), newClientWithRunner(), newAdmin()]);
const FOREIGN: Record<string, string> = {
  clients: victim.clientId,
  bots: victim.botId,
  tokens: victim.tokenId,
};
const headers = { 'x-request-id': 'the-same' };
const bytes = ({ status, text, headers }: Answer) => ({ status, text, headers: [...headers] });

async function expectTheSame(line: (id: string) => string, foreign: string, token: string, body?: object) {
  const ask = (id: string) => call(line(id), { token, headers, ...(body && { body }) });
  const answer = await ask(foreign);
  expect(bytes(answer)).toEqual(bytes(await ask(crypto.randomUUID())));
  expect(bytes(answer)).toEqual(bytes(await ask('00000000-0000-4000-8000-000000000000')));
  return answer;
}

describe('ids of another client and ids that do not exist get the same response, byte for byte', () => {
  it('DELETE /tokens/{id}', async () => {
    expectProblem(
      await expectTheSame((id) => `DELETE /tokens/${id}`, victim.tokenId, thief.token),
      404,
      'resource_not_found',
    );
    expect((await call('GET /runner/bots', { token: victim.machineToken })).status).toBe(200);
  });

  it.each<[string, object | undefined]>([
    ['sign', { type: 'evm.message', message: 'x' }],
    ['heartbeat', { status: 'ok' }],
  ])('POST /bots/{id}/%s with a token for another bot', async (path, body) => {
    const line = (id: string) => `POST /bots/${id}/${path}`;
    expectProblem(
      await expectTheSame(line, victim.botId, thief.machineToken, body),
      404,
      'resource_not_found',
    );
  });

  it('GET /runner/bots/{id} with a token for another bot', async () => {
    const line = (id: string) => `GET /runner/bots/${id}`;
    expectProblem(await expectTheSame(line, victim.botId, thief.machineToken), 404, 'resource_not_found');
  });

  it('POST /bots/{id}/sign with a wallet of another bot, by id and by address', async () => {
    const { json } = await call(`GET /bots/${victim.botId}`, { token: victim.token });
    for (const [foreign, absent] of [
      [json.wallets[0].id, crypto.randomUUID()],
      [json.wallets[0].address, '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf'],
    ]) {
      const ask = (wallet: string) =>
        call(`POST /bots/${thief.botId}/sign`, {
          token: thief.machineToken,
          headers,
          body: { type: 'evm.message', message: 'x', wallet },
        });
      const answer = await ask(foreign);
      expectProblem(answer, 404, 'resource_not_found');
      expect(bytes(answer)).toEqual(bytes(await ask(absent)));
    }
  });

  it('POST /bots/{id}/tokens for an own bot and a bot of another client', async () => {
    const ask = (other: string) =>
      call(`POST /bots/${thief.botId}/tokens`, {
        token: thief.token,
        headers,
        body: { name: 'A runner', other_bot_ids: [other] },
      });
    const answer = await ask(victim.botId);
    expectProblem(answer, 404, 'resource_not_found');
    expect(bytes(answer)).toEqual(bytes(await ask(crypto.randomUUID())));
  });

  it.each(['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    '%s of every path with an id',
    async (method) => {
      const paths = [...new Set(operations.map(({ path }) => path))].filter((path) => path.includes('{id}'));
      for (const path of [...paths, '/clients/{id}/nothing', '/bots/{id}/nothing']) {
        const foreign = FOREIGN[/(\w+)\/\{id\}/.exec(path)?.[1] ?? ''] ?? '';
        const line = (id: string) => `${method} ${path.replace('{id}', id)}`;
        const { status } = await expectTheSame(line, foreign, thief.token);
        expect([path, status >= 400]).toEqual([path, true]);
      }
    },
  );

  it('a cursor holds a time and does not show whose row it came from', async () => {
    const stranger = await newClientWithBot();
    for (const path of ['/clients', `/clients/${thief.clientId}/bots`]) {
      const ask = (cursor: string) => call(`GET ${path}?cursor=${cursor}`, { token: thief.token, headers });
      const next = stranger.clientId.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
      expect(bytes(await ask(stranger.clientId))).toEqual(bytes(await ask(next)));
    }
  });

  it('an admin gets the same response for an id that does not exist', async () => {
    const line = (id: string) => `DELETE /tokens/${id}`;
    const absent = await call(line(crypto.randomUUID()), { token: admin.token, headers });
    expect(bytes(absent)).toEqual(bytes(await call(line(victim.tokenId), { token: thief.token, headers })));
  });
});
