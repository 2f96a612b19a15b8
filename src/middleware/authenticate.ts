import type { Context, MiddlewareHandler, Next } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { hashOfMachineToken, isMachineToken } from '../machine-token.ts';
import { Problem } from '../problem.ts';
import { routeOf } from './route.ts';

/** RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Who may ask: somebody with a session, a runner with its machine token, or anyone. */
export type Access = 'session' | 'runner' | 'anyone';

/**
 * Decides by the route who has to be asking. `accessOf` is given the method and the path of the route, or the
 * path asked for where no route has it; what it does not name is for sessions. A handler reaches the database
 * only through what is set here.
 */
export function authenticate(accessOf: (path: string, method?: string) => Access): MiddlewareHandler<AppEnv> {
  return createMiddleware<AppEnv>(async (c, next) => {
    const route = routeOf(c);
    switch (route ? accessOf(route.path, route.method) : accessOf(c.req.path)) {
      case 'anyone':
        return next();
      case 'runner':
        return asRunner(c, next);
      case 'session':
        return asCaller(c, next);
    }
  });
}

/** A Supabase session. From here on the database answers under this very token. */
async function asCaller(c: Context<AppEnv>, next: Next): Promise<void> {
  const token = bearer(c);
  const { runtime, requestId, tally } = c.var;
  await runtime.verifier.verify(token);
  c.set('database', runtime.database().asCaller({ token, requestId, tally }));
  await next();
}

/** A machine token. Whether it is in force is for the database to say, in the call that does the work. */
async function asRunner(c: Context<AppEnv>, next: Next): Promise<void> {
  const token = bearer(c);
  if (!isMachineToken(token)) throw new Problem('token_invalid');
  const { runtime, requestId, tally } = c.var;
  const tokenHash = hashOfMachineToken(token);
  c.set('runnerDatabase', runtime.database().asRunner({ tokenHash, requestId, tally }));
  await next();
}

function bearer(c: Context<AppEnv>): string {
  const header = c.req.header('authorization');
  if (header === undefined) throw new Problem('authentication_required');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new Problem('token_invalid');
  return token;
}
