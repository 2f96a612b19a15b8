import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { CallStats } from '../database/call-stats.ts';
import { log } from '../log.ts';
import { subjectOf } from './route.ts';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Logs one line for each request. From the request it contains only the request id and the ids in the path, whose forms no
 * key or token has. It contains the route instead of the path, and no query, header or body.
 *
 * In production the clock of a Worker does not advance while it computes, so durations are only the time of waiting.
 */
export const logRequests = createMiddleware<AppEnv>(async (c, next) => {
  const startedAt = Date.now();
  const callStats = new CallStats();
  c.set('callStats', callStats);
  await next();
  const { status } = c.res;
  const durationMs = Date.now() - startedAt;
  const { client_id = callStats.clientId, bot_id } = subjectOf(c);
  log({
    event: 'request',
    level: status >= 500 ? 'error' : 'info',
    request_id: c.get('requestId'),
    method: METHODS.has(c.req.method) ? c.req.method : 'other',
    route: c.get('route')?.path ?? null,
    status,
    code: c.get('problemCode'),
    duration_ms: durationMs,
    database_ms: callStats.ms,
    database_calls: callStats.calls,
    client_id,
    bot_id,
  });
  if (c.get('runtime')?.settings.isDevelopment)
    c.res.headers.set('server-timing', serverTiming(durationMs, callStats));
});

const serverTiming = (total: number, { ms, calls }: CallStats) =>
  `total;dur=${total}, database;dur=${ms};desc="${calls} calls"`;
