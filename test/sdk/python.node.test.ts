/** The tests of the Python package, by the machine's own `python3`. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pythonEnvironment, pythonMissing } from '../support/python.ts';

const missing = pythonMissing();

test(missing ?? 'python -m unittest passes, without a warning', (context) => {
  if (missing) return context.skip(missing);
  const { status, stderr } = spawnSync(
    'python3',
    ['-W', 'error', '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'],
    {
      cwd: 'python',
      encoding: 'utf8',
      env: pythonEnvironment(),
    },
  );
  expect(stderr).toMatch(/Ran [1-9]\d+ tests in .*\n\nOK\n$/);
  expect(stderr).not.toContain('Warning');
  expect(status).toBe(0);
});

test('it has the version of this repository, and no dependencies', () => {
  const project = readFileSync('python/pyproject.toml', 'utf8');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(project).toContain(`version = "${version}"`);
  expect(project).toContain('dependencies = []');
});

test(missing ?? 'it imports nothing but the standard library', (context) => {
  if (missing) return context.skip(missing);
  // -S leaves out installed packages.
  const { status, stderr } = spawnSync('python3', ['-S', '-c', 'import trading_keys'], {
    encoding: 'utf8',
    env: pythonEnvironment(),
  });
  expect([status, stderr]).toEqual([0, '']);
});
