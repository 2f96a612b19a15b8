/** What a browser may do with this API: pages of a listed origin may read responses, and nothing else. */
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Call, call, settings } from '../support/api.ts';
import { newClientWithBot, revoke, setUp, stored } from '../support/bots.ts';
import { operations, tokenFor } from '../support/operations.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { lineTo } from '../support/requests.ts';

const admin = await newAdmin();
const PAGE = 'https://app.example.test';
const env = { ...settings(), ALLOWED_ORIGINS: ` ${PAGE}, http://localhost:5173 ` };

const SAFETY = {
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cache-control': 'no-store',
};
const preflight = (origin: string, headers = {}) => ({
  headers: { origin, 'access-control-request-method': 'POST', ...headers },
});
const signedIn = (at: string) =>
  new Request(`http://api.example.test${at}`, { headers: { authorization: `Bearer ${admin.token}` } });
const cors = (headers: Headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

describe('safety headers', () => {
  it.each<[string, string, Call]>([
    ['a success', 'GET /health', {}],
    ['a description', 'GET /openapi.json', {}],
    ['401', 'GET /clients', {}],
    ['404 of a path', 'GET /nothing', {}],
    ['404 of a resource', lineTo('GET /clients/{id}'), { token: admin.token }],
    ['405', 'PATCH /health', {}],
    ['415', 'POST /clients', { token: admin.token }],
    ['413', 'POST /clients', { token: admin.token, body: `"${'x'.repeat(70_000)}"` }],
    ['422', 'GET /clients/x', { token: admin.token }],
    ['503', 'GET /clients', { token: admin.token, env: {} }],
  ])('are on %s', async (_, line, options) => {
    const { headers } = await call(line, options);
    expect(Object.fromEntries(headers)).toMatchObject(SAFETY);
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('are on an internal error, and on a preflight response', async () => {
    const app = createApp();
    app.get('/health/broken', () => {
      throw new TypeError('x');
    });
    const broken = await app.fetch(signedIn('/health/broken'), settings());
    expect(broken.status).toBe(500);
    expect(Object.fromEntries(broken.headers)).toMatchObject(SAFETY);
    const request = new Request('http://api.example.test/clients', { method: 'OPTIONS', ...preflight(PAGE) });
    const allowed = await app.fetch(request, env);
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject(SAFETY);
  });

  it('do not replace the content security policy of a page', async () => {
    const app = createApp();
    const own = "default-src 'none'; style-src 'self'";
    app.get('/health/page', (c) => c.html('<p>', 200, { 'content-security-policy': own }));
    const { headers } = await app.fetch(signedIn('/health/page'), settings());
    expect(headers.get('content-security-policy')).toBe(own);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('a page of a listed origin', () => {
  it.each(operations.map(({ line }) => line))('preflight for %s -> 204, without a token', async (line) => {
    const url = `http://api.example.test${lineTo(line).split(' ')[1]}`;
    const request = new Request(url, {
      method: 'OPTIONS',
      ...preflight(PAGE, { 'access-control-request-headers': 'authorization,content-type' }),
    });
    const { status, headers } = await createApp().fetch(request, env);
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, PAGE]);
    expect(headers.get('access-control-allow-methods')?.split(', ')).toContain(line.split(' ')[0]);
    expect(headers.get('access-control-allow-headers')).toBe(
      'Authorization, Content-Type, Idempotency-Key, X-Request-Id',
    );
    expect(headers.get('access-control-max-age')).toBe('7200');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toBe('Origin');
  });

  it.each<[string, string, Call]>([
    ['a success', 'GET /clients', { token: admin.token }],
    ['a problem', 'GET /clients', {}],
    ['a path that does not exist', 'GET /nothing', {}],
  ])('reads %s', async (_, line, options) => {
    const { headers } = await call(line, { ...options, env, headers: { origin: PAGE } });
    expect(headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(headers.get('access-control-expose-headers')?.split(', ')).toEqual(
      expect.arrayContaining(['X-Request-Id', 'Retry-After', 'RateLimit', 'Idempotency-Replayed']),
    );
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toBe('Origin');
  });

  it('on localhost -> the header has its own origin, not that of another listed page', async () => {
    const { headers } = await call('GET /health', { env, headers: { origin: 'http://localhost:5173' } });
    expect(headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  });
});

describe('any other page', () => {
  const OTHERS = [
    'null',
    '*',
    'https://evil.example',
    `${PAGE}.evil.example`,
    `${PAGE}/`,
    `${PAGE}:443`,
    'http://app.example.test',
    'https://APP.example.test',
    'https://sub.app.example.test',
    'https://evil.example/https://app.example.test',
    `${PAGE}, https://evil.example`,
    'https://app.example.test%00.evil.example',
    '',
  ];
  it.each(OTHERS)('"%s" -> neither the preflight nor the response has CORS headers', async (origin) => {
    const asked = await call('OPTIONS /health', { env, ...preflight(origin) });
    expectProblem(asked, 405, 'method_not_allowed');
    const read = await call('GET /health', { env, headers: { origin } });
    expect([cors(asked.headers), cors(read.headers)]).toEqual([[], []]);
    expect(read.headers.get('vary')).toBe('Origin');
  });

  it.each(['*', 'null', `${PAGE}/`, 'https://*.example.test', 'app.example.test', 'file://', ','])(
    'ALLOWED_ORIGINS "%s" allows no origin',
    async (ALLOWED_ORIGINS) => {
      for (const origin of [...OTHERS, PAGE, 'https://x.example.test', 'file://']) {
        const { headers } = await call('GET /health', {
          env: { ...settings(), ALLOWED_ORIGINS },
          headers: { origin },
        });
        expect(cors(headers)).toEqual([]);
      }
    },
  );

  it('without ALLOWED_ORIGINS -> no origin is allowed', async () => {
    expect(cors((await call('GET /health', { headers: { origin: PAGE } })).headers)).toEqual([]);
  });
});

describe('a form on another page', () => {
  it.each(['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain'])(
    'cannot send %s, and cannot authenticate',
    async (type) => {
      const owner = await newClientWithBot();
      const before = await stored(owner);
      const body = JSON.stringify({ private_key: newEvmKey().privateKey });
      const line = `PUT /clients/${owner.clientId}/rotate-key`;
      const headers = {
        origin: 'https://evil.example',
        'content-type': type,
        cookie: `sb-access-token=${owner.token}`,
      };
      expectProblem(await call(line, { body, headers }), 401, 'authentication_required');
      expectProblem(await call(line, { body, headers, token: owner.token }), 415, 'media_type_unsupported');
      expect(await stored(owner)).toEqual(before);
    },
  );

  it('cannot put the token into the URL or the body', async () => {
    const owner = await newClientWithBot();
    for (const query of ['access_token', 'token', 'authorization', 'apikey', 'jwt']) {
      const line = `POST /bots/${owner.botId}/stop?${query}=${owner.token}`;
      const body = `access_token=${owner.token}`;
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      expectProblem(await call(line, { body, headers }), 401, 'authentication_required');
    }
    expect((await call(`GET /bots/${owner.botId}`, { token: owner.token })).json.status).toBe('running');
  });

  it('cannot override its method', async () => {
    const owner = await newClientWithBot();
    const names = ['x-http-method-override', 'x-method-override', 'x-http-method'];
    for (const name of names) {
      const answer = await call(`GET /clients/${owner.clientId}/trading-key?_method=DELETE`, {
        token: owner.token,
        headers: { [name]: 'DELETE' },
      });
      expect([answer.status, answer.json.version]).toEqual([200, 1]);
    }
  });
});

describe('cookies', () => {
  it.each(operations.map(({ line }) => line))(
    '%s sets no cookie, and ignores a cookie that was sent',
    async (line) => {
      const options = { token: tokenFor(line, admin.token), headers: { 'x-request-id': 'the-same' } };
      const at = lineTo(line);
      const without = await call(at, options);
      const cookie = `sb-access-token=${admin.token}; session=1; __Host-session=${admin.token}`;
      const sent = await call(at, { ...options, headers: { ...options.headers, cookie } });
      expect([sent.status, sent.headers.get('set-cookie')]).toEqual([without.status, null]);
    },
  );

  it('are not set by a set-up or a revocation', async () => {
    const client = await newClient();
    const ways = [await setUp(client, { private_key: newEvmKey().privateKey }), await revoke(client)];
    for (const { headers } of ways) expect(headers.get('set-cookie')).toBeNull();
  });

  it('alone do not authenticate a caller', async () => {
    for (const { line } of operations.filter(({ security }) => security.length > 0)) {
      const headers = { cookie: `access_token=${admin.token}; authorization=Bearer ${admin.token}` };
      expectProblem(await call(lineTo(line), { headers }), 401, 'authentication_required');
    }
  });
});
