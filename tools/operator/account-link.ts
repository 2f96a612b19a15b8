/** `npm run account:link`: links an account that exists to a client. */
import { runAccountCommand } from './account-command.ts';
import { say } from './command.ts';

const usage = `Usage: npm run account:link -- --client ID --email ADDRESS

Links the account with this confirmed e-mail address to a client that has no account. The address may be another than
the client's own. Nobody knows who set the account's password, so its sign-ins end: password, phone, sessions, passkeys and
identities under other addresses. The owner sets a new password by "Forgot password". Second factors stay: see factor:reset.

  --client ID       the client
  --email ADDRESS   the e-mail address of the account. Accounts of a single sign-on provider cannot be linked`;

await runAccountCommand({ usage, needs: ['client', 'email'] }, async (sql, { client, email }) => {
  const [linked] = await sql<{ account_id: string }[]>`
    select private.link_account(${client}, ${email}) as account_id`;
  say(`Account ${linked?.account_id} acts for client ${client} from now on.`);
  say('Its password and its sessions ended. The owner sets a new password by "Forgot password".');
});
