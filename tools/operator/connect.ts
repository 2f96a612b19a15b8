/** The operator's own connection to the database of a deployment, or, if told so, of the running local stack. */
import { setTimeout } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import { note } from './command.ts';
import { type DatabaseAddress, describeAddress, parseDatabaseUrl } from './database-url.ts';
import { OperatorError } from './failure.ts';
import { readLocalStack } from './local-stack.ts';

/** The option of every command that connects to the database. */
export const LOCAL = { type: 'boolean', default: false } as const;
export const WHICH_DATABASE = `  --local    the database of the stack that "npm run dev" runs here; without it, DATABASE_URL names the database

DATABASE_URL is read from the environment: postgresql://user:password@host:port/database. To any host but this machine
the connection is encrypted and the server verified (verify-full). sslrootcert in the URL or PGSSLROOTCERT names a file
with the CA of the server, as Supabase has one of its own. sslmode=require encrypts without verifying.`;

/** Whether one of the two ways to name a database is used. */
export const isDatabaseNamed = ({ local }: { local: boolean }): boolean =>
  local || databaseUrl() !== undefined;

/** @throws {OperatorError} if no database is named, or two are, or its URL is rejected */
export function namedDatabase({ local }: { local: boolean }): DatabaseAddress {
  const given = databaseUrl();
  if (local && given !== undefined) {
    throw new OperatorError(
      'DATABASE_URL is set and --local is given. Unset the one or leave out the other.',
    );
  }
  if (!local && given === undefined) {
    throw new OperatorError(
      'No database is named. Set DATABASE_URL to its connection URL, or add --local for the stack that "npm run dev" runs here.',
    );
  }
  return parseDatabaseUrl(given ?? localDatabaseUrl(), 'DATABASE_URL');
}

/** @throws {OperatorError} as `namedDatabase`, and if the database does not respond */
export async function connectAsOperator({ local }: { local: boolean }): Promise<Sql> {
  const address = namedDatabase({ local });
  note(`Database: ${describeAddress(address)}${local ? ' (the local stack)' : ''}`);
  return connect(address);
}

export async function connect(address: DatabaseAddress, max = 4): Promise<Sql> {
  const { host, port, username, password, database, ssl, connectTimeoutSeconds, session } = address;
  if (ssl && ssl.rejectUnauthorized === false) {
    note('Warning: sslmode=require encrypts the connection and does not verify the server.');
  }
  const sql = postgres({
    // A list, which the types lack: postgres.js splits a text at commas and colons, and takes part of an IPv6 address.
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

/** postgres.js connects again without end if connections are accepted and closed, as by a tunnel that leads nowhere. */
async function expire(seconds: number): Promise<never> {
  await setTimeout(seconds * 1000, undefined, { ref: false });
  throw new OperatorError(`The database did not respond within ${seconds} s.`);
}

const databaseUrl = (): string | undefined => process.env.DATABASE_URL?.trim() || undefined;

function localDatabaseUrl(): string {
  const url = readLocalStack()?.database_url;
  if (url !== undefined) return url;
  throw new OperatorError('No stack runs here: .local/stack.json is missing. Start one by "npm run dev".');
}
