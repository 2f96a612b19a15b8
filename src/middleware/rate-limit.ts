/**
 * Rate limits, with the counters of the Workers runtime. They count for one Cloudflare location and are not exact. Other
 * runtimes do not have such counters, so nothing is limited there.
 */
import type { Context } from 'hono';
import type { AppEnv } from '../app-env.ts';
import type { RateClass } from '../auth/access.ts';
import type { RateLimiter, RateLimiters } from '../env.ts';
import { Problem } from '../problem.ts';
import { networkOf } from './network.ts';

const LIMITERS = {
  reads: 'READ_LIMIT',
  changes: 'CHANGE_LIMIT',
  signing: 'SIGN_LIMIT',
  guesses: 'GUESS_LIMIT',
} as const satisfies Record<Exclude<RateClass, 'never'>, keyof RateLimiters>;

/** The longest period that the runtime supports. It is the `Retry-After` if RATE_LIMIT_POLICY does not have the period. */
const MAX_PERIOD_SECONDS = 60;

/**
 * Counts one request. `caller` must be verified, so that nobody else can use up the limit of this caller.
 *
 * @throws {Problem} rate_limited
 */
export async function countCall(c: Context<AppEnv>, kind: RateClass, caller: string): Promise<void> {
  if (kind === 'never') return;
  const limiter = c.env[LIMITERS[kind]];
  if (!limiter) return;
  const policy = policyOf(kind, c.get('runtime').settings.rateLimitPolicy);
  if (await mayPass(limiter, caller)) {
    if (policy) c.set('rateLimitPolicy', policy);
    return;
  }
  const seconds = /;w=(\d+)/.exec(policy ?? '')?.[1] ?? String(MAX_PERIOD_SECONDS);
  throw new Problem('rate_limited', [], {
    'retry-after': seconds,
    // draft-ietf-httpapi-ratelimit-headers-10: `r` requests remain, and the limit resets after `t` seconds.
    ratelimit: `"${kind}";r=0;t=${seconds}`,
    ...(policy && { 'ratelimit-policy': policy }),
  });
}

/** If a counter fails, the request is accepted. */
async function mayPass(limiter: RateLimiter, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch {
    return true;
  }
}

/** Counts a request by its network, if the caller is not verified. @throws {Problem} rate_limited */
export function countByNetwork(c: Context<AppEnv>, kind: RateClass): Promise<void> {
  return countCall(c, kind, `network ${networkOf(c.req.header('cf-connecting-ip'))}`);
}

/** Counts a request with a credential that is not verified. @throws {Problem} rate_limited */
export const countGuess = (c: Context<AppEnv>): Promise<void> => countByNetwork(c, 'guesses');

/** The item of RATE_LIMIT_POLICY for this class of requests: `"reads";q=1200;w=60`. */
function policyOf(kind: string, policies: string): string | undefined {
  return policies
    .split(',')
    .map((item) => item.trim())
    .find((item) => item.startsWith(`"${kind}";`));
}
