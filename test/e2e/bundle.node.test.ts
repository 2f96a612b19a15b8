/** The deployed bundle: its size, and that nothing that was removed to make it small is missing. */
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { secp256k1Base64Bytes } from '@bitauth/libauth/build/lib/bin/secp256k1/secp256k1.base64.js';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z as whole } from 'zod';
import { createApp } from '../../src/app.ts';
import * as part from '../../src/bundle/zod.ts';
import { type Bundle, buildBundle } from '../support/bundle.ts';
import { accessToken } from '../support/people.ts';
import { type RunningWorker, startWorker } from '../support/worker.ts';

/** 253 with all of zod and the generator of the description. */
const MAX_GZIP_KIB = 140;

/** libsecp256k1. Only a new build of it can change this, and its SHA-256. */
const MAX_WASM_GZIP_KIB = 105;
const WASM_SHA256 = '7b0c1694b325e3a9754be669514295372260f6853698518fca3a869b0031a98b';

const ENCRYPTION_KEY = randomBytes(32).toString('base64');
let worker: RunningWorker;
let token: string;
const bindings = {
  SUPABASE_URL: inject('supabaseUrl'),
  SUPABASE_PUBLISHABLE_KEY: inject('publishableKey'),
  EDGE_TOKEN: inject('edgeToken'),
  SUPABASE_JWT_SECRET: inject('jwtSecret'),
  ENCRYPTION_KEY,
};

beforeAll(async () => {
  token = await accessToken({ sub: crypto.randomUUID() });
  worker = await startWorker(bindings);
});
afterAll(() => worker.harness.close());

describe('the bundle', () => {
  let bundle: Bundle;
  beforeAll(() => {
    bundle = buildBundle();
  });

  it(`has at most ${MAX_GZIP_KIB} KiB of JavaScript, compressed`, () => {
    expect(bundle.gzipBytes / 1024).toBeLessThan(MAX_GZIP_KIB);
  });

  it(`has one WebAssembly module of at most ${MAX_WASM_GZIP_KIB} KiB, compressed: the build that was evaluated`, () => {
    const [wasm, ...others] = Object.values(bundle.modules);
    expect(others).toEqual([]);
    expect(gzipSync(wasm ?? '').length / 1024).toBeLessThan(MAX_WASM_GZIP_KIB);
    expect(
      createHash('sha256')
        .update(wasm ?? '')
        .digest('hex'),
    ).toBe(WASM_SHA256);
    // Node and Deno compile the same bytes, from a text that the Worker does not contain.
    expect(Buffer.from(secp256k1Base64Bytes, 'base64').equals(wasm ?? Buffer.alloc(0))).toBe(true);
    expect(bundle.code).not.toContain(secp256k1Base64Bytes.slice(1000, 1100));
  });

  it('contains nothing else of libauth, and not the secp256k1 of noble', () => {
    const paths = Object.keys(bundle.parts);
    expect(paths.filter((path) => /@bitauth|secp256k1\.js|weierstrass/.test(path))).toEqual([]);
  });

  it('contains only the English texts of zod, and nothing of supabase-js', () => {
    const paths = Object.keys(bundle.parts);
    expect(paths.filter((path) => path.includes('zod/v4/locales'))).toEqual([
      'node_modules/zod/v4/locales/en.js',
    ]);
    expect(paths.filter((path) => /node_modules\/(yaml|openapi3-ts|@supabase)\//.test(path))).toEqual([]);
  });

  it('holds neither the generator of the description nor the page', () => {
    const paths = Object.keys(bundle.parts);
    const writes =
      /zod-to-openapi\/|openapi\/(reference|write-description)|docs-page\/|hono\/dist\/helper\/html/;
    expect(paths.filter((path) => writes.test(path))).toEqual([]);
  });
});

describe('the part of zod that is bundled', () => {
  it('has every function that the schemas use', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.startsWith('sdk'))
      .map((path) => readFileSync(join('src', path), 'utf8'));
    const used = sources.flatMap((source) =>
      [...source.matchAll(/\bz\s*\.([a-z]\w*)(?=[.(])/g)].map(([, name]) => name),
    );
    expect(new Set(used).size).toBeGreaterThan(10);
    expect([...new Set(used)].filter((name) => !Object.hasOwn(part, name ?? ''))).toEqual(['core']); // a type
  });

  it('has the same functions as the whole of zod', () => {
    const { z: _, ...members } = part;
    expect(
      Object.entries(members).filter(([name, member]) => whole[name as keyof typeof whole] !== member),
    ).toEqual([]);
  });
});

/** Sends the same request to the bundle and to the source. Returns the parts of both responses that depend on the request. */
async function both(method: string, path: string, body?: unknown) {
  const init = {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const answers = [
    await fetch(new URL(path, worker.url), init),
    await createApp().fetch(new Request(new URL(path, 'http://worker.test'), init), bindings),
  ];
  return Promise.all(
    answers.map(async (answer) => {
      const { request_id: _, ...json } = (await answer.json()) as Record<string, unknown>;
      return { status: answer.status, json };
    }),
  );
}

const ID = '01a20567-9c9d-712c-b393-fbd8562d7591';

describe('the bundle and the source', () => {
  it('describe the same API', async () => {
    const [bundled, source] = await both('GET', '/openapi.json');
    expect(bundled?.status).toBe(200);
    expect(Object.keys(bundled?.json ?? {})).toContain('paths');
    expect(bundled).toEqual(source);
  });

  it('return it with the same headers, which every response has', async () => {
    const request = new Request('http://worker.test/openapi.json');
    const source = await createApp().fetch(request, bindings);
    for (const method of ['GET', 'HEAD']) {
      const bundled = await fetch(new URL('/openapi.json', worker.url), { method });
      const { 'x-request-id': id, ...wanted } = Object.fromEntries(source.headers);
      expect(id).toBeDefined();
      expect(wanted['cache-control']).toBe('no-store');
      expect([method, bundled.status, Object.fromEntries(bundled.headers)]).toMatchObject([
        method,
        200,
        wanted,
      ]);
      expect(bundled.headers.get('etag')).toBeNull();
    }
  });

  it('return the page: the bundle from the file beside it, the source as a redirect', async () => {
    const bundled = await fetch(new URL('/docs', worker.url), { redirect: 'manual' });
    expect([bundled.status, await bundled.text()]).toEqual([200, readFileSync('public/docs.html', 'utf8')]);
    const source = await createApp().fetch(new Request('http://worker.test/docs'), bindings);
    expect(source.status).toBe(302);
    for (const path of ['/docs.html', '/public/docs.html'])
      expect((await fetch(new URL(path, worker.url), { redirect: 'manual' })).status).toBe(404);
  });

  it.each([
    ['no body', 'POST', '/clients', undefined],
    ['a list', 'POST', '/clients', []],
    ['nothing in it', 'POST', '/clients', {}],
    ['other types', 'POST', '/clients', { name: 1, email: null }],
    ['a text too long', 'POST', '/clients', { name: 'x'.repeat(201), email: 'a@b.test' }],
    ['no e-mail', 'POST', '/clients', { name: 'x', email: 'x' }],
    ['an unknown field', 'POST', '/clients', { name: 'x', email: 'a@b.test', note: 1 }],
    ['a page size of 0', 'GET', '/clients?limit=0', undefined],
    ['a page size that is not a number', 'GET', '/clients?limit=x', undefined],
    ['no id', 'GET', '/bots/x', undefined],
    [
      'malformed values in wallets',
      'POST',
      '/bots/create',
      { client_id: ID, name: '', bot_type: 'x', wallets: [1] },
    ],
    [
      'a config that is not an object',
      'POST',
      '/bots/create',
      { client_id: ID, name: 'x', bot_type: 'x', config: 'x' },
    ],
    ['no key', 'PUT', `/clients/${ID}/rotate-key`, { private_key: '' }],
    [
      'a policy with wrong values',
      'PUT',
      `/bots/${ID}/policy`,
      { kinds: ['x'], max_value: '-1', recipients: ['x'] },
    ],
    ['a malformed time', 'POST', `/bots/${ID}/tokens`, { name: 'x', expires_at: 'tomorrow' }],
  ])('reject a request with %s with the same response', async (_, method, path, body) => {
    const [bundled, source] = await both(method, path, body);
    expect(bundled?.status).toBeGreaterThanOrEqual(400);
    expect(bundled?.status).toBeLessThan(500);
    expect(bundled).toEqual(source);
  });

  it('describe an error in English', async () => {
    const [bundled] = await both('POST', '/clients', { name: 1, email: 'a@b.test' });
    expect(bundled?.json).toMatchObject({
      errors: [{ pointer: '/name', detail: 'Invalid input: expected string, received number' }],
    });
  });
});
