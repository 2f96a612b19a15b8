/** The database half: what the functions cost above the statements that they need. */
import { fillTables } from '../support/full-tables.ts';
import type { OwnStack } from '../support/own-stack.ts';
import type { Client } from '../support/rows.ts';
import { sealedWallet } from '../support/sealed-wallet.ts';
import { pairs, rotation } from './database-calls.ts';
import { type Household, newHousehold, newHouseholds } from './database-rows.ts';
import { type Contestant, ratios, sideBySide, summaryOf, throughput } from './measure.ts';
import { judged, number, type Section, type Table, times, type Verdict } from './report.ts';
import { Sessions } from './sessions.ts';

export interface DatabaseOptions {
  readonly rounds: number;
  /** Also measures tables of a million rows, which take minutes to load. */
  readonly large: boolean;
  /** Only what has a target. */
  readonly quick: boolean;
}

export async function database(stack: OwnStack, options: DatabaseOptions): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 32);
  try {
    const calls = await callTable(sessions, stack.edgeToken, options);
    const rotations = await rotationTable(sessions, stack.edgeToken, options);
    const more = options.quick
      ? []
      : [await checkOutTable(sessions, stack.edgeToken), await sizeTable(sessions, stack.edgeToken, options)];
    const revocation = await revocationVerdict(sessions, stack.edgeToken, options);
    return {
      tables: [calls.table, rotations.table, ...more],
      verdicts: [...calls.verdicts, ...rotations.verdicts, revocation],
    };
  } finally {
    await sessions.end();
  }
}

/** Of a client with one wallet, as a multiple of the bare statements. */
const MOST_OF_BARE: Readonly<Record<string, number>> = {
  setup_bot: 2,
  rotate_key: 2,
  revoke_key_at_edge: 2,
  get_own_client: 1.3,
  get_trading_key: 1.3,
  get_bot: 1.3,
  get_bot_health: 1.3,
  get_policy: 1.3,
  check_out_key: 1.2,
};

async function callTable(sessions: Sessions, edgeToken: string, { rounds, quick }: DatabaseOptions) {
  const rows: Table['rows'][number][] = [];
  const verdicts: Verdict[] = [];
  const one = await newHousehold(sessions.owner, { bots: 1 });
  for (const { name, call, bare } of pairs(sessions, edgeToken, one)) {
    const limit = MOST_OF_BARE[name];
    if (limit === undefined) continue;
    const series = await sideBySide({ call, bare }, { rounds, runs: 10 });
    const measured = ratios(series.call, series.bare);
    rows.push([`${name}, one bot`, summaryOf(series.call), summaryOf(series.bare), times(measured)]);
    verdicts.push(
      judged(`${name} of a client with one bot takes at most ${limit} times the bare statements`, {
        name: `${name} of bare`,
        better: 'lower',
        limit,
        measured,
      }),
    );
  }
  const home = await newHousehold(sessions.owner, { bots: 50 });
  for (const { name, call, bare } of quick ? [] : pairs(sessions, edgeToken, home)) {
    const series = await sideBySide({ call, bare }, { rounds, runs: 10 });
    rows.push([
      name,
      summaryOf(series.call),
      summaryOf(series.bare),
      times(ratios(series.call, series.bare)),
    ]);
  }
  const table: Table = {
    title: 'Functions of the API',
    note: `Milliseconds a call, as the REST layer makes it, compared with the statements that the function needs, in the
same frame but without row-level security, triggers and foreign keys. A client with one bot or with 50; median of ${rounds}
rounds of 10 (the middle half).`,
    columns: ['function', 'call', 'bare statements', 'ratio'],
    rows,
  };
  return { table, verdicts };
}

const REVOKED = 1000;
const MAX_REVOCATION_MS = 60;

/** A revocation of many running bots. */
async function revocationVerdict(
  sessions: Sessions,
  edgeToken: string,
  { rounds }: DatabaseOptions,
): Promise<Verdict> {
  // The first round is not measured. A revocation needs a client of its own, because it clears the wallets.
  const homes = await newHouseholds(sessions.owner, rounds + 1, { bots: REVOKED, tokens: 0 });
  const run = () => {
    const { userId, clientId } = homes.pop() ?? { userId: '', clientId: '' };
    return sessions.call(userId, 'revoke_key_at_edge', { edge_token: edgeToken, client_id: clientId });
  };
  const { call } = await sideBySide({ call: { run } }, { rounds, runs: 1 });
  const { median } = summaryOf(call);
  return {
    target: `revoking the key of ${REVOKED.toLocaleString('en')} running bots takes at most ${MAX_REVOCATION_MS} ms`,
    measured: `${number(median)} ms`,
    met: median <= MAX_REVOCATION_MS,
  };
}

const LOOP_LIMIT = 1000;
const MAX_WALLET_US = 10;

async function rotationTable(sessions: Sessions, edgeToken: string, { rounds, quick }: DatabaseOptions) {
  const rotate = ({ clientId, userId }: Client) =>
    sessions.call(userId, 'rotate_key', {
      edge_token: edgeToken,
      client_id: clientId,
      ...sealedWallet(clientId),
    });
  const homes = new Map<number, Household>();
  for (const size of quick ? [1, 1000] : [1, 10, 100, 1000, 10_000])
    homes.set(size, await newHousehold(sessions.owner, { bots: size }));
  await sessions.owner`vacuum analyze public.bot_wallets`;
  const contestants = Object.fromEntries(
    [...homes].flatMap(([size, { clientId, userId }]) => [
      [`call ${size}`, { run: () => rotate({ clientId, userId }) }],
      [`bare ${size}`, { run: () => sessions.statements(rotation(clientId)) }],
    ]),
  );
  const series = await sideBySide(contestants, { rounds, runs: 1 });
  const loops = await sideBySide(
    Object.fromEntries(
      [...homes]
        .filter(([size]) => size <= LOOP_LIMIT)
        .flatMap(([size, home]) => [
          [`call ${size}`, { run: () => rotate(home) }],
          [`loop ${size}`, { run: () => rowByRow(sessions, home.clientId) }],
        ]),
    ),
    { rounds: Math.max(3, Math.ceil(rounds / 4)), runs: 1 },
  );
  const of = (name: string, from = series) => from[name] ?? [];
  const rows = [...homes.keys()].map((size) => {
    const call = of(`call ${size}`);
    const loop = of(`loop ${size}`, loops);
    return [
      `${size}`,
      summaryOf(call),
      (summaryOf(call).median * 1000) / size,
      times(ratios(call, of('call 1'))),
      times(ratios(call, of(`bare ${size}`))),
      loop.length ? summaryOf(loop) : '',
      loop.length ? times(ratios(loop, of(`call ${size}`, loops))) : '',
    ];
  });
  const each = (1000 * summaryOf(of('call 1000')).median) / 1000;
  const verdicts: Verdict[] = [
    judged('rotating 1,000 wallets takes at most 10 times as long as rotating 1', {
      name: 'rotating 1,000 of 1',
      better: 'lower',
      limit: 10,
      measured: ratios(of('call 1000'), of('call 1')),
    }),
    judged('rotating 1,000 wallets is at least 15 times faster than a loop over the rows', {
      name: 'loop of rotating 1,000',
      better: 'higher',
      limit: 15,
      measured: ratios(of('loop 1000', loops), of('call 1000', loops)),
    }),
    {
      target: `rotating 1,000 wallets takes at most ${MAX_WALLET_US} µs a wallet`,
      measured: `${number(each)} µs`,
      met: each <= MAX_WALLET_US,
    },
  ];
  const table: Table = {
    title: 'Rotation by number of wallets',
    note: `Milliseconds of \`rotate_key\`. Bare: the statements without checks by triggers. Loop: the owner updates one
wallet after the other, each in its own transaction, from a client on the same machine.`,
    columns: ['wallets', 'rotate', 'µs a wallet', 'of 1 wallet', 'of bare', 'loop', 'loop of rotate'],
    rows,
  };
  return { table, verdicts };
}

/** What a naive program does: reads the wallets, then writes each one. */
async function rowByRow({ owner }: Sessions, clientId: string): Promise<void> {
  const { address, chain, key_id, encrypted_key } = sealedWallet(clientId);
  const wallets = await owner<
    { id: string }[]
  >`select id from public.bot_wallets where client_id = ${clientId}`;
  for (const { id } of wallets) {
    await owner`update public.bot_wallets set address = ${address}, chain = ${chain}, key_id = ${key_id},
      encrypted_key = ${encrypted_key} where id = ${id}`;
  }
}

const CHECK_OUT_MS = 4_000;

async function checkOutTable(sessions: Sessions, edgeToken: string): Promise<Table> {
  const homes = await newHouseholds(sessions.owner, 32, { bots: 4 });
  const rows: Table['rows'][number][] = [];
  for (const [who, connections, householdOf] of [
    ['one bot', 1, () => homes[0]],
    ['one bot', 32, () => homes[0]],
    ['32 clients', 32, (connection: number) => homes[connection]],
  ] as const) {
    const contestant = (kind: 'call' | 'bare') =>
      throughput(
        async (connection) => {
          const home = householdOf(connection);
          if (home)
            await pairs(sessions, edgeToken, home)
              .find(({ name }) => name === 'check_out_key')
              ?.[kind].run();
        },
        connections,
        CHECK_OUT_MS,
      );
    const call = await contestant('call');
    const bare = await contestant('bare');
    rows.push([
      who,
      `${connections}`,
      call.perSecond,
      call.latency,
      bare.perSecond,
      `${number(bare.perSecond / call.perSecond)}x`,
    ]);
  }
  return {
    title: 'Check-out of a key for signing',
    note: `Calls a second and milliseconds a call of \`check_out_key\`, which writes an event each time, by number of
concurrent connections. One bot: all connections sign with the same token for the same bot.`,
    columns: ['who', 'connections', 'calls/s', 'ms a call', 'bare/s', 'bare of call'],
    rows,
  };
}

async function sizeTable(
  sessions: Sessions,
  edgeToken: string,
  { rounds, large }: DatabaseOptions,
): Promise<Table> {
  const names = ['get_bot', 'list_bots', 'get_trading_key', 'check_out_key', 'setup_bot', 'rotate_key'];
  const rows: Table['rows'][number][] = [];
  let filled = 0;
  for (const size of [0, 10_000, ...(large ? [1_000_000] : [])]) {
    while (filled < size) {
      const more = Math.min(100_000, size - filled);
      await sessions.bare.begin((sql) => fillTables(sql, more));
      filled += more;
    }
    const home = await newHousehold(sessions.owner, { bots: 20 });
    const contestants = Object.fromEntries(
      pairs(sessions, edgeToken, home)
        .filter(({ name }) => names.includes(name))
        .map(({ name, call }) => [name, call]),
    );
    const nothing = { run: () => sessions.statements([['select 1', []]]) };
    const all: Record<string, Contestant> = { ...contestants, nothing };
    const series = await sideBySide(all, { rounds, runs: 5 });
    const nothings = series.nothing ?? [];
    rows.push([
      size === 0 ? 'a few thousand' : `+ ${size.toLocaleString('en')}`,
      summaryOf(nothings).median,
      ...names.map((name) => ratios(series[name] ?? [], nothings)),
    ]);
  }
  return {
    title: 'Size of the tables',
    note: `Each call as a multiple of an empty transaction (begin, settings, \`select 1\`, commit), whose milliseconds are in the
first column, with this many more wallets, bots and key events in the tables and a tenth as many clients, keys and tokens.${
      large ? '' : ' A million: `-- --large`.'
    }`,
    columns: ['wallets', 'nothing', ...names],
    rows,
  };
}
