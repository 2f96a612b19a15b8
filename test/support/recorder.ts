/**
 * Keeps, for the leak scan at the end of the run, every private key that a test submits and every text that it
 * gets back or that the code under test logs. A setup file of every project.
 */
import { afterAll, inject } from 'vitest';

export interface Recording {
  /** Keys as they were submitted. */
  readonly keys: readonly string[];
  /** Answers with their headers, and log lines. */
  readonly texts: readonly string[];
  /** Idempotency-Keys as they were sent. */
  readonly idempotencyKeys: readonly string[];
}

/**
 * One for all files of a runtime, which runs this file anew for each of them: what they import in common, such as
 * api.ts, holds on to the functions of the first.
 */
const shared = globalThis as {
  recording?: { [Kind in keyof Recording]: string[] };
  recordedConsole?: typeof console;
};
shared.recording ??= { keys: [], texts: [], idempotencyKeys: [] };
const recording = shared.recording;

export function recordText(text: string): void {
  recording.texts.push(text);
}

export function recordIdempotencyKey(key: string): void {
  recording.idempotencyKeys.push(key);
}

/** Finds the keys in a request's body, wherever they stand in it. */
export function recordKeysOf(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [name, value] of Object.entries(body)) {
    if (name === 'private_key')
      recording.keys.push(typeof value === 'string' ? value : JSON.stringify(value));
    else recordKeysOf(value);
  }
}

const METHODS = ['log', 'info', 'warn', 'error', 'debug'] as const;
for (const method of shared.recordedConsole === console ? [] : METHODS) {
  // biome-ignore lint/suspicious/noConsole: what is logged here is what must hold no secret
  const original = console[method];
  console[method] = (...args: unknown[]) => {
    const text = args.map(String).join(' ');
    recordText(text);
    // The code's own lines are kept and not shown: there are thousands.
    if (!text.startsWith('{"level":')) original(...args);
  };
}
shared.recordedConsole = console;

afterAll(async () => {
  await fetch(`${inject('operatorUrl')}/record`, { method: 'POST', body: JSON.stringify(recording) });
  for (const recorded of Object.values(recording)) recorded.length = 0;
});
