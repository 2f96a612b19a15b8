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

const keys: string[] = [];
const texts: string[] = [];
const idempotencyKeys: string[] = [];

export function recordText(text: string): void {
  texts.push(text);
}

export function recordIdempotencyKey(key: string): void {
  idempotencyKeys.push(key);
}

/** Finds the keys in a request's body, wherever they stand in it. */
export function recordKeysOf(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [name, value] of Object.entries(body)) {
    if (name === 'private_key') keys.push(typeof value === 'string' ? value : JSON.stringify(value));
    else recordKeysOf(value);
  }
}

for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
  // biome-ignore lint/suspicious/noConsole: what is logged here is what must hold no secret
  const original = console[method];
  console[method] = (...args: unknown[]) => {
    const text = args.map(String).join(' ');
    recordText(text);
    // The code's own lines are kept and not shown: there are thousands.
    if (!text.startsWith('{"level":')) original(...args);
  };
}

afterAll(async () => {
  const recording: Recording = { keys, texts, idempotencyKeys };
  await fetch(`${inject('operatorUrl')}/record`, { method: 'POST', body: JSON.stringify(recording) });
  keys.length = 0;
  texts.length = 0;
  idempotencyKeys.length = 0;
});
