/** Reads the file that describes the local stack. `npm run dev` writes this file, and removes it when it stops. */
import { existsSync, readFileSync } from 'node:fs';
import type { StackFile } from '../stack/dev.ts';

const STACK_FILE = '.local/stack.json';

export function readLocalStack(): StackFile | undefined {
  return existsSync(STACK_FILE) ? JSON.parse(readFileSync(STACK_FILE, 'utf8')) : undefined;
}
