import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';

/** Where middleware stands that every request passes; no route is there. */
const EVERYTHING = '/*';

/** The route that a request is for, such as `GET` and `/bots/:id`; `undefined` where no route has its path. */
export function routeOf(c: Context) {
  return matchedRoutes(c).findLast(({ method, path }) => method !== 'ALL' || path !== EVERYTHING);
}
