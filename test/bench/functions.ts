/** Which functions and triggers of the database take the time of an operation, as PostgreSQL counts it (`track_functions`). */
import { asJson } from '../../src/database/call.ts';
import type { OwnStack } from '../support/own-stack.ts';
import { Rows } from '../support/rows.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import { CLAIM } from './database-calls.ts';
import { newHouseholds } from './database-rows.ts';
import { summaryOf } from './measure.ts';
import { familyCpuMs } from './processes.ts';
import { number, type Section, type Table } from './report.ts';
import { Sessions } from './sessions.ts';

/** Calls for each round. */
const CALLS = 20;
/** Unmeasured calls of each operation. PostgreSQL decides on its plans in the first ones. */
const WARM_UP = 20;
/** The functions of an operation that the table shows. */
const SHOWN = 12;

type Call = (sessions: Sessions, n: number) => Promise<unknown>;
type Prepare = (sessions: Sessions, edgeToken: string, count: number) => Promise<Call>;

const inTurns = <Item>(
  items: readonly Item[],
  call: (sessions: Sessions, item: Item) => Promise<unknown>,
) => {
  return (sessions: Sessions, n: number) => call(sessions, items[n % items.length] as Item);
};

const OPERATIONS: Readonly<Record<string, Prepare>> = {
  'check_out_key (sign)': async ({ owner }, edgeToken) =>
    inTurns(await newHouseholds(owner, 8, { bots: 1 }), (sessions, { machineToken, bots }) =>
      sessions.call(undefined, 'check_out_key', {
        edge_token: edgeToken,
        token: machineToken,
        bot_id: bots[0] ?? '',
        signing: asJson(CLAIM),
      }),
    ),
  // The first key of a new client.
  setup_bot: async ({ owner }, edgeToken, count) =>
    inTurns(await new Rows(owner).newClients(count), (sessions, { clientId, userId }) =>
      sessions.call(userId, 'setup_bot', {
        edge_token: edgeToken,
        client_id: clientId,
        bot_type: 'evm-grid',
        name: 'A bot',
        config: {},
        wallet: asJson(sealedWallet(clientId)),
      }),
    ),
  'rotate_key of 1': rotating(1, 8),
  'rotate_key of 100': rotating(100, 8),
  'rotate_key of 1,000': rotating(1000, 2),
  revoke_key_at_edge: async ({ owner }, edgeToken, count) =>
    inTurns(await newHouseholds(owner, count, { bots: 1, tokens: 0 }), (sessions, { clientId, userId }) =>
      sessions.call(userId, 'revoke_key_at_edge', { edge_token: edgeToken, client_id: clientId }),
    ),
  list_bot_options: async ({ owner }) =>
    inTurns(await newHouseholds(owner, 8, { bots: 1 }), (sessions, { clientId, userId }) =>
      sessions.call(userId, 'list_bot_options', { client_id: clientId }),
    ),
  get_bot_health: async ({ owner }) =>
    inTurns(await newHouseholds(owner, 8, { bots: 1 }), (sessions, { userId, bots }) =>
      sessions.call(userId, 'get_bot_health', { bot_id: bots[0] ?? '', page_size: 50 }),
    ),
  get_trading_key: async ({ owner }) =>
    inTurns(await newHouseholds(owner, 8, { bots: 1 }), (sessions, { clientId, userId }) =>
      sessions.call(userId, 'get_trading_key', { client_id: clientId }),
    ),
};

function rotating(bots: number, clients: number): Prepare {
  return async ({ owner }, edgeToken) =>
    inTurns(await newHouseholds(owner, clients, { bots }), (sessions, { clientId, userId }) =>
      sessions.call(userId, 'rotate_key', {
        edge_token: edgeToken,
        client_id: clientId,
        ...sealedWallet(clientId),
      }),
    );
}

interface Sample {
  readonly name: string;
  readonly calls: number;
  /** Milliseconds, with what the function calls. */
  readonly total: number;
  readonly self: number;
}

export async function functions(stack: OwnStack, { rounds }: { readonly rounds: number }): Promise<Section> {
  const admin = new Sessions(stack.databaseUrl, stack.superuserUrl, 1);
  const calls = CALLS * rounds;
  try {
    const server = await admin.serverPid();
    const rows: Table['rows'][number][] = [];
    for (const [operation, prepare] of Object.entries(OPERATIONS)) {
      const call = await prepare(admin, stack.edgeToken, 2 * (WARM_UP + calls));
      const cpu = await inSession(stack, call, 0, calls, async (run) => {
        const before = familyCpuMs(server);
        await run();
        return ((familyCpuMs(server) - before) * 1000) / calls;
      });
      await admin.bare`alter role postgres set track_functions = 'all'`;
      const samples = await inSession(stack, call, WARM_UP + calls, calls, sampled);
      await admin.bare`alter role postgres reset track_functions`;
      rows.push([operation, "(PostgreSQL's processor time)", '', cpu, '']);
      rows.push(...functionRows(samples));
    }
    return {
      tables: [
        {
          title: 'Functions and triggers by operation',
          note: `Microseconds of one call over one connection that is warm. The first row of each operation is the processor time of
PostgreSQL for the whole transaction, begin, settings and commit included, while it counts no functions. Then the ${SHOWN} functions
that take the most time by themselves, with the number of their calls; medians of ${calls} transactions. Counting takes about
a microsecond itself for each call.`,
          columns: ['operation', 'function', 'calls', 'µs with callees', 'µs by itself'],
          rows,
        },
      ],
      verdicts: [],
    };
  } finally {
    await admin.bare`alter role postgres reset track_functions`;
    await admin.end();
  }
}

/** What PostgreSQL counted in each transaction. */
async function sampled(run: () => Promise<void>, sessions: Sessions): Promise<Sample[]> {
  const samples: Sample[] = [];
  sessions.afterCall = async (sql) => {
    samples.push(
      ...(await sql<Sample[]>`
        select schemaname || '.' || funcname as name, sum(calls)::float8 as calls, sum(total_time) as total,
          sum(self_time) as self
        from pg_stat_xact_user_functions group by name`),
    );
    // Otherwise PostgreSQL keeps counting for a second.
    await sql`select pg_stat_force_next_flush()`;
  };
  await run();
  return samples;
}

function functionRows(samples: readonly Sample[]): (readonly [string, string, string, number, number])[] {
  const median = (of: readonly Sample[], field: 'calls' | 'total' | 'self') =>
    summaryOf(of.map((sample) => sample[field])).median;
  return [...Map.groupBy(samples, ({ name }) => name)]
    .map(
      ([name, of]) =>
        [
          '',
          name,
          number(median(of, 'calls')),
          1000 * median(of, 'total'),
          1000 * median(of, 'self'),
        ] as const,
    )
    .toSorted((one, other) => other[4] - one[4])
    .slice(0, SHOWN);
}

/** Measures calls from this number on in a session of their own, after a warm-up. */
async function inSession<Result>(
  stack: OwnStack,
  call: Call,
  from: number,
  calls: number,
  measure: (run: () => Promise<void>, sessions: Sessions) => Promise<Result>,
): Promise<Result> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 1);
  try {
    for (let n = 0; n < WARM_UP; n++) await call(sessions, from + n);
    const run = async () => {
      for (let n = 0; n < calls; n++) await call(sessions, from + WARM_UP + n);
    };
    return await measure(run, sessions);
  } finally {
    await sessions.end();
  }
}
