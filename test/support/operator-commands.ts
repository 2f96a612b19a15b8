/** Runs an operator command as a process, as npm does, with only the given environment. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { recordText } from './recorder.ts';

export const OPERATOR = join(import.meta.dirname, '..', '..', 'tools', 'operator');

export interface CommandRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param command a file of tools/operator, such as `keys-status` */
export function runOperator(
  command: string,
  args: readonly string[],
  { env = {}, cwd = '/', input = '' }: CommandRun = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [join(OPERATOR, `${command}.ts`), ...args], { env, cwd });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      // A backup holds envelopes. The scan for leaks judges everything else.
      const isBackup = command === 'backup' && args.includes('-');
      recordText(isBackup ? err : out + err);
      resolve({ code, out, err });
    });
  });
}
