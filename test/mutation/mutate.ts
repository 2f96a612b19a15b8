/**
 * Breaks keys, crypto and authentication in hundreds of small ways and lists the changes that no test notices. Stryker is
 * installed under `.local/`, outside the project's dependencies; arguments after `--` are passed on to it.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';

const DIRECTORY = '.local/mutation';
const STRYKER = `${DIRECTORY}/node_modules/@stryker-mutator/core/bin/stryker.js`;
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

function run(command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

mkdirSync(DIRECTORY, { recursive: true });
cpSync('test/mutation/package.json', `${DIRECTORY}/package.json`);
// Without vitest, so that the runner finds the project's own vitest next.
run('npm', 'install', '--prefix', DIRECTORY, '--legacy-peer-deps', '--no-package-lock', ...QUIET);
run(process.execPath, STRYKER, 'run', 'test/mutation/stryker.config.json', ...process.argv.slice(2));
