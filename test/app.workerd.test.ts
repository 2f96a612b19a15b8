import { describe, expect, it } from 'vitest';
import worker from '../src/index.ts';
import { newMachineToken } from '../src/machine-token.ts';
import { call, settings } from './support/api.ts';
import { operationOf } from './support/contract.ts';
import { description, operations } from './support/operations.ts';
import { newAdmin, newClient } from './support/people.ts';
import { expectProblem } from './support/problems.ts';
import { lineTo } from './support/requests.ts';

const { token } = await newAdmin();
/** A path or method that the API does not have gets the same response for every caller, with or without a token. */
const CALLERS = [
  ['a session', token],
  ['a machine token', newMachineToken()],
  ['a malformed token', 'garbage'],
  ['no token', undefined],
] as const;

describe('methods', () => {
  const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const paths = Object.keys(description.paths).map((path) => path.replace('{id}', crypto.randomUUID()));

  it.each(paths)('%s with an unsupported method -> 405 with Allow', async (path) => {
    const known = operations.filter((operation) => operationOf(`${operation.line.split(' ')[0]} ${path}`));
    const has = [...new Set(known.map(({ line }) => line.split(' ')[0] ?? ''))];
    for (const method of METHODS.filter((name) => !has.includes(name))) {
      for (const [, token] of CALLERS) {
        const answer = await call(`${method} ${path}`, { token });
        expectProblem(answer, 405, 'method_not_allowed');
        const allow = answer.headers.get('allow')?.split(', ').sort();
        expect(allow).toEqual([...has, ...(has.includes('GET') ? ['HEAD'] : [])].sort());
      }
    }
  });

  it.each(['/health', '/clients/me'])('HEAD %s -> the response of GET, without a body', async (path) => {
    const client = await newClient();
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((name) => call(`${name} ${path}`, { token: client.token })),
    );
    expect([head?.status, head?.text]).toEqual([200, '']);
    expect(head?.headers.get('content-type')).toBe(get?.headers.get('content-type'));
  });

  it('HEAD of another client -> 404; without a token -> 401', async () => {
    const [client, stranger] = [await newClient(), await newClient()];
    expect((await call(`HEAD /clients/${client.clientId}`, { token: stranger.token })).status).toBe(404);
    expect((await call(`HEAD /clients/${client.clientId}`, { token: client.token })).status).toBe(200);
    expect((await call(`HEAD /clients/${client.clientId}`)).status).toBe(401);
  });

  it('OPTIONS from a page of another origin -> no CORS headers', async () => {
    const answer = await call('OPTIONS /clients', {
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expectProblem(answer, 405, 'method_not_allowed');
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });
});

describe('paths that do not exist', () => {
  it.each([
    '/',
    '/nothing',
    '/health/',
    '/Health',
    '/openapi.json/',
    '/docs/',
    '/docs.html',
    '/.env',
    '/%00',
    '/admin',
    '/rest/v1/clients',
  ])('GET %s -> 404', async (path) => {
    expectProblem(await call(`GET ${path}`, { token }), 404, 'route_not_found');
    expectProblem(await call(`GET ${path}`), 404, 'route_not_found');
  });

  it.each(['/clients/', '/clients/me/more', '/bots', '/bots/', '/bots/x/y/z', '/clients//bots', '/runner'])(
    'GET %s -> 404 for every caller',
    async (path) => {
      for (const [, token] of CALLERS)
        expectProblem(await call(`GET ${path}`, { token }), 404, 'route_not_found');
    },
  );

  it.each(operations.map(({ line }) => line))(
    '%s/, with a slash at the end -> 404 for every caller',
    async (line) => {
      const path = lineTo(line);
      for (const [, token] of CALLERS)
        expectProblem(await call(`${path}/`, { token }), 404, 'route_not_found');
    },
  );

  it.each([
    '1',
    'null',
    'undefined',
    'me2',
    '..%2f..%2fhealth',
    '%00',
    "'%20or%20''='",
    '01a20567-9c9d-712c-b393-fbd8562d759',
    '01a20567-9c9d-712c-b393-fbd8562d75911',
    '01a205679c9d712cb393fbd8562d7591',
    '%7B01a20567-9c9d-712c-b393-fbd8562d7591%7D',
    'x'.repeat(2000),
  ])('an id that is not a UUID (%s) -> 422 at id', async (id) => {
    for (const line of [`GET /clients/${id}`, `DELETE /clients/${id}/revoke-key`, `POST /bots/${id}/start`]) {
      const answer = await call(line, { token });
      expectProblem(answer, 422, 'validation_failed');
      expect(answer.json.errors).toMatchObject([{ parameter: 'id' }]);
    }
  });
});

describe('the request id', () => {
  it('sent by the caller -> returned in the header and in a problem', async () => {
    const headers = { 'x-request-id': 'order-66_a' };
    const good = await call('GET /health', { headers });
    expect(good.headers.get('x-request-id')).toBe('order-66_a');
    const bad = await call('GET /clients', { headers });
    expect([bad.headers.get('x-request-id'), bad.json.request_id]).toEqual(['order-66_a', 'order-66_a']);
  });

  it.each(['', 'with space', 'x'.repeat(37), 'a.b', '<script>', '{"a":1}'])(
    '"%s" -> replaced by a generated id',
    async (id) => {
      const answer = await call('GET /clients', { headers: { 'x-request-id': id } });
      expect(answer.json.request_id).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});

describe('the Worker', () => {
  it('GET /health through the entry of the Worker -> 200', async () => {
    const response = await worker.fetch(new Request('http://api.example.test/health'), settings());
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
  });
});
