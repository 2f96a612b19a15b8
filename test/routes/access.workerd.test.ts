/** Nobody can add a route that anyone may ask by forgetting something. */
import { createRoute, type RouteConfig } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { settings } from '../support/api.ts';
import { accessToken } from '../support/people.ts';
import { newClientWithRunner } from '../support/runners.ts';

const responses = { 200: { description: 'It answers.' } };
const own = await newClientWithRunner();
const session = await accessToken({ sub: own.userId });

async function ask(app: ReturnType<typeof createApp>, path: string, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await app.fetch(new Request(`http://api.example.test${path}`, { headers }), settings())).status;
}

describe('a route that is added', () => {
  it.each<[string, (app: ReturnType<typeof createApp>) => void]>([
    [
      'without an access',
      (app) =>
        app.openapi(createRoute({ method: 'get', path: '/new/{id}', responses }), (c) => c.body(null, 200)),
    ],
    [
      'with an access that does not exist',
      (app) =>
        app.openapi(
          createRoute({ method: 'get', path: '/new/{id}', access: 'nobody', responses } as RouteConfig),
          (c) => c.body(null, 200),
        ),
    ],
    [
      'with the access of a property that every object has',
      (app) =>
        app.openapi(
          createRoute({ method: 'get', path: '/new/{id}', access: 'constructor', responses } as RouteConfig),
          (c) => c.body(null, 200),
        ),
    ],
    ['without a description', (app) => app.get('/new/:id', (c) => c.body(null, 200))],
    ['under a wildcard', (app) => app.get('/new/*', (c) => c.body(null, 200))],
    ['for all methods', (app) => app.all('/new/:id', (c) => c.body(null, 200))],
    ['for every method that has one', (app) => app.on(['GET', 'POST'], '/new/:id', (c) => c.body(null, 200))],
  ])('%s -> takes a session', async (_, add) => {
    const app = createApp();
    add(app);
    expect(await ask(app, '/new/1')).toBe(401);
    expect(await ask(app, '/new/1', own.machineToken)).toBe(401);
    expect(await ask(app, '/new/1', session)).toBe(200);
  });
});

it('the routes for anyone and for runners are exactly these, and the description agrees', async () => {
  const response = await createApp().fetch(new Request('http://api.example.test/openapi.json'), {});
  const { paths } = (await response.json()) as {
    paths: Record<string, Record<string, { security: Record<string, unknown>[] }>>;
  };
  const bySecurity: Record<string, string[]> = {};
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const name = security.flatMap(Object.keys).join() || 'anyone';
      bySecurity[name] = [...(bySecurity[name] ?? []), `${method.toUpperCase()} ${path}`];
    }
  }
  const { anyone, machine_token, session: sessions = [], ...others } = bySecurity;
  expect(others).toEqual({});
  expect(anyone).toEqual(['GET /health', 'GET /ready', 'GET /.well-known/jwks.json']);
  expect(machine_token?.sort()).toEqual([
    'GET /runner/bots',
    'GET /runner/bots/{id}',
    'POST /bots/{id}/heartbeat',
    'POST /bots/{id}/rpc',
    'POST /bots/{id}/sign',
  ]);
  const app = createApp();
  const id = crypto.randomUUID();
  for (const line of [...sessions, ...(machine_token ?? [])]) {
    const [method = '', path = ''] = line.replace('{id}', id).split(' ');
    const request = new Request(`http://api.example.test${path}`, { method });
    expect([line, (await app.fetch(request, settings())).status]).toEqual([line, 401]);
  }
});
