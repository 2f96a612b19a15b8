import { createMiddleware } from 'hono/factory';

/** No cache between here and the caller keeps an answer. */
export const noStore = createMiddleware(async (c, next) => {
  await next();
  c.res.headers.set('cache-control', 'no-store');
});
