/**
 * Raises the version of the schema after a change of the migrations: in the last migration, and in `src/services/readiness`,
 * which `GET /ready` compares with the database. The last migration also holds a SHA-256 of all others, by which
 * `test/database/migrations` finds a change without a new version.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../operator/command.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const READINESS = join(ROOT, 'src', 'services', 'readiness.ts');
export const MIGRATIONS = join(ROOT, 'supabase', 'migrations');

export interface Migration {
  readonly name: string;
  readonly text: string;
}

export function readMigrations(): Migration[] {
  return readdirSync(MIGRATIONS)
    .sort()
    .map((name) => ({ name, text: readFileSync(join(MIGRATIONS, name), 'utf8') }));
}

/** SQL without comments and with single spaces. Strings and quoted names are matched too, because `--` may be in them. */
export const withoutComments = (sql: string): string =>
  sql
    .replaceAll(/('[^']*'|"[^"]*")|--.*|\/\*[\s\S]*?\*\//g, (_, quoted: string | undefined) => quoted ?? ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** The version and the SHA-256 that the last migration states. */
export function stated(last: string): { version: number; sha256: string } {
  const [, sha256] = /^-- SHA-256 of the other migrations: ([0-9a-f]{64})$/m.exec(last) ?? [];
  const [, version] = /^\s*return (\d+);$/m.exec(last) ?? [];
  if (sha256 === undefined || version === undefined)
    throw new Error('The last migration states no version and SHA-256.');
  return { version: Number(version), sha256 };
}

/** The SHA-256 of a version and the migrations before the last one. A comment, white space and a file name do not change it. */
export const hashOf = (version: number, others: readonly Migration[]): string =>
  createHash('sha256')
    .update([version, ...others.map(({ text }) => withoutComments(text))].join('\n'))
    .digest('hex');

function main() {
  readOptions(
    `Usage: npm run schema:version

Raises the version of the schema, if a migration has changed.`,
    {},
  );
  const migrations = readMigrations();
  const last = migrations.at(-1);
  if (last === undefined) throw new Error('There is no migration.');
  const others = migrations.slice(0, -1);
  const { version, sha256 } = stated(last.text);
  if (sha256 === hashOf(version, others)) {
    process.stdout.write(`No migration has changed since version ${version}.\n`);
    return;
  }
  const next = version + 1;
  const text = last.text
    .replace(/(?<=^-- SHA-256 of the other migrations: )\w+$/m, hashOf(next, others))
    .replace(/(?<=^\s*return )\d+(?=;$)/m, `${next}`);
  writeFileSync(join(MIGRATIONS, last.name), text);
  const readiness = readFileSync(READINESS, 'utf8');
  writeFileSync(READINESS, readiness.replace(/(?<=^export const SCHEMA_VERSION = )\d+/m, `${next}`));
  process.stdout.write(`The version of the schema is ${next}.\n`);
}

if (import.meta.main) main();
