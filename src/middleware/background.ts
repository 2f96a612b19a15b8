import type { Context, ExecutionContext } from 'hono';

/** Starts work that the response does not wait for. `work` must never reject. */
export function inBackground(c: Context, work: () => Promise<void>): void {
  const done = work();
  executionContextOf(c)?.waitUntil(done);
}

/** A Worker may end before the work is done, unless `waitUntil` is called. Other runtimes have no execution context. */
function executionContextOf(c: Context): ExecutionContext | undefined {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}
