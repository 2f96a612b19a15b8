/** Finds the route of a request and its declaration. All later middleware depends on it. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import type { AppEnv } from '../app-env.ts';
import { type AccessKind, accessOf, type Declaration, type MatchedRoute } from '../auth/access.ts';

/** The path of middleware for all requests. No route has this path. */
const EVERYTHING = '/*';
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Sets `route`, which stays undefined if no route has the path and method of the request.
 *
 * @param undescribed the access of routes that are not in the description, such as `GET /docs`
 */
export function findRoute(
  app: OpenAPIHono<AppEnv>,
  undescribed: Readonly<Record<string, AccessKind>>,
): MiddlewareHandler<AppEnv> {
  let declared: ReadonlyMap<string, MatchedRoute> | undefined;
  return createMiddleware<AppEnv>(async (c, next) => {
    const matched = matchedRoutes(c).findLast(({ method, path }) => method !== 'ALL' || path !== EVERYTHING);
    if (matched) {
      const { method, path } = matched;
      declared ??= declarationsOf(app);
      const route = declared.get(`${method} ${path}`);
      c.set('route', route ?? { method, path, access: accessOf(undescribed[`${method} ${path}`], method) });
    }
    await next();
  });
}

/** Declarations by method and path in Hono's form: `GET /bots/:id`. Called at the first request, when all routes exist. */
function declarationsOf(app: OpenAPIHono<AppEnv>): ReadonlyMap<string, MatchedRoute> {
  const routes = new Map<string, MatchedRoute>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { path, access, subject, maxBodyBytes } = definition.route as typeof definition.route &
      Partial<Declaration>;
    const method = definition.route.method.toUpperCase();
    const routingPath = path.replaceAll(/\{(\w+)\}/g, ':$1');
    routes.set(`${method} ${routingPath}`, {
      method,
      path,
      access: accessOf(access, method),
      subject,
      maxBodyBytes,
    });
  }
  return routes;
}

/** The id in the path, by the kind of resource. Empty if the id is not a UUID. */
export function subjectOf(c: Context<AppEnv>): { client_id?: string; bot_id?: string; token_id?: string } {
  const { path = '', subject } = c.get('route') ?? {};
  const id = c.req.path.split('/')[path.split('/').indexOf('{id}')]?.toLowerCase() ?? '';
  if (subject === undefined || subject === 'client_in_body' || !UUID.test(id)) return {};
  return { [`${subject}_id`]: id };
}
