/** Which account acts for a client after each transaction of Supabase Auth: see AuthServer. */
import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from '../support/api.ts';
import { type AuthAccount, AuthServer } from '../support/auth-server.ts';
import type { Person } from '../support/people.ts';
import { type PeopledStack, startPeopledStack } from '../support/peopled-stack.ts';
import { expectProblem } from '../support/problems.ts';

let stack: PeopledStack;
let auth: AuthServer;
let admin: Person;

beforeAll(async () => {
  stack = await startPeopledStack();
  auth = new AuthServer(stack.superuser);
  admin = await stack.newAdmin();
});
afterAll(() => stack.end());

const newEmail = () => `${crypto.randomUUID()}@own.test`;

async function post(body: object) {
  return call('POST /clients', {
    token: admin.token,
    env: stack.settings,
    body: { name: 'A client', ...body },
  });
}

async function newWaitingClient(): Promise<{ id: string; email: string }> {
  const { status, json } = await post({ email: newEmail() });
  expect([status, json.linked]).toEqual([201, false]);
  return json;
}

/** The id of the client that the account acts for, as the edge reports it. */
async function clientOf({ id }: AuthAccount): Promise<string | undefined> {
  const token = await stack.token({ sub: id });
  const { status, json } = await call('GET /clients/me', { token, env: stack.settings });
  return status === 200 ? json.id : undefined;
}

async function waysInto({ id }: AuthAccount) {
  const [{ password } = { password: null }] = await stack.sql<{ password: string | null }[]>`
    select encrypted_password as password from auth.users where id = ${id}`;
  const sessions = await stack.sql<{ id: string }[]>`select id from auth.sessions where user_id = ${id}`;
  return { password, sessions: sessions.map((session) => session.id) };
}

describe('an account whose address is confirmed for the first time', () => {
  it('by the owner, after a stranger signed up with a password -> linked, and the password is removed', async () => {
    const client = await newWaitingClient();
    const account = await auth.signUp(client.email, 'the stranger knows this');
    expect(await clientOf(account)).toBeUndefined();
    const session = await auth.confirm(account);
    expect(await clientOf(account)).toBe(client.id);
    expect(await waysInto(account)).toEqual({ password: null, sessions: [session] });
  });

  it('on a connection that created no account before -> the password is removed there too', async () => {
    const client = await newWaitingClient();
    const account = await auth.signUp(client.email, 'the stranger knows this');
    const connection = postgres(stack.superuserUrl, { max: 1, onnotice: () => {} });
    const session = await new AuthServer(connection).confirm(account).finally(() => connection.end());
    expect(await waysInto(account)).toEqual({ password: null, sessions: [session] });
  });

  it('by accepting an invitation -> linked; the owner sets the password afterwards', async () => {
    const client = await newWaitingClient();
    const account = await auth.invite(client.email);
    expect(await clientOf(account)).toBeUndefined();
    await auth.accept(account);
    expect(await clientOf(account)).toBe(client.id);
    await auth.request(
      (sql) => sql`update auth.users set encrypted_password = 'own' where id = ${account.id}`,
    );
    await auth.startSession(account);
    expect(await waysInto(account)).toMatchObject({ password: 'own' });
  });

  it('by an invitation of an account that a stranger created -> linked without the stranger’s password', async () => {
    const client = await newWaitingClient();
    const account = await auth.signUp(client.email, 'the stranger knows this');
    await auth.accept(account);
    expect(await clientOf(account)).toBe(client.id);
    expect(await waysInto(account)).toMatchObject({ password: null });
  });

  it('because the operator creates it as confirmed -> linked, with its password', async () => {
    const client = await newWaitingClient();
    const account = await auth.createConfirmed(client.email, 'given by the operator');
    expect(await clientOf(account)).toBe(client.id);
    expect(await waysInto(account)).toEqual({ password: 'given by the operator', sessions: [] });
  });

  it('because a provider that verified the address creates it -> linked', async () => {
    const client = await newWaitingClient();
    expect(await clientOf(await auth.signInBy('google', client.email))).toBe(client.id);
  });

  it('whose password was created in the same database session as another account -> the password is removed', async () => {
    const client = await newWaitingClient();
    const account = await auth.signUp(client.email, 'the stranger knows this');
    // On the same connection, in another transaction.
    await auth.signUp(newEmail(), 'another');
    await auth.confirm(account);
    expect(await waysInto(account)).toMatchObject({ password: null });
  });
});

describe('an account is not linked', () => {
  it('if it asserts the address by single sign-on', async () => {
    const client = await newWaitingClient();
    const provider = `sso:${crypto.randomUUID()}`;
    expect(await clientOf(await auth.signInBy(provider, client.email))).toBeUndefined();
    // The owner signs up with an account of their own.
    const owner = await auth.signUp(client.email, 'x');
    await auth.confirm(owner);
    expect(await clientOf(owner)).toBe(client.id);
  });

  it('if its e-mail is changed to the client’s, whether it was confirmed before or not', async () => {
    const [first, second] = [await newWaitingClient(), await newWaitingClient()];
    const confirmed = await auth.createConfirmed(newEmail(), 'x');
    await auth.startSession(confirmed);
    await auth.changeEmail(confirmed, first.email);
    expect(await clientOf(confirmed)).toBeUndefined();
    const unconfirmed = await auth.signUp(newEmail(), 'x');
    await auth.startSession(unconfirmed);
    await auth.changeEmail(unconfirmed, second.email);
    expect(await clientOf(unconfirmed)).toBeUndefined();
    expect(await waysInto(unconfirmed)).toMatchObject({ password: 'x' });
  });

  it('if it had a session before its address was confirmed', async () => {
    const client = await newWaitingClient();
    const account = await auth.signUp(client.email, 'x');
    await auth.startSession(account);
    await auth.confirm(account);
    expect(await clientOf(account)).toBeUndefined();
  });

  it('if it is older than the client, until an admin sends link_account', async () => {
    const account = await auth.signUp(newEmail(), 'set by nobody knows whom');
    await auth.confirm(account);
    const { json: client } = await post({ email: account.email });
    expect(client.linked).toBe(false);
    await auth.startSession(account);
    expect(await clientOf(account)).toBeUndefined();

    const older = await auth.signUp(newEmail(), 'set by nobody knows whom');
    await auth.confirm(older);
    const { json: linked } = await post({ email: older.email, link_account: true });
    expect([linked.linked, await clientOf(older)]).toEqual([true, linked.id]);
    expect(await waysInto(older)).toEqual({ password: null, sessions: [] });
  });

  it('if it is the second account with the same address', async () => {
    const client = await newWaitingClient();
    const first = await auth.signUp(client.email, 'x');
    await auth.confirm(first);
    const moved = newEmail();
    await auth.changeEmail(first, moved);
    const second = await auth.signUp(client.email, 'x');
    await auth.confirm(second);
    expect([await clientOf(first), await clientOf(second)]).toEqual([client.id, undefined]);
    expectProblem(await post({ email: moved, link_account: true }), 422, 'account_not_found');
  });
});

it('two accounts confirm one client’s address at once -> one is linked', async () => {
  const client = await newWaitingClient();
  // An address in capital letters is another account to the database, but the same mailbox.
  const accounts = await Promise.all([
    auth.signUp(client.email, 'x'),
    auth.signUp(client.email.toUpperCase(), 'x'),
  ]);
  await Promise.all(accounts.map((account) => auth.confirm(account)));
  const linked = await Promise.all(accounts.map(clientOf));
  expect(linked.toSorted()).toEqual([client.id, undefined]);
});

it('if Supabase Auth denies us its tables -> the confirmation succeeds and links nothing', async () => {
  const client = await newWaitingClient();
  const account = await auth.signUp(client.email, 'the stranger knows this');
  await stack.superuser`alter table auth.sessions rename to sessions_of_later`;
  await stack.superuser`update auth.users set email_confirmed_at = now() where id = ${account.id}`;
  await stack.superuser`alter table auth.sessions_of_later rename to sessions`;
  expect(await clientOf(account)).toBeUndefined();
});

it('supabase/config.toml enables a hook that exists, and disables the ways around it', async () => {
  const config = readFileSync('supabase/config.toml', 'utf8');
  const [, schema, name] = /^uri = "pg-functions:\/\/postgres\/(\w+)\/(\w+)"$/m.exec(config) ?? [];
  const [{ found } = { found: null }] = await stack.sql<{ found: string | null }[]>`
    select to_regprocedure(${`${schema}.${name}(jsonb)`})::text as found`;
  expect(found).toBe('private.before_user_created_hook(jsonb)');
  const auth = /^\[auth\]\n([\s\S]*?)^\[/m.exec(config)?.[1] ?? '';
  for (const line of [
    'site_url = "env(SITE_URL)"',
    'enable_signup = false',
    'enable_anonymous_sign_ins = false',
    'enable_manual_linking = false',
  ])
    expect(auth.split('\n')).toContain(line);
  for (const line of ['enable_confirmations', 'double_confirm_changes', 'secure_password_change'])
    expect(config.split('\n')).toContain(`${line} = true`);
});

it('the hook allows sign-up with the address of a client until the client has an account', async () => {
  const client = await newWaitingClient();
  expect([await auth.hook(client.email), await auth.hook(newEmail())]).toEqual(['allowed', '403']);
  await auth.confirm(await auth.signUp(client.email, 'x'));
  expect(await auth.hook(client.email)).toBe('403');
});
