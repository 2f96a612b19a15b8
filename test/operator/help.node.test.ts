/** Every npm script that is a program of this repository: `--help`, and an option that it does not have. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
/** Scripts that run the tool of another package, which has its own `--help`. */
const OTHER_TOOLS = /^(?:REDOCLY_\S+ )*(?:vitest|biome|tsc|wrangler|redocly|rm) |^npm run \w+ && npm run /;

const programs = Object.entries(scripts).flatMap(([name, script]): [string, string][] => {
  const file = /\bnode ((?:tools|test)\/\S+\.ts)$/.exec(script)?.[1];
  return file === undefined ? [] : [[name, file]];
});

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'trading-keys-help-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** In an empty directory, where a program that does more than read its options leaves files or does not end. */
function run(file: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--no-warnings', join(ROOT, file), ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

it('every script is a program of this repository or a tool of another package', () => {
  const others = Object.keys(scripts).filter((name) => !programs.some(([program]) => program === name));
  expect(others.filter((name) => !OTHER_TOOLS.test(scripts[name] ?? ''))).toEqual([]);
  expect(programs.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      'dev',
      'demo',
      'runner',
      'bench',
      'soak',
      'mutate',
      'types',
      'openapi',
      'import',
    ]),
  );
});

// Concurrent, because each case starts a process.
describe.concurrent.each(programs)('npm run %s', (name, file) => {
  it('--help -> the usage and exit code 0', async () => {
    const { code, out, err } = await run(file, '--help');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`^Usage: npm run (?:--silent )?${name}\\b`));
  });

  it('an unknown option -> the usage and exit code 2, without a stack trace', async () => {
    const { code, out, err } = await run(file, '--wrong');
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^An option is unknown .*\n\nUsage: npm run /);
    expect(err).not.toMatch(/\n {4}at |node:internal/);
    expect(readdirSync(directory)).toEqual([]);
  });
});
