/** Starts one stack for the whole run, and gives its addresses to the tests. */
import { fork } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { end, firstMessage } from './own-stack.ts';
import { hideExpectedFailures } from './runtime-log.ts';
import type { SharedStack } from './shared-stack.ts';

declare module 'vitest' {
  export interface ProvidedContext extends SharedStack {
    /** For the scan for leaks: whether the tests of this run record the Idempotency-Keys that they send. */
    hasIdempotencyKeys: boolean;
  }
}

export default async function setup(project: TestProject) {
  hideExpectedFailures();
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-test-'));
  chmodSync(directory, 0o755);
  const child = fork(join(import.meta.dirname, 'shared-stack.ts'), [directory]);
  const stack = await firstMessage<SharedStack>(child);
  for (const name of Object.keys(stack) as (keyof SharedStack)[]) project.provide(name, stack[name]);
  return () => end(child);
}
