/** What an operator reads: one JSON object a line. Nothing of a request or an answer may stand in it. */

export interface LogEntry {
  readonly event: string;
  readonly level?: 'info' | 'error';
  readonly [field: string]: string | number | boolean | null | undefined;
}

export function log({ level = 'info', ...entry }: LogEntry): void {
  // biome-ignore lint/suspicious/noConsole: the runtime's log is where an operator looks
  console[level](JSON.stringify({ level, ...entry }));
}
