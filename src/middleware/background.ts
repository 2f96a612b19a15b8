import type { Context, ExecutionContext } from 'hono';

/** Does something that the answer does not wait for. `work` never rejects. */
export function inBackground(c: Context, work: () => Promise<void>): void {
  const done = work();
  executionContextOf(c)?.waitUntil(done);
}

/** A Worker has to be told to live on until the work is done; other runtimes live on anyway, and have none. */
function executionContextOf(c: Context): ExecutionContext | undefined {
  try {
    return c.executionCtx;
  } catch {
    return undefined;
  }
}
