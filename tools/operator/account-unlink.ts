/** `npm run account:unlink`: unlinks the account of a client. */
import { runAccountCommand } from './account-command.ts';
import { print } from './command.ts';

const usage = `Usage: npm run account:unlink -- --client ID

Unlinks the account of a client. After that, sessions of the account can neither see nor change anything of the client.
Keys, bots and machine tokens stay as they are. If an account later confirms the e-mail address of the client for the first
time, that account is linked.

  --client ID   the client`;

await runAccountCommand({ usage, needs: ['client'] }, async (sql, { client }) => {
  const [unlinked] = await sql<{ account_id: string | null }[]>`
    select private.unlink_account(${client}) as account_id`;
  if (!unlinked?.account_id) throw new Error('The client does not exist, or it has no account.');
  print(`Account ${unlinked.account_id} is no longer linked to client ${client}.`);
});
