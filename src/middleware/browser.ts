/** What browsers are told: which pages may read an answer, and to do nothing else with one. */
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';
import type { AppEnv } from '../app-env.ts';

/** An answer is data: it is not run, framed, sniffed or embedded. A route that answers a page brings its own policy. */
export const securityHeaders = secureHeaders({
  overwrite: false,
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  strictTransportSecurity: 'max-age=63072000; includeSubDomains',
  xFrameOptions: 'DENY',
  permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [], usb: [] },
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
  const allowed = origin !== undefined && c.get('runtime').settings.allowedOrigins.has(origin);
  const preflight = c.req.method === 'OPTIONS' && c.req.header('access-control-request-method') !== undefined;
  if (allowed && preflight) c.res = new Response(null, { status: 204, headers: PREFLIGHT });
  else await next();
  c.res.headers.append('vary', 'Origin');
  if (!allowed) return;
  c.res.headers.set('access-control-allow-origin', origin);
  if (!preflight) c.res.headers.set('access-control-expose-headers', EXPOSED);
});
