/** The stack that `npm run dev` runs on this machine, as the file that it keeps while it runs describes it. */
import { existsSync, readFileSync } from 'node:fs';
import type { StackFile } from '../stack/dev.ts';

const STACK_FILE = '.local/stack.json';

export function readLocalStack(): StackFile | undefined {
  return existsSync(STACK_FILE) ? JSON.parse(readFileSync(STACK_FILE, 'utf8')) : undefined;
}
