/** A directory in which programs import the package by its name, as in the repository after `npm run build`. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What the build reads. It writes `dist/` into the directory, so that tests do not build into the same place. */
const LINKED = ['package.json', 'tsconfig.json', 'LICENSE', 'node_modules', 'src'];

export interface BuiltPackage {
  readonly home: string;
  remove(): void;
}

/** @param programs folders that are copied there, because Node looks for the package where a program really is */
export function buildPackage(...programs: string[]): BuiltPackage {
  const home = mkdtempSync(join(tmpdir(), 'trading-keys-built-'));
  for (const name of LINKED) symlinkSync(resolve(name), join(home, name));
  for (const name of programs) cpSync(name, join(home, name), { recursive: true });
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build', '--silent'], {
    cwd: home,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm run build: ${status}\n${stdout}\n${stderr}`);
  return { home, remove: () => rmSync(home, { recursive: true, force: true }) };
}
