/** When a call is made again. After two failures the caller decides; a call that waits for a lock is not a failure yet. */
import type { TimeLimits } from '../time-limits.ts';
import { CallFailure } from './answer.ts';

/** Of a call that may be repeated, the share of its time that the first attempt gets. */
const FIRST_SHARE = 1 / 2;
/** With less than this share left, a second attempt would only be cut off. */
const LEAST_SHARE = 1 / 5;

const SHORTEST_BUSY_PAUSE_MS = 25;
const LONGEST_BUSY_PAUSE_MS = 400;

/**
 * Calls once, and once more if that may help: where nothing was done, or where doing it twice is doing it once.
 * Both together end within `callMs`.
 *
 * @throws {Problem}
 */
export async function attempts<Answer>(
  { callMs, pauseMs, rejectedPauseMs }: TimeLimits,
  repeatable: boolean,
  attempt: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const deadline = Date.now() + callMs;
  const share = repeatable ? callMs * FIRST_SHARE : callMs;
  const first = await whileBusy(share, deadline, callMs * LEAST_SHARE, attempt).catch(asFailure);
  if (!(first instanceof CallFailure)) return first;
  if (first.passing === 'busy') throw first.problem;
  const mayHelp = first.passing === 'unknown' ? repeatable : first.passing !== undefined;
  const wait = Math.max(first.retryAfterMs, first.passing === 'rejected' ? rejectedPauseMs : 0);
  // Callers who failed together do not retry together.
  const pause = wait + pauseMs * (0.5 + Math.random());
  const left = Math.floor(deadline - Date.now() - pause);
  if (!mayHelp || left < callMs * LEAST_SHARE) throw first.problem;
  await new Promise((resolve) => setTimeout(resolve, pause));
  const second = await attempt(AbortSignal.timeout(left)).catch(asFailure);
  if (second instanceof CallFailure) throw second.problem;
  return second;
}

/**
 * Waits here, and not on a connection of the database, while too many calls wait for the same lock. Nothing was done, so
 * that any call may be made again.
 */
async function whileBusy<Answer>(
  share: number,
  deadline: number,
  least: number,
  attempt: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  let limit = share;
  for (let pause = SHORTEST_BUSY_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_BUSY_PAUSE_MS)) {
    try {
      return await attempt(AbortSignal.timeout(limit));
    } catch (error) {
      if (!(error instanceof CallFailure) || error.passing !== 'busy') throw error;
      const wait = pause * (0.5 + Math.random());
      const left = Math.floor(deadline - Date.now() - wait);
      if (left < least) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
      limit = Math.min(share, left);
    }
  }
}

function asFailure(error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  throw error;
}
