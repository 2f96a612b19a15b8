/** Creates accounts and clients for development, demo and tests, with the operator's SQL. */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import postgres from 'postgres';

type Sql = postgres.Sql | postgres.TransactionSql;

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly password: string;
}

export interface ClientAccount extends Account {
  readonly clientId: string;
  readonly name: string;
}

/** Creates an account that can sign in at once, because its e-mail address counts as confirmed. */
export async function createAccount(
  sql: Sql,
  email: string,
  password = randomBytes(12).toString('base64url'),
): Promise<Account> {
  const id = randomUUID();
  await sql`
    insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at,
      raw_app_meta_data, raw_user_meta_data)
    values (${id}, 'authenticated', 'authenticated', ${email},
      extensions.crypt(${password}, extensions.gen_salt('bf', 4)), now(),
      '{"provider": "email", "providers": ["email"]}', '{}')`;
  return { id, email, password };
}

/** Makes an account an admin, as the operator does by SQL. */
export async function makeAdmin(sql: Sql, email: string): Promise<void> {
  await sql`insert into private.admins (user_id) values (private.account_with_email(${email}))`;
}

export async function createAdmin(sql: Sql, email: string): Promise<Account> {
  const account = await createAccount(sql, email);
  await makeAdmin(sql, email);
  return account;
}

/** Creates a client and its account, linked like `npm run account:link`. Linking removes the password: it is set later. */
export async function createClientAccount(sql: Sql, name: string, email: string): Promise<ClientAccount> {
  const account = await createAccount(sql, email);
  const [client] = await sql<{ id: string }[]>`
    insert into public.clients (name, email) values (${name}, ${email}) returning id`;
  if (client === undefined) throw new Error('The client was not created.');
  await sql`select private.link_account(${client.id}, ${email})`;
  await sql`
    update auth.users set encrypted_password = extensions.crypt(${account.password}, extensions.gen_salt('bf', 4))
    where id = ${account.id}`;
  return { ...account, clientId: client.id, name };
}

export interface DemoAccounts {
  readonly admin: Account;
  readonly clients: readonly ClientAccount[];
}

/** An admin and two clients without bots or keys. They are created once, with passwords that only this machine knows. */
export async function ensureDemoAccounts(databaseUrl: string, path: string): Promise<DemoAccounts> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const [made] = await sql`select from auth.users where email = 'admin@example.test'`;
    if (made && existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
    if (made)
      throw new Error(
        `${path} is missing, and it had the passwords of the accounts. Start over with: npm run dev -- --fresh`,
      );
    return await sql.begin(async (transaction) => {
      const accounts: DemoAccounts = {
        admin: await createAdmin(transaction, 'admin@example.test'),
        clients: [
          await createClientAccount(transaction, 'Alice', 'alice@example.test'),
          await createClientAccount(transaction, 'Bob', 'bob@example.test'),
        ],
      };
      // Before the commit, because an account is useless if its password is not in the file.
      writeFileSync(path, `${JSON.stringify(accounts, null, 2)}\n`, { mode: 0o600 });
      return accounts;
    });
  } finally {
    await sql.end();
  }
}
