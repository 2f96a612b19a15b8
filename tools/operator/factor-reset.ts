/** `npm run factor:reset`: removes the second factors of an account whose owner has lost them. */
import { runAccountCommand } from './account-command.ts';
import { print } from './command.ts';

const usage = `Usage: npm run factor:reset -- --email ADDRESS

Removes every second factor of an account and ends its sessions. First verify by other means that the owner requests this:
after the reset, anybody with the password or the mailbox can enrol a new factor. Access tokens stay valid until they expire.

  --email ADDRESS   the e-mail address of the account`;

interface Reset {
  readonly account_id: string;
  readonly client_id: string | null;
  readonly factors: number;
  readonly sessions: number;
}

await runAccountCommand({ usage, needs: ['email'] }, async (sql, { email }) => {
  const [{ reset }] = await sql<[{ reset: Reset }]>`select private.reset_factors(${email}) as reset`;
  const owner = reset.client_id ? `of client ${reset.client_id}` : 'without a client';
  print(
    `Account ${reset.account_id} (${owner}): ${reset.factors} factors removed, ${reset.sessions} sessions ended.`,
  );
});
