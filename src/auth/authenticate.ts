import type { Context, Next } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { hashOfMachineToken, isMachineToken, MACHINE_TOKEN_PREFIX } from '../machine-token.ts';
import { countByNetwork, countCall, countGuess } from '../middleware/rate-limit.ts';
import { Problem } from '../problem.ts';
import type { Access } from './access.ts';
import { requireStepUp } from './step-up.ts';

/** RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
/** Machine tokens never have this form. So a token of the wrong kind is rejected without a database call. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * Authenticates the caller as the access of the route requires. Handlers reach the database only through the variables that
 * are set here. The body has not been read yet.
 *
 * An unknown path or method is a 404 or 405 for every caller, also without a credential: the list of routes is public.
 */
export const authenticate = createMiddleware<AppEnv>(async (c, next) => {
  const access = c.get('route')?.access;
  if (!access) return c.notFound();
  switch (access.who) {
    case 'anyone':
      await countByNetwork(c, access.rate);
      await next();
      break;
    case 'runner':
      await asRunner(c, next, access);
      break;
    case 'session':
      await asCaller(c, next, access);
      break;
  }
  const policy = c.get('rateLimitPolicy');
  if (policy !== undefined) c.res.headers.set('ratelimit-policy', policy);
  return undefined;
});

/** A Supabase session. All database calls of the request run under its access token. */
async function asCaller(c: Context<AppEnv>, next: Next, { rate, stepUp }: Access): Promise<void> {
  const { runtime, requestId, callStats } = c.var;
  const { token, session } = await countingUnverified(c, async () => {
    const token = bearer(c);
    if (token.startsWith(MACHINE_TOKEN_PREFIX)) throw new Problem('session_required');
    return { token, session: await runtime.verifier.verify(token) };
  });
  await countCall(c, rate, `account ${session.userId}`);
  const { expiresAt } = session;
  c.set('database', runtime.database().asCaller({ session: { token, expiresAt }, requestId, callStats }));
  if (stepUp) requireStepUp(session, runtime.settings);
  await next();
}

/** A machine token. The database verifies it in the same call that carries out the request. */
async function asRunner(c: Context<AppEnv>, next: Next, { rate }: Access): Promise<void> {
  const { runtime, requestId, callStats } = c.var;
  const token = await countingUnverified(c, async () => {
    const token = bearer(c);
    if (JWT_FORM.test(token)) throw new Problem('machine_token_required');
    if (!isMachineToken(token)) throw new Problem('token_invalid');
    return token;
  });
  const tokenHash = hashOfMachineToken(token);
  // Anybody can invent a token of the right form. Until the database has found a token, its requests count as guesses. So
  // guesses are limited before the body is read and the database is called, and tokens in use are not.
  const { knownTokens } = runtime;
  if (!knownTokens.has(tokenHash)) await countGuess(c);
  const countAnother = () => countCall(c, rate, `token ${tokenHash}`);
  await countAnother();
  c.set('countAnother', countAnother);
  const onTokenChecked = (isKnown: boolean) =>
    isKnown ? remember(knownTokens, tokenHash) : knownTokens.delete(tokenHash);
  c.set('runnerDatabase', runtime.database().asRunner({ token, requestId, callStats, onTokenChecked }));
  await next();
}

const MAX_KNOWN_TOKENS = 10_000;

function remember(tokens: Set<string>, hash: string): void {
  tokens.add(hash);
  const [oldest] = tokens;
  if (tokens.size > MAX_KNOWN_TOKENS && oldest !== undefined) tokens.delete(oldest);
}

/** The credential was never valid on this route. */
const GUESSES = ['token_invalid', 'oauth_token_rejected', 'session_required', 'machine_token_required'];

/**
 * Counts a rejected credential by network: as a guess if it was never valid, and as a read if it has expired. It is not
 * counted by account, because then the holder of an expired token could use up the rate limit of its owner.
 */
async function countingUnverified<Value>(c: Context<AppEnv>, verify: () => Promise<Value>): Promise<Value> {
  try {
    return await verify();
  } catch (error) {
    const code = error instanceof Problem ? error.code : '';
    if (GUESSES.includes(code)) await countGuess(c);
    if (code === 'token_expired') await countByNetwork(c, 'reads');
    throw error;
  }
}

function bearer(c: Context<AppEnv>): string {
  const header = c.req.header('authorization');
  if (header === undefined) throw new Problem('authentication_required');
  const token = BEARER.exec(header)?.[1];
  if (token === undefined) throw new Problem('token_invalid');
  return token;
}
