import { createMiddleware } from 'hono/factory';

/** Prevents caches from storing responses (RFC 9111, section 5.2.2.5). */
export const noStore = createMiddleware(async (c, next) => {
  await next();
  c.res.headers.set('cache-control', 'no-store');
});
