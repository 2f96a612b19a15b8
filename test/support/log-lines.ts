/** Parses the log lines of the code under test. */
import { vi } from 'vitest';
import { recordText } from './recorder.ts';

export interface LogLine {
  readonly level: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads the fields that the line should have
  readonly [field: string]: any;
}

/** Records until `vi.restoreAllMocks()`. */
export function listenToLog() {
  const spies = (['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir'] as const).map((name) =>
    vi
      .spyOn(console, name)
      .mockImplementation((...args: unknown[]) => recordText(args.map(String).join(' '))),
  );
  /** Every line as it was printed. */
  const texts = () => spies.flatMap(({ mock }) => mock.calls.map((args) => args.map(String).join(' ')));
  return {
    texts,
    lines: (event: string): LogLine[] =>
      texts()
        .map((text) => JSON.parse(text) as LogLine)
        .filter((line) => line.event === event),
  };
}
