/** Accounts for tests: an admin, and clients, each linked to its account. */
import { type JWTPayload, SignJWT } from 'jose';
import { inject } from 'vitest';
import type { Project } from './projects.ts';

/** Runs a statement as the operator. */
export async function operatorSql<Row = Record<string, unknown>>(
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const response = await fetch(`${inject('operatorUrl')}/sql`, {
    method: 'POST',
    body: JSON.stringify({ text, values }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer as Row[];
}

/** A migrated project without rows, for tests that count all rows. */
export async function newProject(): Promise<Project> {
  const response = await fetch(`${inject('operatorUrl')}/project`, { method: 'POST' });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer as Project;
}

/** `undefined` removes a claim. */
export interface TokenClaims {
  readonly sub?: unknown;
  readonly role?: string | undefined;
  readonly aud?: string | undefined;
  readonly iss?: string | undefined;
  readonly iat?: number | undefined;
  readonly nbf?: number | undefined;
  readonly exp?: number | undefined;
  readonly [other: string]: unknown;
}

/** Seconds since the epoch, relative to now. */
export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** An access token as the project's Auth server issues it. Claims and secret can be changed. */
export function accessToken(claims: TokenClaims, secret = inject('jwtSecret')): Promise<string> {
  return new SignJWT({
    role: 'authenticated',
    aud: 'authenticated',
    iat: inSeconds(-5),
    exp: inSeconds(3600),
    ...(claims as JWTPayload),
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret));
}

export interface Person {
  readonly userId: string;
  readonly email: string;
  readonly token: string;
}

export interface ClientPerson extends Person {
  readonly clientId: string;
}

/** An account with a confirmed e-mail and no client. */
export async function newAccount(email = `${crypto.randomUUID()}@example.test`): Promise<Person> {
  const userId = crypto.randomUUID();
  await operatorSql(
    `insert into auth.users (id, aud, role, email, email_confirmed_at) values ($1, $2, $2, $3, now())`,
    [userId, 'authenticated', email],
  );
  return { userId, email, token: await accessToken({ sub: userId }) };
}

export async function newAdmin(): Promise<Person> {
  const account = await newAccount();
  await operatorSql('insert into private.admins (user_id) values ($1)', [account.userId]);
  return account;
}

export async function newClient(name = 'A client'): Promise<ClientPerson> {
  const account = await newAccount();
  const [client] = await operatorSql<{ id: string }>(
    'insert into public.clients (name, email, user_id) values ($1, $2, $3) returning id',
    [name, account.email, account.userId],
  );
  // Linking the account is not part of what a test does.
  await operatorSql(
    `delete from private.queued_key_events where client_id = $1 and event = 'account_linked'`,
    [client?.id],
  );
  return { ...account, clientId: client?.id ?? '' };
}
