/** What the commands about accounts share: options, `--help`, the connection, one line for a failure. */
import { parseArgs } from 'node:util';
import postgres, { type Sql } from 'postgres';
import { connectAsOperator } from './connect.ts';

export const say = (line: string): boolean => process.stdout.write(`${line}\n`);

/** A mistake in the options: the command prints its usage too. */
class UsageError extends Error {}

export interface AccountCommand {
  readonly usage: string;
  /** The options that the command needs: each has a value. */
  readonly needs: readonly ('client' | 'email')[];
}

export interface AccountOptions {
  readonly client: string;
  readonly email: string;
}

/** Runs a command as the operator, in the form that `usage` shows. */
export async function runAccountCommand(
  { usage, needs }: AccountCommand,
  main: (sql: Sql, options: AccountOptions) => Promise<void>,
): Promise<void> {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    say(usage);
    return;
  }
  try {
    const options = read(needs);
    const sql = connectAsOperator();
    try {
      await main(sql, options);
    } finally {
      await sql.end({ timeout: 1 });
    }
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    if (error instanceof UsageError) process.stderr.write(`\n${usage}\n`);
    process.exitCode = 1;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function read(needs: AccountCommand['needs']): AccountOptions {
  const options = Object.fromEntries(needs.map((name) => [name, { type: 'string' } as const]));
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({ options }).values;
  } catch {
    throw new UsageError('An option is unknown or has no value.');
  }
  const { client = '', email = '' } = values;
  if (needs.includes('client') && !UUID.test(String(client)))
    throw new UsageError('--client takes the id of a client.');
  if (needs.includes('email') && !String(email).includes('@'))
    throw new UsageError('--email takes an e-mail address.');
  return { client: String(client), email: String(email) };
}

function messageOf(error: unknown): string {
  // The messages of our own functions hold no values; others may.
  if (error instanceof postgres.PostgresError)
    return error.code.startsWith('PT')
      ? error.message
      : `The database rejected a statement: SQLSTATE ${error.code}.`;
  return error instanceof Error ? error.message : 'The command failed.';
}
