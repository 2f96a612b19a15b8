/** `npm run account:link`: links an existing account to a client. */
import { runAccountCommand } from './account-command.ts';
import { print } from './command.ts';

const usage = `Usage: npm run account:link -- --client ID --email ADDRESS

Links the account with this confirmed e-mail address to a client that has no account. The address may differ from the
address of the client. Somebody else may have set up the account, so the command removes its password, phone, sessions,
passkeys, and identities under other addresses. The owner sets a new password with "Forgot password". Second factors stay:
to remove them, run factor:reset.

  --client ID       the client
  --email ADDRESS   the e-mail address of the account. Accounts of a single sign-on provider cannot be linked`;

await runAccountCommand({ usage, needs: ['client', 'email'] }, async (sql, { client, email }) => {
  const [linked] = await sql<{ account_id: string }[]>`
    select private.link_account(${client}, ${email}) as account_id`;
  print(`Account ${linked?.account_id} is now linked to client ${client}.`);
  print(
    'Its password was removed and its sessions ended. The owner sets a new password with "Forgot password".',
  );
});
