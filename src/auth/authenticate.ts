import type { Context, Next } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../app-env.ts';
import { hashOfMachineToken, isMachineToken, MACHINE_TOKEN_PREFIX } from '../machine-token.ts';
import { countCall, countGuess, countStranger } from '../middleware/rate-limit.ts';
import { Problem } from '../problem.ts';
import type { Access } from './access.ts';
import { requireStepUp } from './step-up.ts';

/** RFC 6750, section 2.1. */
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;
/** The form alone tells the two kinds of token apart: a wrong kind is rejected without looking the token up. */
const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/**
 * Decides by the access of the route who may call it. A handler reaches the database only through what is set here. Up to
 * here nothing of the body was read.
 *
 * A path or method that no route has is 404 or 405 for every caller: a valid machine token or session is not at fault for
 * it, and the list of routes is public.
 */
export const authenticate = createMiddleware<AppEnv>(async (c, next) => {
  const access = c.get('route')?.access;
  if (!access) return c.notFound();
  switch (access.who) {
    case 'anyone':
      await countStranger(c, access.rate);
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

/** A Supabase session. From here on the database answers under this very token. */
async function asCaller(c: Context<AppEnv>, next: Next, { rate, stepUp }: Access): Promise<void> {
  const { runtime, requestId, tally } = c.var;
  const { token, session } = await countingUnverified(c, async () => {
    const token = bearer(c);
    if (token.startsWith(MACHINE_TOKEN_PREFIX)) throw new Problem('session_required');
    return { token, session: await runtime.verifier.verify(token) };
  });
  await countCall(c, rate, `account ${session.userId}`);
  const { expiresAt } = session;
  c.set('database', runtime.database().asCaller({ session: { token, expiresAt }, requestId, tally }));
  if (stepUp) requireStepUp(session, runtime.settings);
  await next();
}

/** A machine token. The database decides whether it is valid, in the call that does the work. */
async function asRunner(c: Context<AppEnv>, next: Next, { rate }: Access): Promise<void> {
  const { runtime, requestId, tally } = c.var;
  const token = await countingUnverified(c, async () => {
    const token = bearer(c);
    if (JWT_FORM.test(token)) throw new Problem('machine_token_required');
    if (!isMachineToken(token)) throw new Problem('token_invalid');
    return token;
  });
  const tokenHash = hashOfMachineToken(token);
  // Anybody can make up a token of the right form. It counts as a guess until the database has found it, so that guesses
  // are limited before a body is read and the database is called. Tokens in use do not count as guesses.
  const { knownTokens } = runtime;
  if (!knownTokens.has(tokenHash)) await countGuess(c);
  await countCall(c, rate, `token ${tokenHash}`);
  const onTokenChecked = (isKnown: boolean) =>
    isKnown ? remember(knownTokens, tokenHash) : knownTokens.delete(tokenHash);
  c.set('runnerDatabase', runtime.database().asRunner({ token, requestId, tally, onTokenChecked }));
  await next();
}

const MOST_KNOWN_TOKENS = 10_000;

function remember(tokens: Set<string>, hash: string): void {
  tokens.add(hash);
  const [oldest] = tokens;
  if (tokens.size > MOST_KNOWN_TOKENS && oldest !== undefined) tokens.delete(oldest);
}

/** Never valid on this route, whatever the time. */
const GUESSES = ['token_invalid', 'oauth_token_rejected', 'session_required', 'machine_token_required'];

/**
 * Counts, by network, a credential that verifies nobody: one that was never valid as a guess, and an expired one, which
 * was valid and is not a guess, as a read. By account an expired token could use up what its owner's session may do.
 */
async function countingUnverified<Value>(c: Context<AppEnv>, verify: () => Promise<Value>): Promise<Value> {
  try {
    return await verify();
  } catch (error) {
    const code = error instanceof Problem ? error.code : '';
    if (GUESSES.includes(code)) await countGuess(c);
    if (code === 'token_expired') await countStranger(c, 'reads');
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
