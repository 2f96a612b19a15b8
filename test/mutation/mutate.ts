/**
 * Breaks keys, crypto and authentication in hundreds of small ways and reports the changes that no test detects. Stryker
 * is installed under `.local/`, outside the project's dependencies.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { readOptions } from '../../tools/operator/command.ts';

const DIRECTORY = '.local/mutation';
const STRYKER = `${DIRECTORY}/node_modules/@stryker-mutator/core/bin/stryker.js`;
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

const { force, mutate } = readOptions(
  `Usage: npm run mutate -- [options]

  --force           runs every mutant again, also where nothing changed
  --mutate PATTERN  only these files, such as 'src/keys/*.ts'`,
  { force: { type: 'boolean', default: false }, mutate: { type: 'string' } },
);
const options = [...(force ? ['--force'] : []), ...(mutate === undefined ? [] : ['--mutate', mutate])];

function run(command: string, ...args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

mkdirSync(DIRECTORY, { recursive: true });
cpSync('test/mutation/package.json', `${DIRECTORY}/package.json`);
// Without vitest, so that the runner finds the project's own vitest next.
run('npm', 'install', '--prefix', DIRECTORY, '--legacy-peer-deps', '--no-package-lock', ...QUIET);
run(process.execPath, STRYKER, 'run', 'test/mutation/stryker.config.json', ...options);
