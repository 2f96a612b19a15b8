/** What browsers are told: which pages may read an answer, and to do nothing else with one. */
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';

const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Those of `hono/secure-headers`, which asks of each, for each answer, whether it is there. */
const SAFETY = [
  ['cross-origin-resource-policy', 'same-origin'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['origin-agent-cluster', '?1'],
  ['referrer-policy', 'no-referrer'],
  ['strict-transport-security', 'max-age=63072000; includeSubDomains'],
  ['x-content-type-options', 'nosniff'],
  ['x-dns-prefetch-control', 'off'],
  ['x-download-options', 'noopen'],
  ['x-frame-options', 'DENY'],
  ['x-permitted-cross-domain-policies', 'none'],
  ['x-xss-protection', '0'],
  ['permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'],
] as const;

/** An answer is data: it is not run, framed, sniffed or embedded. A route that answers a page brings its own policy. */
export const securityHeaders = createMiddleware(async (c, next) => {
  await next();
  const { headers } = c.res;
  if (!headers.has('content-security-policy')) headers.set('content-security-policy', NOTHING);
  for (const [name, value] of SAFETY) headers.set(name, value);
});

const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, X-Request-Id',
  // Browsers keep it for two hours at most.
  'access-control-max-age': '7200',
};
const EXPOSED = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'Idempotency-Replayed',
  'Location',
  'WWW-Authenticate',
].join(', ');

/**
 * CORS (fetch.spec.whatwg.org) for the origins that are named in the settings, letter for letter. Credentials are
 * never allowed: a session is a header that the page itself sets, and there are no cookies.
 */
export const allowOrigins = createMiddleware<AppEnv>(async (c, next) => {
  const origin = c.req.header('origin');
  const allowed = origin !== undefined && c.var.runtime.settings.allowedOrigins.has(origin);
  const preflight = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined;
  if (allowed && preflight) c.res = new Response(null, { status: 204, headers: PREFLIGHT });
  else await next();
  c.res.headers.append('vary', 'Origin');
  if (!allowed) return;
  c.res.headers.set('access-control-allow-origin', origin);
  if (!preflight) c.res.headers.set('access-control-expose-headers', EXPOSED);
});
