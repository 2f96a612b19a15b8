/** What the middleware knows of the route of a request, and of what the request is about. */
import { createRoute, OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import type { AppEnv } from '../../src/app-env.ts';
import type { MatchedRoute, Subject } from '../../src/auth/access.ts';
import { findRoute, subjectOf } from '../../src/middleware/route.ts';

const ID = '01a20567-9c9d-712c-b393-fbd8562d7591';
const responses = { 200: { description: 'A response.' } };

/** Sends a request to an API with these routes. */
async function request(line: string) {
  let found: { route: MatchedRoute | undefined; subject: object } | undefined;
  const app = new OpenAPIHono<AppEnv>();
  app.use(findRoute(app, { 'GET /page': 'anyone' }));
  app.use(async (c, next) => {
    await next();
    found = { route: c.get('route'), subject: subjectOf(c) };
  });
  const add = (method: 'get' | 'post', path: string, access?: string, subject?: Subject) =>
    app.openapi(createRoute({ method, path, access, subject, responses } as RouteConfig), (c) =>
      c.body(null, 200),
    );
  add('get', '/clients/{id}/bots', 'session', 'client');
  add('post', '/clients/{id}/bots', 'session', 'client');
  add('post', '/runner/bots/{id}', 'signing', 'bot');
  add('post', '/tokens/{id}', 'ending', 'token');
  add('post', '/bots/create', 'key_change', 'client_in_body');
  add('get', '/silent/{id}');
  app.get('/page', (c) => c.body(null, 200));
  app.get('/other', (c) => c.body(null, 200));
  const [method = '', path = ''] = line.split(' ');
  await app.request(`http://api.example.test${path}`, { method });
  return found;
}

describe('the route of a request', () => {
  it.each([
    ['GET /clients/x/bots', 'session', 'reads', false],
    ['POST /clients/x/bots', 'session', 'changes', false],
    ['POST /runner/bots/x', 'runner', 'signing', true],
    ['POST /tokens/x', 'session', 'never', true],
    ['POST /bots/create', 'session', 'changes', true],
    ['GET /silent/x', 'session', 'reads', false],
    ['GET /page', 'anyone', 'reads', false],
    ['GET /other', 'session', 'reads', false],
  ])('%s -> for %s, counted under %s, audited: %s', async (line, who, rate, audited) => {
    const { route } = (await request(line)) ?? {};
    expect(`${route?.method} ${route?.path.replace('{id}', 'x')}`).toBe(line);
    expect(route?.access).toMatchObject({ who, rate, audited });
  });

  it.each(['GET /clients', 'PUT /page', 'GET /page/'])('%s -> undefined', async (line) => {
    expect(await request(line)).toEqual({ route: undefined, subject: {} });
  });
});

describe('the subject of a request', () => {
  it.each([
    [`GET /clients/${ID}/bots`, { client_id: ID }],
    [`GET /clients/${ID.toUpperCase()}/bots`, { client_id: ID }],
    [`POST /runner/bots/${ID}`, { bot_id: ID }],
    [`POST /tokens/${ID}`, { token_id: ID }],
    [`GET /silent/${ID}`, {}],
    ['POST /bots/create', {}],
    ['POST /tokens/tk_secret', {}],
    [`POST /tokens/${ID}0`, {}],
  ])('%s -> %o', async (line, subject) => {
    expect((await request(line))?.subject).toEqual(subject);
  });
});
