/** Accounts for tests: an admin, and clients, each linked to its account. */
import { type JWTPayload, SignJWT } from 'jose';
import { inject } from 'vitest';
import type { Project } from './projects.ts';
import { type Account, Rows } from './rows.ts';

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

export interface Person extends Account {
  readonly token: string;
}

export interface ClientPerson extends Person {
  readonly clientId: string;
}

/** Accounts that are signed in. `by` writes their rows, and `token` issues their sessions. */
export function peopleOf(
  by: ConstructorParameters<typeof Rows>[0],
  token: (claims: TokenClaims) => Promise<string>,
) {
  const rows = new Rows(by);
  const signedIn = async <Kind extends Account>(account: Kind) => ({
    ...account,
    token: await token({ sub: account.userId }),
  });
  return {
    /** An account with a confirmed e-mail and no client. */
    newAccount: async (email?: string): Promise<Person> => signedIn(await rows.newAccount(email)),
    newAdmin: async (): Promise<Person> => signedIn(await rows.newAdmin()),
    newClient: async (name?: string): Promise<ClientPerson> => signedIn(await rows.newClient(name)),
  };
}

export const { newAccount, newAdmin, newClient } = peopleOf(operatorSql, (claims) => accessToken(claims));
