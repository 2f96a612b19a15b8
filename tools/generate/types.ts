/**
 * Generates `src/database/types.ts` from the migrated schema with the Supabase CLI. With `--check`, it writes nothing
 * and fails if the file differs from what the CLI generates.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres } from '../stack/postgres.ts';
import { startStack } from '../stack/stack.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TYPES = join(ROOT, 'src', 'database', 'types.ts');

/** The types that the CLI generates for this database. */
export function generateTypes(databaseUrl: string): string {
  const { status, stdout, stderr } = spawnSync(
    join(ROOT, 'node_modules', '.bin', 'supabase'),
    // Without `sslmode=disable`, the CLI writes a notice into its output.
    ['gen', 'types', '--lang', 'typescript', '--schema', 'public', `--remote=${databaseUrl}?sslmode=disable`],
    { encoding: 'utf8', env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: '1' } },
  );
  if (status !== 0) throw new Error(`supabase gen types failed:\n${stderr}`);
  return stdout;
}

async function main() {
  const directory = mkdtempSync(join(tmpdir(), 'trading-keys-types-'));
  chmodSync(directory, 0o755);
  const stack = await startStack({ directory, supabasePort: 0, durable: false });
  try {
    const generated = generateTypes(stack.databaseUrl);
    if (!process.argv.includes('--check')) writeFileSync(TYPES, generated);
    else if (readFileSync(TYPES, 'utf8') !== generated) {
      process.exitCode = 1;
      process.stderr.write('src/database/types.ts does not match the migrations. Run: npm run types\n');
    }
  } finally {
    await stack.stop();
    removePostgres(join(directory, 'postgres'));
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) await main();
