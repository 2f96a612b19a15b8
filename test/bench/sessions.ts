/** The functions as the REST layer calls them, and their bare statements in the same transaction frame. */
import postgres from 'postgres';
import type { Functions } from '../../src/database/call.ts';

const silent = { onnotice: () => {} };

export class Sessions {
  /** As the role `postgres`, which owns the tables. */
  readonly owner: postgres.Sql;
  /** Without triggers, foreign keys and row-level security: the time that PostgreSQL takes for the statements alone. */
  readonly bare: postgres.Sql;
  /** Runs after each call, in its transaction. */
  afterCall: ((sql: postgres.TransactionSql) => Promise<unknown>) | undefined;

  constructor(databaseUrl: string, superuserUrl: string, connections: number) {
    this.owner = postgres(databaseUrl, { max: connections, ...silent });
    this.bare = postgres(superuserUrl, {
      max: connections,
      ...silent,
      connection: { session_replication_role: 'replica' } as Record<string, string>,
    });
  }

  /** The process of the server. Its children are the connections and the workers of PostgreSQL. */
  async serverPid(): Promise<number> {
    const [row] = await this.bare<[{ pid: number }]>`
      select split_part(pg_read_file('postmaster.pid'), e'\n', 1)::integer as pid`;
    return row.pid;
  }

  async end(): Promise<void> {
    await Promise.all([this.owner.end({ timeout: 1 }), this.bare.end({ timeout: 1 })]);
  }

  /**
   * One call: begin, role and claims, call, commit. Returns the answer. Without a user it is the call of a runner, who has no
   * session. The generated types hold that the arguments are those of the function.
   */
  call<Name extends keyof Functions & string>(
    userId: string | undefined,
    name: Name,
    args: Functions[Name]['Args'],
  ): Promise<unknown> {
    const role = userId === undefined ? 'anon' : 'authenticated';
    const claims = JSON.stringify({ role, ...(userId !== undefined && { sub: userId }) });
    const places = Object.keys(args).map((argument, index) => `${argument} => $${index + 1}`);
    const text = `select public.${name}(${places.join(', ')}) as answer`;
    return this.owner.begin(async (sql) => {
      await sql`select set_config('role', ${role}, true), set_config('request.jwt.claims', ${claims}, true),
        set_config('request.jwt.claim.sub', ${userId ?? ''}, true)`;
      const [row] = await sql.unsafe(text, Object.values(args) as never[], { prepare: true });
      await this.afterCall?.(sql);
      return row?.answer;
    });
  }

  /** The statements that a call needs, sent together, in a transaction that begins like that of a call. */
  statements(list: readonly (readonly [text: string, values: readonly unknown[]])[]): Promise<unknown> {
    return this.bare.begin(async (sql) => {
      await sql`select set_config('request.jwt.claims', ${'{}'}, true)`;
      await Promise.all(list.map(([text, values]) => sql.unsafe(text, values as never[], { prepare: true })));
    });
  }
}
