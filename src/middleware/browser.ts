/** Headers for browsers: security headers and CORS. */
import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';
import type { AppEnv } from '../app-env.ts';

/** Responses are data, which browsers must not run, frame, sniff or embed. `GET /docs` sets its own policy. */
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
  // Browsers cache a preflight for at most two hours.
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
 * CORS (fetch.spec.whatwg.org) for exactly the origins in the settings. Credentials are never allowed: the page itself sets
 * the Authorization header, and there are no cookies.
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
