/** When a call is tried again, and how long it waits before. */
import { ApiProblem, NoAnswer } from './errors.ts';

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 5_000;
/** Who is asked to wait longer than this had better tell its caller. */
const LONGEST_RETRY_AFTER_MS = 30_000;
const PASSING: readonly number[] = [429, 502, 503, 504];

/** Milliseconds to wait before trying again, or `undefined` where that would not help. */
export function delayBeforeRetry(error: unknown, retry: number, random = Math.random): number | undefined {
  if (error instanceof NoAnswer) return backoff(retry, random);
  if (!(error instanceof ApiProblem) || !PASSING.includes(error.status)) return undefined;
  // The API sends Retry-After with a 503 that passes by itself. A proxy in front of it may not.
  const fromApi = error.code !== 'unexpected_answer';
  if (error.status === 503 && fromApi && error.retryAfterMs === undefined) return undefined;
  const asked = error.retryAfterMs ?? 0;
  return asked > LONGEST_RETRY_AFTER_MS ? undefined : asked + backoff(retry, random);
}

/** Doubles with each retry; "full jitter", so that callers who failed together do not return together. */
function backoff(retry: number, random: () => number): number {
  return random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** retry);
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
export function parseRetryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
