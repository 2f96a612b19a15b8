import { Console } from 'node:console';
import { createWriteStream } from 'node:fs';

/** Redirects the console of this process to a file, because lite writes every rejected statement to the console. */
export function logConsoleTo(path: string): void {
  const file = createWriteStream(path, { flags: 'a' });
  globalThis.console = new Console(file, file);
}
