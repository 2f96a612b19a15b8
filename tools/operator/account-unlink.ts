/** `npm run account:unlink`: takes a client from the account that acts for it. */
import { runAccountCommand } from './account-command.ts';
import { say } from './command.ts';

const usage = `Usage: npm run account:unlink -- --client ID

Unlinks the account of a client. From then on the sessions of the account see and change nothing of the client. Keys, bots
and machine tokens stay as they are. An account that confirms the client's e-mail address later is linked.

  --client ID   the client`;

await runAccountCommand({ usage, needs: ['client'] }, async (sql, { client }) => {
  const [unlinked] = await sql<{ account_id: string | null }[]>`
    select private.unlink_account(${client}) as account_id`;
  if (!unlinked?.account_id) throw new Error('There is no such client, or it has no account.');
  say(`Account ${unlinked.account_id} no longer acts for client ${client}.`);
});
