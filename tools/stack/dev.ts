/** `npm run dev`: runs the whole stack on this machine until Ctrl-C. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import postgres from 'postgres';
import { readOptions, rejectOptions } from '../operator/command.ts';
import { issueToken } from '../operator/tokens.ts';
import { type DemoAccounts, ensureDemoAccounts } from './accounts.ts';
import { logConsoleTo } from './console-log.ts';
import { lockDirectory } from './lock.ts';
import { freePort, isFree } from './ports.ts';
import { removePostgres } from './postgres.ts';
import { type Stack, startStack } from './stack.ts';
import { startWorker } from './worker.ts';

const API_PORT = 8787;
const SUPABASE_PORT = 54321;

/** The content of `.local/stack.json`: everything that other programs need to use the running stack. */
export interface StackFile {
  readonly api_url: string;
  readonly supabase_url: string;
  readonly publishable_key: string;
  readonly jwt_secret: string;
  readonly database_url: string;
  /** Null if the stack was started with `--empty`. */
  readonly admin: { readonly email: string; readonly password: string } | null;
  readonly clients: readonly {
    readonly id: string;
    readonly name: string;
    readonly email: string;
    readonly password: string;
  }[];
  readonly machine_token: string | null;
}

const print = (line: string) => process.stdout.write(`${line}\n`);

const usage = `Usage: npm run dev -- [options]

Runs PostgreSQL, a Supabase-compatible API and the Worker on this machine until Ctrl-C.

  --port N              the port of the API (default: ${API_PORT}, or a free port if that is in use)
  --supabase-port N     the port of the Supabase API (default: ${SUPABASE_PORT}, or a free port if that is in use)
  --directory D         where data, accounts and keys are kept (default: .local)
  --cron-every SECONDS  how often the cron runs (default: 60)
  --rpc-urls LIST       nodes for POST /bots/{id}/rpc, such as 31337=http://127.0.0.1:8545 (default: none)
  --rpc-fee-caps LIST   the fees that eth_sendTransaction fills in at most, such as 31337=100000000000 (default: none)
  --fresh               deletes data, accounts and the master key first
  --empty               creates no accounts: a database into which a backup can be restored`;

const options = readOptions(usage, {
  fresh: { type: 'boolean', default: false },
  empty: { type: 'boolean', default: false },
  directory: { type: 'string', default: '.local' },
  port: { type: 'string' },
  'supabase-port': { type: 'string' },
  'cron-every': { type: 'string', default: '60' },
  'rpc-urls': { type: 'string', default: '' },
  'rpc-fee-caps': { type: 'string', default: '' },
});
const directory = resolve(options.directory);
/** Seconds. The default is the interval in production. */
const cronEvery = Number(options['cron-every']);
if (!(cronEvery >= 1 && cronEvery <= 86_400)) {
  rejectOptions(usage, '--cron-every is a number of seconds from 1 to 86400.');
}
for (const name of ['port', 'supabase-port'] as const) {
  const port = Number(options[name] ?? 1);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    rejectOptions(usage, `--${name} is a port from 1 to 65535.`);
  }
}
const stackFile = join(directory, 'stack.json');

await main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});

async function main(): Promise<void> {
  // If root runs this, PostgreSQL runs as another user, who must be able to enter the directory.
  mkdirSync(directory, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 });
  const lock = await lockDirectory(directory);
  if (!lock) throw new Error(`A stack is already running in ${directory}: ${describeRunning()}`);

  // From here on, parts start one after the other and are always stopped in reverse order, also after an error.
  const stops: (() => void | Promise<void>)[] = [() => lock.release()];
  const interrupted = new Promise<void>((wake) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => wake());
  });
  try {
    if (options.fresh) startOver();
    rmSync(stackFile, { force: true });
    logConsoleTo(join(directory, 'supabase.log'));
    const stack = await startStack({
      directory,
      supabasePort: await choosePort(options['supabase-port'], SUPABASE_PORT),
      durable: true,
      print,
    });
    stops.push(() => stack.stop());
    if (stack.migrated.length > 0) print(`Applied ${stack.migrated.length} migrations.`);
    const accounts = options.empty
      ? undefined
      : await ensureDemoAccounts(stack.databaseUrl, join(directory, 'accounts.json'));
    const worker = await startWorker({
      port: await choosePort(options.port, API_PORT),
      directory,
      settings: {
        SUPABASE_URL: stack.supabaseUrl,
        SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
        SUPABASE_JWT_SECRET: stack.jwtSecret,
        ENCRYPTION_KEY: storedKey('encryption.key', 'a master key'),
        AUDIT_SIGNING_KEY: storedKey('audit.key', 'an audit key'),
        EDGE_TOKEN: stack.edgeToken,
        MONITOR_TOKEN: await monitorToken(stack.databaseUrl),
        ENVIRONMENT: 'development',
        RPC_URLS: options['rpc-urls'],
        RPC_FEE_CAPS: options['rpc-fee-caps'],
      },
      cronEveryMs: cronEvery * 1_000,
    });
    stops.push(() => worker.stop());
    const file = describeStack(worker.url, stack, accounts);
    writeFileSync(stackFile, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
    stops.push(() => rmSync(stackFile, { force: true }));
    announce(file);
    await Promise.race([
      interrupted,
      worker.ended.then(() => {
        throw new Error(`The Worker ended unexpectedly. See ${join(directory, 'worker.log')}`);
      }),
    ]);
    print('Stopping.');
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function startOver(): void {
  removePostgres(join(directory, 'postgres'));
  for (const name of ['secrets.json', 'accounts.json', 'encryption.key', 'audit.key', 'wrangler']) {
    rmSync(join(directory, name), { recursive: true, force: true });
  }
  print('Starting over: the old data, accounts and master key were deleted.');
}

/** A port that the user names must be free. If the default port is in use, a free one is chosen. */
async function choosePort(wanted: string | undefined, usual: number): Promise<number> {
  const port = wanted === undefined ? usual : Number(wanted);
  if (await isFree(port)) return port;
  if (wanted !== undefined)
    throw new Error(`Port ${port} is in use. Name another port, or leave the option out.`);
  const other = await freePort();
  print(`Port ${port} is in use. Using ${other} instead.`);
  return other;
}

/** Creates the key at the first run. If the master key is lost, every key that it sealed is lost too. */
function storedKey(file: string, what: string): string {
  const path = join(directory, file);
  if (!existsSync(path)) {
    writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    print(`Made ${what}: ${path}`);
  }
  return readFileSync(path, 'utf8').trim();
}

/** Issues a new token at each start. Only the Worker knows it. */
async function monitorToken(databaseUrl: string): Promise<string> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  const name = 'npm run dev';
  try {
    await sql`delete from public.machine_tokens where scope = 'monitor' and name = ${name}`;
    return (await issueToken(sql, { scope: 'monitor', name })).token;
  } finally {
    await sql.end();
  }
}

function describeRunning(): string {
  const running: StackFile | undefined = existsSync(stackFile)
    ? JSON.parse(readFileSync(stackFile, 'utf8'))
    : undefined;
  return running ? `its API is ${running.api_url}` : 'it is starting or stopping.';
}

function describeStack(apiUrl: string, stack: Stack, accounts: DemoAccounts | undefined): StackFile {
  return {
    api_url: apiUrl,
    supabase_url: stack.supabaseUrl,
    publishable_key: stack.publishableKey,
    jwt_secret: stack.jwtSecret,
    database_url: stack.databaseUrl,
    admin: accounts ? { email: accounts.admin.email, password: accounts.admin.password } : null,
    clients: (accounts?.clients ?? []).map(({ clientId, name, email, password }) => ({
      id: clientId,
      name,
      email,
      password,
    })),
    machine_token: null,
  };
}

function announce(file: StackFile): void {
  print('');
  print(`  API        ${file.api_url}`);
  print(`  Supabase   ${file.supabase_url}   apikey ${file.publishable_key}`);
  print(`  Database   ${file.database_url}`);
  print('');
  if (file.admin) print(`  admin      ${file.admin.email}   ${file.admin.password}`);
  for (const { id, name, email, password } of file.clients)
    print(`  ${name.padEnd(10)} ${email}   ${password}   client ${id}`);
  print('');
  print(
    `  Log        ${join(directory, 'worker.log')}: one line for each request, and one line for the monitor every ${cronEvery} s`,
  );
  print('');
  print(`  For programs: ${stackFile}. Ready. Ctrl-C stops everything.`);
}
