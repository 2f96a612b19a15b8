/** A stack of a test's own with accounts in it, for actions that the shared stack does not allow. */
import postgres from 'postgres';
import { MASTER_KEY } from './api.ts';
import { startOwnStack } from './own-stack.ts';
import { accessToken, type ClientPerson, type Person } from './people.ts';

export type PeopledStack = Awaited<ReturnType<typeof startPeopledStack>>;

export async function startPeopledStack() {
  const { stop, ...stack } = await startOwnStack();
  /** Connects as the role `postgres`. */
  const sql = postgres(stack.databaseUrl, { max: 4, onnotice: () => {}, prepare: false });
  const superuser = postgres(stack.superuserUrl, { max: 1, onnotice: () => {}, prepare: false });

  const token = (claims: object) => accessToken({ ...claims }, stack.jwtSecret);
  async function newAccount(): Promise<Person> {
    const [userId, email] = [crypto.randomUUID(), `${crypto.randomUUID()}@own.test`];
    await sql`insert into auth.users (id, aud, role, email, email_confirmed_at)
      values (${userId}, 'authenticated', 'authenticated', ${email}, now())`;
    return { userId, email, token: await token({ sub: userId }) };
  }
  return {
    ...stack,
    sql,
    superuser,
    token,
    newAccount,
    /** The settings of an edge in front of it. */
    settings: {
      SUPABASE_URL: stack.supabaseUrl,
      SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
      EDGE_TOKEN: stack.edgeToken,
      SUPABASE_JWT_SECRET: stack.jwtSecret,
      ENCRYPTION_KEY: MASTER_KEY,
    },
    async newAdmin(): Promise<Person> {
      const account = await newAccount();
      await sql`insert into private.admins (user_id) values (${account.userId})`;
      return account;
    },
    async newClient(name = 'A client'): Promise<ClientPerson> {
      const account = await newAccount();
      const [client] = await sql<[{ id: string }]>`
        insert into public.clients (name, email, user_id) values (${name}, ${account.email}, ${account.userId})
        returning id`;
      // Linking the account is not part of what a test does.
      await sql`delete from private.queued_key_events where client_id = ${client.id} and event = 'account_linked'`;
      return { ...account, clientId: client.id };
    },
    async end(): Promise<void> {
      await Promise.all([sql.end({ timeout: 1 }), superuser.end({ timeout: 1 })]);
      await stop();
    },
  };
}
