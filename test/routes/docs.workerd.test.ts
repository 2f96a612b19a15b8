/** `GET /docs`, as the Worker returns it. For the contents of the page see `test/e2e/docs-page`. */
import { env as testEnv } from 'cloudflare:test';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Files } from '../../src/env.ts';
import { type Answer, call, settings } from '../support/api.ts';
import { expectProblem } from '../support/problems.ts';

/** The files of `public/`, by the binding of wrangler.toml. */
const { ASSETS } = testEnv as unknown as { ASSETS: Files };
const env = { ...settings(), ASSETS };
const STYLE = /<style>([\s\S]*?)<\/style>/g;
const SCRIPT = /<script>([\s\S]*?)<\/script>/g;

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

describe('GET /docs', () => {
  let page: Answer;
  beforeAll(async () => {
    page = await call('GET /docs', { env });
  });

  it('without a token -> 200 with the page, which no cache stores', () => {
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('etag')).toBeNull();
    expect(page.text).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it('allows its own style and its own script by their hashes, and nothing else', async () => {
    const [[style = '', ...styles], [script = '', ...scripts]] = [STYLE, SCRIPT].map((pattern) =>
      [...page.text.matchAll(pattern)].map(([, text = '']) => text),
    ) as [string[], string[]];
    expect([styles, scripts]).toEqual([[], []]);
    expect(page.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src 'sha256-${await sha256(style)}'; script-src 'sha256-${await sha256(script)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });

  it('has the headers of every response', async () => {
    const other = Object.fromEntries((await call('GET /health')).headers);
    const { 'content-type': _, 'content-security-policy': __, 'x-request-id': id, ...shared } = other;
    expect(id).toBeDefined();
    expect(Object.keys(shared).length).toBeGreaterThan(8);
    expect(Object.fromEntries(page.headers)).toMatchObject(shared);
  });

  it('runs nothing but its own script', () => {
    expect(page.text.replace(SCRIPT, '')).not.toMatch(/<script|javascript:|<[^>]+\son\w+=/i);
  });

  it('as HEAD -> the same headers, no body', async () => {
    const head = await call('HEAD /docs', { env });
    expect([head.status, head.text]).toEqual([200, '']);
    for (const name of ['content-type', 'content-security-policy', 'cache-control'])
      expect(head.headers.get(name)).toBe(page.headers.get(name));
  });

  it('with a bad token -> 200: no token is required', async () => {
    expect((await call('GET /docs', { env, token: 'garbage' })).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'DELETE'])('as %s -> 405', async (method) => {
    const answer = await call(`${method} /docs`, { env });
    expectProblem(answer, 405, 'method_not_allowed');
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  it('is read by the name of its file, without a redirect', async () => {
    const { fetch } = ASSETS as unknown as { fetch: (request: Request) => Promise<Response> };
    const asked = new Request('http://api.example.test/docs.html', { redirect: 'manual' });
    const file = await fetch.call(ASSETS, asked);
    expect([file.status, await file.text()]).toEqual([200, page.text]);
  });

  it.each(['/docs.html', '/docs/', '/docs/openapi.json'])(
    '%s -> 404: the files are not served',
    async (path) => {
      expectProblem(await call(`GET ${path}`, { env }), 404, 'route_not_found');
    },
  );
});

describe('GET /docs if the file is not available', () => {
  it.each([404, 500])('its file returns %d -> 500', async (status) => {
    const ASSETS = { fetch: async () => new Response('<p>of another', { status }) };
    const answer = await call('GET /docs', { env: { ...settings(), ASSETS } });
    expectProblem(answer, 500, 'internal_error');
    expect(answer.headers.get('content-security-policy')).not.toMatch(/style-src|script-src/);
  });

  it('without files -> 302 to the description, wherever the API is mounted', async () => {
    const { status, headers, text } = await call('GET /docs');
    expect([status, headers.get('location'), text]).toEqual([302, 'openapi.json', '']);
    expect(headers.get('content-security-policy')).not.toMatch(/style-src|script-src/);
  });
});
