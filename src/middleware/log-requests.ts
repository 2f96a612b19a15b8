import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Tally } from '../database/tally.ts';
import { log } from '../log.ts';
import { subjectOf } from './route.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

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
  const { client_id = tally.clientId, bot_id } = subjectOf(c);
  log({
    event: 'request',
    level: status >= 500 ? 'error' : 'info',
    request_id: c.get('requestId'),
    method: METHODS.has(c.req.method) ? c.req.method : 'other',
    route: c.get('route')?.path ?? null,
    status,
    code: c.get('problemCode'),
    duration_ms: durationMs,
    database_ms: tally.ms,
    database_calls: tally.calls,
    client_id,
    bot_id,
  });
  if (c.get('runtime')?.settings.isDevelopment)
    c.res.headers.set('server-timing', serverTiming(durationMs, tally));
});

const serverTiming = (total: number, { ms, calls }: Tally) =>
  `total;dur=${total}, database;dur=${ms};desc="${calls} calls"`;
