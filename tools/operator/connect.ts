/** The operator's connection to the database of a deployment, or with --local, of the running local stack. */
import { setTimeout } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { printNote } from './command.ts';
import { type DatabaseAddress, describeAddress, parseDatabaseUrl } from './database-url.ts';
import { OperatorError } from './failure.ts';
import { readLocalStack } from './local-stack.ts';

/** The option of every command that connects to the database. */
export const LOCAL = { type: 'boolean', default: false } as const;
export const WHICH_DATABASE = `  --local    use the database of the stack that "npm run dev" runs; without it, DATABASE_URL names the database

DATABASE_URL is read from the environment: postgresql://user:password@host:port/database. A connection to another host
than this machine is encrypted, and the server is verified (verify-full). Supabase has its own CA: name a file with this
CA by sslrootcert in the URL or by PGSSLROOTCERT. sslmode=require encrypts without verifying the server.`;

/** Whether the user named a database, by --local or by DATABASE_URL. */
export const isDatabaseNamed = ({ local }: { local: boolean }): boolean =>
  local || databaseUrl() !== undefined;

/** @throws {OperatorError} if no database is named, if two are named, or if the URL is invalid */
export function namedDatabase({ local }: { local: boolean }): DatabaseAddress {
  const given = databaseUrl();
  if (local && given !== undefined) {
    throw new OperatorError('DATABASE_URL is set and --local is given. Use only one of them.');
  }
  if (!local && given === undefined) {
    throw new OperatorError(
      'No database is named. Set DATABASE_URL to its connection URL, or add --local for the stack that "npm run dev" runs.',
    );
  }
  return parseDatabaseUrl(given ?? localDatabaseUrl(), 'DATABASE_URL');
}

/** @throws {OperatorError} as `namedDatabase`, and if the database does not respond */
export async function connectAsOperator({ local }: { local: boolean }): Promise<Sql> {
  const address = namedDatabase({ local });
  printNote(`Database: ${describeAddress(address)}${local ? ' (the local stack)' : ''}`);
  return connect(address);
}

export async function connect(address: DatabaseAddress, max = 4): Promise<Sql> {
  const { host, port, username, password, database, ssl, connectTimeoutSeconds, session } = address;
  if (ssl && ssl.rejectUnauthorized === false) {
    printNote('Warning: sslmode=require encrypts the connection and does not verify the server.');
  }
  const sql = postgres({
    // A list, which the types lack: postgres.js splits a text at commas and colons, which breaks IPv6 addresses.
    host: [host] as unknown as string,
    port: [port] as unknown as number,
    username,
    password,
    database,
    ssl,
    max,
    connect_timeout: connectTimeoutSeconds,
    connection: { ...session },
    onnotice: () => {},
    prepare: false,
  });
  try {
    await Promise.race([sql`select 1`, expire(connectTimeoutSeconds)]);
    return sql;
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  }
}

/** Without this limit, postgres.js retries forever if connections are accepted and then closed (a tunnel without a target). */
async function expire(seconds: number): Promise<never> {
  await setTimeout(seconds * 1000, undefined, { ref: false });
  throw new OperatorError(`The database did not respond within ${seconds} s.`);
}

const databaseUrl = (): string | undefined => process.env.DATABASE_URL?.trim() || undefined;

function localDatabaseUrl(): string {
  const url = readLocalStack()?.database_url;
  if (url !== undefined) return url;
  throw new OperatorError(
    'No local stack is running: .local/stack.json is missing. Start one with "npm run dev".',
  );
}
