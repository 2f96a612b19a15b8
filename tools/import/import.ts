/**
 * `npm run import`: imports clients, bots and keys from the database of the old backend. It opens keys with the Fernet
 * key of the old backend and seals them with the master key: see docs/how-to/import.md. Secrets are read from the environment
 * only, because every user of the machine can see arguments.
 */
import { readFileSync } from 'node:fs';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { print, runCommand, type Values } from '../operator/command.ts';
import { connectAsOperator, LOCAL, namedDatabase, WHICH_DATABASE } from '../operator/connect.ts';
import { OperatorError, UsageError } from '../operator/failure.ts';
import { readOldDatabase } from './connection.ts';
import { type FernetKey, readFernetKeys } from './fernet.ts';
import { type MapFile, parseMap, wantedBy } from './mapping.ts';
import { Report } from './report.ts';
import { runImport } from './run.ts';

const usage = `Usage: npm run import -- [--local] [options]

Reads the old database that LEGACY_DATABASE_URL names. Load a dump into a scratch database first: docs/how-to/import.md.

  --source NAME           names the old database, if there are several (default: legacy)
  --map FILE              JSON: tables and columns of the old database
  --bot-type-map OLD=NEW  a bot type by its name in the old database; may be given several times
  --keys-from-wallets     take keys of wallets whose client has no trading key
  --dry-run               print what would be taken, and write nothing
  --allow-refused         exit with 0 although rows were refused
${WHICH_DATABASE}

Environment: LEGACY_ENCRYPTION_KEY (Fernet, several with commas), ENCRYPTION_KEY, DATABASE_URL, LEGACY_DATABASE_URL

Exit codes: 0 nothing was refused; 1 rows were refused; 2 the command failed.`;

const importOptions = {
  source: { type: 'string' },
  map: { type: 'string' },
  'bot-type-map': { type: 'string', multiple: true },
  'keys-from-wallets': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'allow-refused': { type: 'boolean' },
  local: LOCAL,
} as const;

await runCommand({ usage, options: importOptions, failed: 2 }, main);

async function main(options: Values<typeof importOptions>): Promise<number> {
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(options.source ?? 'legacy')) {
    throw new UsageError('--source takes a name of lower-case letters, digits and hyphens.');
  }
  namedDatabase(options);
  const url = readLegacyUrl();
  const map: MapFile = options.map === undefined ? {} : parseMap(readFileSync(options.map, 'utf8'));
  const fernetKeys = readLegacyKey();
  const keyring = await parseKeyring(process.env.ENCRYPTION_KEY);
  const tables = await readOldDatabase(url, map.schema ?? 'public', wantedBy(map));
  const sql = await connectAsOperator(options);
  try {
    const report = new Report(print);
    print(`Keys are sealed by the master key ${keyring.primary.id}.`);
    if (options['dry-run']) print('This is a dry run. Nothing is written.');
    const job = {
      sql,
      keyring,
      source: options.source ?? 'legacy',
      botTypes: readBotTypes(options['bot-type-map'] ?? []),
      keysFromWallets: options['keys-from-wallets'] ?? false,
      dryRun: options['dry-run'] ?? false,
      claimed: new Map(),
    };
    try {
      for await (const outcome of runImport(job, tables, map, fernetKeys)) report.add(outcome);
    } finally {
      report.printTotals();
    }
    return report.refused === 0 || options['allow-refused'] ? 0 : 1;
  } finally {
    for (const { signing, encryption } of fernetKeys) for (const half of [signing, encryption]) half.fill(0);
    await sql.end({ timeout: 5 });
  }
}

function readLegacyUrl(): string {
  const url = process.env.LEGACY_DATABASE_URL?.trim();
  if (!url)
    throw new OperatorError(
      'LEGACY_DATABASE_URL is not set. It names the old database, or a scratch database into which its dump was loaded.',
    );
  return url;
}

function readLegacyKey(): FernetKey[] {
  const setting = process.env.LEGACY_ENCRYPTION_KEY?.trim();
  if (!setting)
    throw new OperatorError(
      'LEGACY_ENCRYPTION_KEY is not set. Set it to the ENCRYPTION_KEY of the old backend.',
    );
  try {
    return readFernetKeys(setting);
  } catch {
    throw new OperatorError(
      'LEGACY_ENCRYPTION_KEY is not a Fernet key: base64url of 32 bytes, with its padding.',
    );
  }
}

function readBotTypes(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at < 1) throw new OperatorError('--bot-type-map takes OLD=NEW.');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
