/**
 * `npm run import`: takes clients, bots and keys from the old backend's database. Keys are opened with its Fernet key
 * and sealed with ours; see docs/import.md. Secrets come by the environment alone: arguments are seen by everybody.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { connectAsOperator } from './connect.ts';
import { type FernetKey, readFernetKeys } from './import/fernet.ts';
import { type MapFile, parseMap } from './import/mapping.ts';
import { Report } from './import/report.ts';
import { readSource, runImport, type Source } from './import/run.ts';
import { reasonOf, Stop } from './import/stop.ts';

const USAGE = `Usage: npm run import -- [--dump FILE|-] [options]

  --dump FILE             a plain dump of the old database, - for the standard input; else LEGACY_DATABASE_URL is read
  --source NAME           names the old database, where there are several (default: legacy)
  --map FILE              JSON: where the old database keeps what
  --bot-type-map OLD=NEW  a bot type by what the old database calls it; may be given several times
  --keys-from-wallets     take keys of wallets whose client has no trading key
  --dry-run               say what would be taken, and write nothing
  --allow-refused         end well although rows were refused

Environment: LEGACY_ENCRYPTION_KEY (Fernet, several with commas), ENCRYPTION_KEY, DATABASE_URL, LEGACY_DATABASE_URL`;

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const options = readOptions();
  const source = readSourceOption(options.dump);
  const map: MapFile = options.map === undefined ? {} : parseMap(readFileSync(options.map, 'utf8'));
  const fernetKeys = readLegacyKey();
  const keyring = await parseKeyring(process.env.ENCRYPTION_KEY);
  const tables = await readSource(source, map);
  const sql = connectAsOperator();
  try {
    const report = new Report(say);
    say(`Keys are sealed by the master key ${keyring.primary.id}.`);
    if (options['dry-run']) say('A dry run: nothing is written.');
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
      report.sayTotals();
    }
    return report.refused === 0 || options['allow-refused'] ? 0 : 1;
  } finally {
    for (const { signing, encryption } of fernetKeys) for (const half of [signing, encryption]) half.fill(0);
    await sql.end({ timeout: 5 });
  }
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        dump: { type: 'string' },
        source: { type: 'string' },
        map: { type: 'string' },
        'bot-type-map': { type: 'string', multiple: true },
        'keys-from-wallets': { type: 'boolean' },
        'dry-run': { type: 'boolean' },
        'allow-refused': { type: 'boolean' },
      },
    });
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(values.source ?? 'legacy')) throw new Stop(USAGE);
    return values;
  } catch {
    throw new Stop(USAGE); // without the cause, which quotes the argument
  }
}

function readSourceOption(dump: string | undefined): Source {
  if (dump !== undefined) return { dump };
  const url = process.env.LEGACY_DATABASE_URL?.trim();
  if (!url) throw new Stop('Give a dump by --dump, or the old database by LEGACY_DATABASE_URL.');
  return { url };
}

function readLegacyKey(): FernetKey[] {
  const setting = process.env.LEGACY_ENCRYPTION_KEY?.trim();
  if (!setting)
    throw new Stop('LEGACY_ENCRYPTION_KEY is not set: it is the ENCRYPTION_KEY of the old backend.');
  try {
    return readFernetKeys(setting);
  } catch {
    throw new Stop('LEGACY_ENCRYPTION_KEY is no Fernet key: base64url of 32 bytes, with its padding.');
  }
}

function readBotTypes(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at < 1) throw new Stop('A bot type is mapped as OLD=NEW.');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 2;
}
