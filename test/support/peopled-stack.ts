/** A stack of a test's own with accounts in it, for actions that the shared stack does not allow. */
import postgres from 'postgres';
import { MASTER_KEY } from './api.ts';
import { startOwnStack } from './own-stack.ts';
import { accessToken, peopleOf } from './people.ts';
import { Rows } from './rows.ts';

export type PeopledStack = Awaited<ReturnType<typeof startPeopledStack>>;

export async function startPeopledStack() {
  const { stop, ...stack } = await startOwnStack();
  /** Connects as the role `postgres`. */
  const sql = postgres(stack.databaseUrl, { max: 4, onnotice: () => {}, prepare: false });
  const superuser = postgres(stack.superuserUrl, { max: 1, onnotice: () => {}, prepare: false });

  const token = (claims: object) => accessToken({ ...claims }, stack.jwtSecret);
  return {
    ...stack,
    sql,
    superuser,
    token,
    ...peopleOf(sql, token),
    rows: new Rows(sql),
    /** The settings of an edge in front of it. */
    settings: {
      SUPABASE_URL: stack.supabaseUrl,
      SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
      EDGE_TOKEN: stack.edgeToken,
      SUPABASE_JWT_SECRET: stack.jwtSecret,
      ENCRYPTION_KEY: MASTER_KEY,
    },
    async end(): Promise<void> {
      await Promise.all([sql.end({ timeout: 1 }), superuser.end({ timeout: 1 })]);
      await stop();
    },
  };
}
