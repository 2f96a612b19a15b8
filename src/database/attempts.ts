/** When a call is made a second time. There is never a third: after two failures the caller decides. */
import type { TimeLimits } from '../time-limits.ts';
import { CallFailure } from './answer.ts';

/** Of a call that may be repeated, the share of its time that the first attempt gets. */
const FIRST_SHARE = 1 / 2;
/** With less than this share left, a second attempt would only be cut off. */
const LEAST_SHARE = 1 / 5;

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
  const first = await attempt(AbortSignal.timeout(repeatable ? callMs * FIRST_SHARE : callMs)).catch(
    asFailure,
  );
  if (!(first instanceof CallFailure)) return first;
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

function asFailure(error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  throw error;
}
