import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { Problem } from '../problem.ts';

/** RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** Who calls: a Supabase session. From here on the database answers under this very token. */
export const authenticate = createMiddleware<AppEnv>(async (c, next) => {
  const header = c.req.header('authorization');
  if (header === undefined) throw new Problem('authentication_required');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new Problem('token_invalid');
  const { runtime, requestId } = c.var;
  await runtime.verifier.verify(token);
  c.set('database', runtime.database().asCaller({ token, requestId }));
  await next();
});
