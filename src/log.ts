/** The log for operators: one JSON object per line. It must not contain any value of a request or a response. */

export interface LogEntry {
  readonly event: string;
  readonly level?: 'info' | 'error';
  readonly [field: string]: string | number | boolean | null | undefined;
}

export function log({ level = 'info', ...entry }: LogEntry): void {
  // biome-ignore lint/suspicious/noConsole: the runtime writes the console to its log
  console[level](JSON.stringify({ level, ...entry }));
}
