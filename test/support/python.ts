/** The machine's own `python3`, for tests of the Python package. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PROBE = 'import sys; print("ok" if sys.version_info >= (3, 9) else "%d.%d" % sys.version_info[:2])';

/** Why the tests of the Python package cannot run here, or undefined. */
export function pythonMissing(): string | undefined {
  const { status, stdout } = spawnSync('python3', ['-c', PROBE], { encoding: 'utf8' });
  if (status !== 0) return 'python3 is not installed: the Python package is not tested';
  return stdout.trim() === 'ok'
    ? undefined
    : `python3 is ${stdout.trim()}, older than 3.9: the Python package is not tested`;
}

/** The environment in which `import trading_keys` finds the package of this repository. */
export const pythonEnvironment = (settings: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  ...process.env,
  PYTHONPATH: join(import.meta.dirname, '..', '..', 'python'),
  PYTHONDONTWRITEBYTECODE: '1',
  ...settings,
});
