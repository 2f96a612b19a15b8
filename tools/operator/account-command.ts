/** The options and the connection of all commands about accounts. */
import type { Sql } from 'postgres';
import { runCommand } from './command.ts';
import { connectAsOperator, LOCAL, WHICH_DATABASE } from './connect.ts';
import { UsageError } from './failure.ts';

export interface AccountCommand {
  readonly usage: string;
  /** The options that the command requires. Each takes a value. */
  readonly needs: readonly ('client' | 'email')[];
}

export interface AccountOptions {
  readonly client: string;
  readonly email: string;
}

const options = { client: { type: 'string' }, email: { type: 'string' }, local: LOCAL } as const;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Parses the options as `usage` describes them, and runs the command as the operator. */
export function runAccountCommand(
  { usage, needs }: AccountCommand,
  main: (sql: Sql, options: AccountOptions) => Promise<void>,
): Promise<void> {
  return runCommand({ usage: `${usage}\n${WHICH_DATABASE}`, options }, async (values) => {
    const { client = '', email = '', local } = values;
    if (needs.includes('client') !== UUID.test(client)) throw new UsageError(problemOf('client', needs));
    if (needs.includes('email') !== email.includes('@')) throw new UsageError(problemOf('email', needs));
    const sql = await connectAsOperator({ local });
    try {
      await main(sql, { client, email });
      return 0;
    } finally {
      await sql.end({ timeout: 1 });
    }
  });
}

function problemOf(option: 'client' | 'email', needs: AccountCommand['needs']): string {
  if (!needs.includes(option)) return `This command does not take --${option}.`;
  return option === 'client' ? '--client takes the id of a client.' : '--email takes an e-mail address.';
}
