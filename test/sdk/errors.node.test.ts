import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { ApiProblem, createClient, findProblem, NoAnswer } from '../../src/sdk/client.ts';
import { freePort } from '../../tools/stack/ports.ts';
import { type Answer, hangUp, json, problem, type StandIn, silence, startStandIn } from './stand-in.ts';

const ID = '01a20567-9c9d-712c-b393-fbd8562d7591';
const TOKEN = 'tk_NeverInAnError';
const KEY = 'f00d'.repeat(16);

let server: StandIn | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const halfOfIt: Answer = (response) => response.writeHead(200, { 'content-length': '100' }).write('{');

async function failure(answer: Answer, token: string = TOKEN): Promise<unknown> {
  server = await startStandIn(answer);
  const timeoutMs = answer === silence || answer === halfOfIt ? 1000 : 30_000;
  const api = createClient({ url: server.url, token, timeoutMs, retries: 0 });
  return api.clients.setupBot(ID, { bot_type: 'evm-grid', private_key: KEY }).catch((error) => error);
}

describe('a rejected request', () => {
  test('throws an ApiProblem with code, status, request id and the invalid fields', async () => {
    const errors = [{ pointer: '/name', code: 'too_small', detail: 'too short' }];
    const error = await failure(
      json({ code: 'validation_failed', title: 'T', detail: 'D.', request_id: 'r-1', errors }, 422, {
        'content-type': 'application/problem+json',
      }),
    );
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error).toMatchObject({ code: 'validation_failed', status: 422, requestId: 'r-1', errors });
    expect((error as Error).message).toBe('POST /clients/{id}/setup-bot: 422 validation_failed: T. D.');
  });

  test('has the time to wait', async () => {
    const error = await failure(problem('database_busy', 503, { 'retry-after': '5' }));
    expect(error).toMatchObject({ code: 'database_busy', retryAfterMs: 5000 });
  });

  test('is found inside the errors of other libraries', async () => {
    const error = await failure(problem('bot_not_running', 409));
    const wrapped = new Error('viem', { cause: new Error('and viem again', { cause: error }) });
    expect(findProblem(wrapped)?.code).toBe('bot_not_running');
    expect([findProblem(new Error('no')), findProblem('text')]).toEqual([undefined, undefined]);
  });
});

describe('a response that is not from the API', () => {
  test.each<[string, Answer, number]>([
    ['a page of a proxy', (response) => response.writeHead(502).end('<html>'), 502],
    ['JSON of a proxy', json({ code: 'looks_like_one', detail: KEY }, 403), 403],
    ['a response that is not JSON', (response) => response.end('fine'), 200],
    ['an empty response', (response) => response.writeHead(204).end(), 204],
  ])('%s is an unexpected response', async (_name, answer, status) => {
    expect(await failure(answer)).toMatchObject({ code: 'unexpected_answer', status });
  });

  test('a redirect is not followed: the body may have a key, and is sent to no other server', async () => {
    const other = await startStandIn(json({}));
    const error = await failure((response) => response.writeHead(307, { location: other.url }).end());
    expect(error).toMatchObject({ code: 'unexpected_answer', status: 307 });
    expect(other.asked).toEqual([]);
    await other.close();
  });
});

describe('no answer', () => {
  test('names the call, the origin of the API and the system error', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const api = createClient({ url: `${url}/base`, token: TOKEN, retries: 0 });
    const error = await api.clients.me().catch((error) => error);
    expect(error).toBeInstanceOf(NoAnswer);
    expect(error).toMatchObject({
      code: 'unreachable',
      message: `GET /clients/me: no response from ${url} (ECONNREFUSED)`,
    });
  });

  test('names the kind of error if the runtime gives no system code, and never its message', async () => {
    const fetch = () => Promise.reject(new TypeError(`fetch failed with ${TOKEN}`));
    const api = createClient({ url: 'https://keys.example.test', token: TOKEN, retries: 0, fetch });
    await expect(api.clients.me()).rejects.toThrow(
      new NoAnswer('GET /clients/me: no response from https://keys.example.test (TypeError)', 'unreachable'),
    );
  });

  test('says when the time was up', async () => {
    const error = await failure(silence);
    expect(error).toMatchObject({
      code: 'timeout',
      message: `POST /clients/{id}/setup-bot: no response from ${server?.url} within 1000 ms`,
    });
  });

  test('throws the same error if the response stops half way', async () => {
    const error = await failure(halfOfIt);
    expect(error).toMatchObject({ code: 'timeout' });
  });
});

describe('secrets', () => {
  const echo: Answer = (response, asked) =>
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(asked));

  test.each<[string, Answer]>([
    ['a problem', problem('internal_error', 500)],
    ['a proxy that echoes the request', echo],
    ['a connection that ends', hangUp],
    ['no response in time', silence],
  ])('are in no error after %s', async (_name, answer) => {
    const shown = inspect(await failure(answer), { depth: 20, showHidden: true });
    expect(shown).not.toContain(TOKEN);
    expect(shown).not.toContain(KEY);
  });

  test('a token that a header cannot hold is rejected without being quoted', async () => {
    const error = await failure(json({}), `${TOKEN}\n`);
    expect(error).toBeInstanceOf(TypeError);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(TOKEN);
    expect(server?.asked).toEqual([]);
  });

  test('a token that is undefined -> TypeError at once; no token -> a client', () => {
    const url = 'https://keys.example.test';
    const settings: { url: string; token?: string } = { url };
    // @ts-expect-error: the type rejects it too.
    expect(() => createClient({ url, token: undefined })).toThrow(TypeError);
    expect(() => createClient({ ...settings, token: settings.token as string })).toThrow(TypeError);
    expect(() => createClient(settings)).not.toThrow();
  });

  test('nor does a client show its token', () => {
    const api = createClient({ url: 'https://keys.example.test', token: TOKEN });
    expect(inspect(api, { depth: 20, showHidden: true })).not.toContain(TOKEN);
  });

  test.each([KEY, '..', `${ID}/../../clients`, ''])(
    'a malformed id is put into no URL and no error: %j',
    async (id) => {
      server = await startStandIn(json({}));
      const error = await createClient({ url: server.url, token: TOKEN })
        .bots.stop(id)
        .catch((error) => error);
      expect(error).toMatchObject({
        name: 'TypeError',
        message: expect.stringMatching(/^POST \/bots\/\{id\}\/stop: the id is (no|not a) UUID\.$/),
      });
      expect(server.asked).toEqual([]);
    },
  );

  test.each([
    'ftp://keys.example.test',
    'keys',
    'https://user:secret@keys.example.test',
    'https://x.test?a=b',
  ])('a URL such as %s is rejected without being quoted', (url) => {
    expect(() => createClient({ url })).toThrow(TypeError);
    expect(() => createClient({ url })).not.toThrow(/secret/);
  });
});

describe('a token and keys in plain HTTP', () => {
  test.each([
    'http://keys.example.test',
    'http://localhost.example.test',
    'http://127.0.0.1.example.test',
    'http://[::ffff:127.0.0.1]',
    'http://[::2]',
    'http://128.0.0.1',
    'http://10.0.0.1:8787',
    'http://0.0.0.0:8787',
    'http://trading-keys:8787',
  ])('are sent to no other machine: %s -> TypeError before any request', async (url) => {
    let sent = 0;
    const fetch = async () => Response.json({ sent: ++sent });
    expect(() => createClient({ url, fetch })).toThrow(
      new TypeError(
        'The url has to begin with https://. Only localhost, 127.0.0.0/8 and [::1] may use http://.',
      ),
    );
    expect(() => createClient({ url: new URL(url), fetch })).toThrow(TypeError);
    expect(sent).toBe(0);
  });

  test.each([
    'http://localhost:8787',
    'http://LOCALHOST',
    'http://127.0.0.1:8787',
    'http://127.255.255.254/base',
    'http://127.1',
    'http://[::1]:8787',
    'https://keys.example.test',
    'https://10.0.0.1',
  ])('%s -> a client', async (url) => {
    const sent: string[] = [];
    const api = createClient({
      url,
      fetch: async (input) => {
        sent.push(String(input));
        return Response.json({ status: 'ok' });
      },
    });
    await api.health();
    expect(sent).toEqual([expect.stringMatching(/^https?:.*\/health$/)]);
  });
});
