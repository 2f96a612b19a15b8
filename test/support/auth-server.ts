/**
 * The statements of Supabase Auth (2.196), one transaction for each request, under its own role if the stack has that role.
 * The embedded Auth server has no invitations, single sign-on or second factors.
 */
import type postgres from 'postgres';

export interface AuthAccount {
  readonly id: string;
  readonly email: string;
}

export class AuthServer {
  readonly #superuser: postgres.Sql;

  constructor(superuser: postgres.Sql) {
    this.#superuser = superuser;
  }

  request<Result>(work: (sql: postgres.TransactionSql) => Promise<Result>): Promise<Result> {
    return this.#superuser.begin(async (sql) => {
      const [own] = await sql`select from pg_roles where rolname = 'supabase_auth_admin'`;
      await sql.unsafe(`set local role ${own ? 'supabase_auth_admin' : 'postgres'}`);
      return work(sql);
    }) as Promise<Result>;
  }

  /** Rejects a sign-up as the hook does, if the hook is enabled. */
  async hook(email: string): Promise<string> {
    const event = { metadata: { name: 'before-user-created' }, user: { email } };
    const [{ answer }] = await this.request(
      (sql) => sql<[{ answer: { error?: { http_code: number } } }]>`
        select private.before_user_created_hook(${sql.json(event)}) as answer`,
    );
    return answer.error ? String(answer.error.http_code) : 'allowed';
  }

  signUp(email: string, password: string): Promise<AuthAccount> {
    return this.request((sql) => this.#create(sql, email, password));
  }

  async invite(email: string): Promise<AuthAccount> {
    return this.request(async (sql) => {
      const account = await this.#create(sql, email, null);
      await sql`update auth.users set invited_at = now() where id = ${account.id}`;
      return account;
    });
  }

  /** The dashboard's "Create new user", with "Auto Confirm User". */
  createConfirmed(email: string, password: string): Promise<AuthAccount> {
    return this.request(async (sql) => {
      const account = await this.#create(sql, email, password);
      await this.#confirm(sql, account.id);
      return account;
    });
  }

  /** The first sign-in through a provider (`google`, `sso:<id>`) that asserts the address. */
  signInBy(provider: string, email: string): Promise<AuthAccount> {
    return this.request(async (sql) => {
      const account = await this.#create(sql, email, null, provider);
      await this.#confirm(sql, account.id);
      await this.#startSession(sql, account.id);
      return account;
    });
  }

  /** The click on the link in the mail, which signs the account in. */
  confirm({ id }: AuthAccount): Promise<string> {
    return this.request(async (sql) => {
      await this.#confirm(sql, id);
      return this.#startSession(sql, id);
    });
  }

  /** The same for an invitation: an account without a password gets a random one that is never shown. */
  accept({ id }: AuthAccount): Promise<string> {
    return this.request(async (sql) => {
      await sql`update auth.users set encrypted_password = coalesce(encrypted_password, 'random') where id = ${id}`;
      await this.#confirm(sql, id);
      return this.#startSession(sql, id);
    });
  }

  startSession({ id }: AuthAccount): Promise<string> {
    return this.request((sql) => this.#startSession(sql, id));
  }

  /** The click on the link in the mail to the new address. */
  changeEmail({ id }: AuthAccount, email: string): Promise<string> {
    return this.request(async (sql) => {
      await sql`update auth.users set email = ${email}, email_change = '', email_change_confirm_status = 0
        where id = ${id}`;
      const [{ confirmed } = { confirmed: true }] = await sql<{ confirmed: boolean }[]>`
        select email_confirmed_at is not null as confirmed from auth.users where id = ${id}`;
      if (!confirmed) await this.#confirm(sql, id);
      return this.#startSession(sql, id);
    });
  }

  async #create(
    sql: postgres.TransactionSql,
    email: string,
    password: string | null,
    provider = 'email',
  ): Promise<AuthAccount> {
    const id = crypto.randomUUID();
    await sql`
      insert into auth.users (id, aud, role, email, encrypted_password, confirmation_token, recovery_token, email_change,
        email_change_token_new, email_change_token_current, is_sso_user, raw_app_meta_data)
      values (${id}, 'authenticated', '', ${email}, ${password}, '', '', '', '', '', ${provider.startsWith('sso:')},
        ${sql.json({ provider })})`;
    await sql`update auth.users set role = 'authenticated' where id = ${id}`;
    await sql`insert into auth.identities (id, provider, provider_id, user_id, identity_data)
      values (${crypto.randomUUID()}, ${provider}, ${id}, ${id},
        ${sql.json({ email, email_verified: provider !== 'email' })})`;
    return { id, email };
  }

  async #confirm(sql: postgres.TransactionSql, id: string): Promise<void> {
    await sql`update auth.users set confirmation_token = '', email_confirmed_at = now() where id = ${id}`;
    await sql`update auth.users set raw_user_meta_data = ${sql.json({ email_verified: true })} where id = ${id}`;
  }

  async #startSession(sql: postgres.TransactionSql, userId: string): Promise<string> {
    const id = crypto.randomUUID();
    await sql`insert into auth.sessions (id, user_id, created_at, updated_at, aal)
      values (${id}, ${userId}, now(), now(), 'aal1')`;
    await sql`update auth.users set last_sign_in_at = now() where id = ${userId}`;
    return id;
  }
}
