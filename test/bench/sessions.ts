/** The functions as the REST layer calls them, and their bare statements in the same transaction frame. */
import postgres from 'postgres';

const silent = { onnotice: () => {} };

export class Sessions {
  /** As the role `postgres`, which owns the tables. */
  readonly owner: postgres.Sql;
  /** Without triggers, foreign keys and row-level security: the time that PostgreSQL takes for the statements alone. */
  readonly bare: postgres.Sql;

  constructor(databaseUrl: string, superuserUrl: string, connections: number) {
    this.owner = postgres(databaseUrl, { max: connections, ...silent });
    this.bare = postgres(superuserUrl, {
      max: connections,
      ...silent,
      connection: { session_replication_role: 'replica' } as Record<string, string>,
    });
  }

  async end(): Promise<void> {
    await Promise.all([this.owner.end({ timeout: 1 }), this.bare.end({ timeout: 1 })]);
  }

  /** One call: begin, role and claims, call, commit. Without a user it is the call of a runner, who has no session. */
  call(userId: string | undefined, name: string, args: readonly unknown[]): Promise<unknown> {
    const role = userId === undefined ? 'anon' : 'authenticated';
    const claims = JSON.stringify({ role, ...(userId !== undefined && { sub: userId }) });
    const places = args.map((_, index) => `$${index + 1}`);
    return this.owner.begin(async (sql) => {
      await sql`select set_config('role', ${role}, true), set_config('request.jwt.claims', ${claims}, true),
        set_config('request.jwt.claim.sub', ${userId ?? ''}, true)`;
      await sql.unsafe(`select public.${name}(${places.join(', ')})`, args as never[], { prepare: true });
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
