/**
 * Counts requests of each caller, in the Workers runtime's own counters: of one Cloudflare location, and only nearly exact. Where
 * there are none, as on other runtimes, nothing is limited.
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

/** The longest period that the runtime counts in: how long it is until an unknown one has passed. */
const MAX_PERIOD_SECONDS = 60;

/**
 * Counts one call of a caller that was verified: nobody else can use up what is counted here.
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
    // draft-ietf-httpapi-ratelimit-headers-10: nothing remains, for at most this long.
    ratelimit: `"${kind}";r=0;t=${seconds}`,
    ...(policy && { 'ratelimit-policy': policy }),
  });
}

/** If a counter fails, nobody is rejected. */
async function mayPass(limiter: RateLimiter, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success;
  } catch {
    return true;
  }
}

/** Counts a call by the network that it came from, where nobody is known to ask. @throws {Problem} rate_limited */
export function countByNetwork(c: Context<AppEnv>, kind: RateClass): Promise<void> {
  return countCall(c, kind, `network ${networkOf(c.req.header('cf-connecting-ip'))}`);
}

/** Counts a credential that nobody vouches for. @throws {Problem} rate_limited */
export const countGuess = (c: Context<AppEnv>): Promise<void> => countByNetwork(c, 'guesses');

/** The item of the header that is about this kind of call: `"reads";q=1200;w=60`. */
function policyOf(kind: string, policies: string): string | undefined {
  return policies
    .split(',')
    .map((item) => item.trim())
    .find((item) => item.startsWith(`"${kind}";`));
}
