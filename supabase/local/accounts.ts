/** Accounts and clients for development, demo and tests, made by the operator's SQL. */
import { randomBytes, randomUUID } from 'node:crypto';
import type postgres from 'postgres';

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly password: string;
}

export interface ClientAccount extends Account {
  readonly clientId: string;
  readonly name: string;
}

/** An account that can sign in at once: its e-mail counts as confirmed. */
export async function createAccount(
  sql: postgres.Sql,
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

/** The operator's one line: this account is an admin from now on. */
export async function makeAdmin(sql: postgres.Sql, email: string): Promise<void> {
  await sql`insert into private.admins (user_id) select id from auth.users where email = ${email}`;
}

export async function createAdmin(sql: postgres.Sql, email: string): Promise<Account> {
  const account = await createAccount(sql, email);
  await makeAdmin(sql, email);
  return account;
}

/** A client whose account is linked, as everywhere, by its confirmed e-mail. */
export async function createClientAccount(
  sql: postgres.Sql,
  name: string,
  email: string,
): Promise<ClientAccount> {
  const account = await createAccount(sql, email);
  const [client] = await sql<{ id: string }[]>`
    insert into public.clients (name, email) values (${name}, ${email}) returning id`;
  if (client === undefined) throw new Error('The client was not created.');
  return { ...account, clientId: client.id, name };
}
