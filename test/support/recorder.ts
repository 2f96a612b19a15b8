/**
 * Stores, for the leak scan at the end of the run, every private key that a test submits and every text that it
 * receives or that the code under test logs. A setup file of every project.
 */
import { afterAll, inject } from 'vitest';

export interface Recording {
  /** Keys as they were submitted. */
  readonly keys: readonly string[];
  /** Responses with their headers, and log lines. */
  readonly texts: readonly string[];
  /** Idempotency-Keys as they were sent. */
  readonly idempotencyKeys: readonly string[];
}

/**
 * One recorder for all files of a runtime. The runtime runs this file again for each of them, but a module that they
 * share, such as api.ts, keeps the functions of the first.
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

/** Finds the keys in the body of a request, at any depth. */
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
  // biome-ignore lint/suspicious/noConsole: the recorder must see every log line
  const original = console[method];
  console[method] = (...args: unknown[]) => {
    const text = args.map(String).join(' ');
    recordText(text);
    // The log lines of our own code are recorded and not shown: there are thousands.
    if (!text.startsWith('{"level":')) original(...args);
  };
}
shared.recordedConsole = console;

afterAll(async () => {
  await fetch(`${inject('operatorUrl')}/record`, { method: 'POST', body: JSON.stringify(recording) });
  for (const recorded of Object.values(recording)) recorded.length = 0;
});
