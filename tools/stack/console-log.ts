import { Console } from 'node:console';
import { createWriteStream } from 'node:fs';

/** lite writes every refused statement to the console. This process's console becomes a file. */
export function logConsoleTo(path: string): void {
  const file = createWriteStream(path, { flags: 'a' });
  globalThis.console = new Console(file, file);
}
