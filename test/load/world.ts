/** Everything that a load needs beside the service: the operator's database, sessions, callers and the judge. */
import { setTimeout as wait } from 'node:timers/promises';
import { SignJWT } from 'jose';
import postgres from 'postgres';
import { createAccount, createAdmin } from '../../tools/stack/accounts.ts';
import { type Answer, Api, type Recorder } from './api.ts';
import { createJudge, type Judge } from './judge.ts';

export interface WorldOptions {
  readonly apiUrl: URL;
  /** A connection as the owner of the tables. */
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  readonly recorder?: Recorder;
  /** Whether parts may fail at the moment. */
  readonly failures?: () => boolean;
}

export interface World {
  readonly api: Api;
  readonly judge: Judge;
  readonly sql: postgres.Sql;
  /** An admin's session. */
  readonly admin: string;
  /** The ids of all clients of the run. */
  readonly clientIds: string[];
  /** Signatures that were returned and verified. */
  signatures: number;
  /** The session of a new account, with its e-mail for linking. */
  newSession(): Promise<{ email: string; token: string }>;
  session(userId: string, expiresInSeconds?: number): Promise<string>;
  /** A call that must end with one of these, whatever else runs: a status, or a problem's code. */
  expect(answer: Answer, ...expected: (number | string)[]): void;
  close(): Promise<void>;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const { apiUrl, databaseUrl, jwtSecret, recorder, failures = () => false } = options;
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => {} });
  const secret = new TextEncoder().encode(jwtSecret);
  const judge = createJudge(failures);

  const session = (userId: string, expiresInSeconds = 3600) =>
    new SignJWT({ sub: userId, role: 'authenticated', aud: 'authenticated' })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuedAt(Math.floor(Date.now() / 1000) - 60)
      .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
      .sign(secret);
  const email = () => `${crypto.randomUUID()}@load.test`;

  const admin = await createAdmin(sql, email());
  return {
    api: new Api(apiUrl, recorder),
    judge,
    sql,
    admin: await session(admin.id),
    clientIds: [],
    signatures: 0,
    session,
    async newSession() {
      for (;;) {
        try {
          const account = await createAccount(sql, email());
          return { email: account.email, token: await session(account.id) };
        } catch (error) {
          // The operator's own connection fails with the database.
          if (!failures()) throw error;
          await wait(100);
        }
      }
    },
    expect(answer, ...expected) {
      const right = expected.some((one) => one === answer.status || one === answer.code);
      judge.expect(answer, right, `${expected.join(' or ')} is expected`);
    },
    close: () => sql.end({ timeout: 5 }),
  };
}

export const pick = <Value>(values: readonly Value[]): Value => {
  const value = values[Math.floor(Math.random() * values.length)];
  if (value === undefined) throw new TypeError('nothing to pick from');
  return value;
};

export const chance = (share: number): boolean => Math.random() < share;
