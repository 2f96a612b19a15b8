/** Runs `supabase/tests/**\/*.test.sql` without psql, pg_prove or Docker; `supabase test db` runs the same files. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import postgres from 'postgres';

export const TESTS = join(import.meta.dirname, '..', '..', 'supabase', 'tests');
const PGTAP = 'share/postgresql/extension/pgtap--1.3.5.sql';

export function testFiles(): string[] {
  return readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.sql'))
    .sort();
}

/** The archive of pgTAP in PGlite, which is a dependency of `@supabase/lite`. */
function pgtapSource(): string {
  const lite = findPackageJSON('@supabase/lite', import.meta.url);
  if (lite === undefined) throw new Error('@supabase/lite is not installed: run npm ci.');
  const archive = join(dirname(createRequire(lite).resolve('@electric-sql/pglite')), 'pgtap.tar.gz');
  const tar = gunzipSync(readFileSync(archive));
  for (let at = 0; at < tar.length; ) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0;
    if (name === PGTAP) return tar.toString('utf8', at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`${archive} has no ${PGTAP}`);
}

/** Installs pgTAP into a schema of its own, which every role of a test may use. */
export async function installPgtap(superuser: postgres.Sql): Promise<void> {
  await superuser.begin(async (sql) => {
    const text = `create schema tap; grant usage on schema tap to public; set local search_path = tap; ${pgtapSource()}`;
    await sql.unsafe(text).simple();
  });
}

/** A file's text, with psql's `\ir <file>` lines replaced by those files. */
function sourceOf(path: string): string {
  const include = (_: string, other: string) => sourceOf(join(dirname(path), other.trim()));
  return readFileSync(path, 'utf8').replace(/^\\ir (.+)$/gm, include);
}

/** Runs one file as psql would, in the transaction that it opens and rolls back. Returns its lines. */
export async function runFile(connection: postgres.ReservedSql, path: string): Promise<string[]> {
  const source = sourceOf(join(TESTS, path));
  await connection`set search_path to public, extensions, tap`;
  try {
    const results: Iterable<Iterable<postgres.Row>> = await connection.unsafe(source).simple();
    return [...results].flatMap((rows) =>
      [...rows].flatMap((row) => Object.values(row).flatMap((cell) => String(cell ?? '').split('\n'))),
    );
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error;
    // Not as the cause, which would contain the whole file.
    const near = source.slice(Number(error.position ?? 1) - 1).slice(0, 80);
    throw new Error(`${path} stops: ${error.code} ${error.message}\n${error.where ?? near}`);
  } finally {
    await connection.unsafe('rollback').simple();
  }
}

/** The errors in the lines of one file: every failure with its diagnosis, and a plan that was not met. */
export function failuresOf(lines: readonly string[]): string[] {
  const plans = lines.flatMap((line) => /^1\.\.(\d+)$/.exec(line)?.[1] ?? []).map(Number);
  const numbers = lines.flatMap((line) => /^(?:not )?ok (\d+)\b/.exec(line)?.[1] ?? []).map(Number);
  const failures: string[] = [];
  let failing = false;
  for (const line of lines) {
    if (/^(?:not )?ok\b/.test(line)) failing = line.startsWith('not ok');
    if (failing && line.trim() !== '') failures.push(line);
  }
  if (plans.length !== 1 || plans[0] === 0) failures.push(`one plan is needed, there are ${plans.length}`);
  if (numbers.length !== plans[0]) failures.push(`planned ${plans[0]}, ran ${numbers.length}`);
  if (numbers.some((number, index) => number !== index + 1))
    failures.push('the lines are not numbered in order');
  return failures;
}
