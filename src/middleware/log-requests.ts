import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Tally } from '../database/tally.ts';
import { log } from '../log.ts';
import { routeOf } from './route.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * One line for each request. Of what the caller sent it has the request id and ids of things, each in a form that no
 * key or token has, and otherwise words of our own: the route and not the path, no query, header or body.
 *
 * In production a Worker's clock stands still while it computes: durations are the time of waiting.
 */
export const logRequests = createMiddleware<AppEnv>(async (c, next) => {
  const startedAt = Date.now();
  const tally = new Tally();
  c.set('tally', tally);
  await next();
  const { status } = c.res;
  const durationMs = Date.now() - startedAt;
  const route = routeOf(c)?.path;
  const [thing, id] = idIn(route, c.req.path);
  log({
    event: 'request',
    level: status >= 500 ? 'error' : 'info',
    request_id: c.get('requestId'),
    method: METHODS.has(c.req.method) ? c.req.method : 'other',
    route: route?.replaceAll(/:(\w+)/g, '{$1}') ?? null,
    status,
    code: c.get('problemCode'),
    duration_ms: durationMs,
    database_ms: tally.ms,
    database_calls: tally.calls,
    client_id: thing === 'clients' ? id : tally.clientId,
    bot_id: thing === 'bots' ? id : undefined,
  });
  if (c.get('runtime')?.settings.isDevelopment)
    c.res.headers.set('server-timing', serverTiming(durationMs, tally));
});

/** The kind and the id of what a route such as `/clients/:id/bots` is about, if the path has one. */
function idIn(route: string | undefined, path: string): [thing?: string, id?: string] {
  const [, thing, parameter] = route?.split('/') ?? [];
  const id = path.split('/')[2] ?? '';
  return parameter === ':id' && UUID.test(id) ? [thing ?? '', id.toLowerCase()] : [];
}

const serverTiming = (total: number, { ms, calls }: Tally) =>
  `total;dur=${total}, database;dur=${ms};desc="${calls} calls"`;
