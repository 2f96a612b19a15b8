/** Sessions as PostgREST opens them, on connections of their own or through the REST API, started together. */
import postgres from 'postgres';
import { inject } from 'vitest';
import { type Outcome, outcomeOf, untilNotBusy } from '../support/outcome.ts';
import { accessToken } from '../support/people.ts';
import { Rows } from '../support/rows.ts';
import { type Action, OPERATOR } from './actions.ts';

export class Sessions extends Rows {
  readonly sql: postgres.Sql;

  constructor(databaseUrl = inject('databaseUrl'), connections = 12) {
    const sql = postgres(databaseUrl, { max: connections, onnotice: () => {}, prepare: false });
    super(sql);
    this.sql = sql;
  }

  end(): Promise<void> {
    return this.sql.end({ timeout: 1 });
  }

  /**
   * Runs the actions concurrently, each in its own transaction, which waits until all have begun. `before` runs queries in
   * each transaction before it commits. If the database is too busy for an action, the action is retried.
   */
  race(
    actions: readonly Action[],
    before?: (sql: postgres.TransactionSql) => Promise<void>,
  ): Promise<Outcome[]> {
    const start = barrier(actions.length);
    return Promise.all(actions.map((action) => untilNotBusy(() => this.#run(action, start, before))));
  }

  /** Runs one action, once. */
  attempt(action: Action, before?: (sql: postgres.TransactionSql) => Promise<void>): Promise<Outcome> {
    return this.#run(action, async () => {}, before);
  }

  async #run(
    action: Action,
    start: () => Promise<void>,
    before?: (sql: postgres.TransactionSql) => Promise<void>,
  ): Promise<Outcome> {
    try {
      await this.sql.begin(async (sql) => {
        const claims = JSON.stringify({ sub: action.by, role: 'authenticated' });
        if (action.by !== OPERATOR) {
          await sql`select set_config('role', 'authenticated', true),
            set_config('request.jwt.claim.sub', ${action.by}, true),
            set_config('request.jwt.claims', ${claims}, true)`;
        }
        await start();
        await sql.unsafe(action.text, [...action.values] as postgres.ParameterOrJSON<never>[]);
        await before?.(sql);
      });
      return 'ok';
    } catch (error) {
      if (!(error instanceof postgres.PostgresError)) throw error;
      return outcomeOf(error.code, error.hint);
    }
  }
}

/** A promise that resolves when `count` callers have asked for it. */
function barrier(count: number): () => Promise<void> {
  let waiting = count;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    waiting -= 1;
    // Below zero: a caller that retries finds the barrier open.
    if (waiting === 0) open();
    return opened;
  };
}

/** The same action as an HTTP request to the REST API, retried while the database is too busy for it. */
export const request = (action: Action, token?: string): Promise<Outcome> =>
  untilNotBusy(() => requestOnce(action, token));

async function requestOnce(action: Action, token?: string): Promise<Outcome> {
  const response = await fetch(`${inject('supabaseUrl')}/rest/v1/${action.http.path}`, {
    method: action.http.method,
    headers: {
      apikey: inject('publishableKey'),
      authorization: `Bearer ${token ?? (await accessToken({ sub: action.by }))}`,
      'content-type': 'application/json',
    },
    ...(action.http.body !== undefined && { body: JSON.stringify(action.http.body) }),
  });
  const text = await response.text();
  if (response.ok) return 'ok';
  const { code, hint } = JSON.parse(text) as { code?: string; hint?: string };
  return outcomeOf(code, hint);
}
