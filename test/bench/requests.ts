/**
 * What each operation costs in the Worker, the REST layer and PostgreSQL, beside the same operation of the baseline: the same
 * design without the rules of this service. The baseline needs Debian packages. Without them only the service is measured.
 */
import { randomBytes } from 'node:crypto';
import type { OwnStack } from '../support/own-stack.ts';
import { Baseline, type BaselineApp, hasBaseline, PACKAGES } from './baseline.ts';
import { Connection, type Request } from './connection.ts';
import { load } from './load.ts';
import { ratios, type Summary, summaryOf } from './measure.ts';
import { OPERATIONS, type Operation, type Place } from './operations.ts';
import { cpuMs, familyCpuMs } from './processes.ts';
import { Recorder } from './recorder.ts';
import { number, type Section, type Table, times, type Verdict } from './report.ts';
import { startService } from './service.ts';
import { Sessions } from './sessions.ts';

const CONNECTIONS = [1, 16];
/** Concurrent connections get more requests, so that a round lasts about as long. */
const MORE = 3;
/** The baseline is faster. */
const BASELINE_MORE = 3;

/** One round of one server: milliseconds of processor time a request, by process. */
interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly app: number;
  readonly rest: number;
  readonly postgres: number;
}

export async function requests(stack: OwnStack, { rounds }: { readonly rounds: number }): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 4);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  const baseline = hasBaseline() ? await Baseline.create(stack.superuserUrl) : undefined;
  try {
    const place = { sessions, stack, encryptionKey };
    const processes = { app: worker.pid, rest: stack.apiPid, postgres: await sessions.serverPid() };
    const apps = baseline && { rows: await baseline.start('rows'), single: await baseline.start('single') };
    const cells: Cell[] = [];
    for (const connections of CONNECTIONS) {
      for (const operation of OPERATIONS) {
        const server = { url: worker.url, processes };
        const app = apps?.[operation.rotateMode ?? 'rows'];
        const other = baseline && app && { baseline, app };
        // A baseline that is compared twice, the second time with another kind of rotation, adds nothing without the baseline.
        if (operation.rotateMode === 'single' && !other) continue;
        cells.push(await cell({ operation, connections, rounds }, { place, server }, other));
      }
    }
    return {
      tables: [requestTable(cells, baseline !== undefined), await callTable(place)],
      verdicts: baseline ? verdicts(cells) : [],
    };
  } finally {
    await worker.stop();
    await baseline?.end();
    await sessions.end();
  }
}

interface Cell {
  readonly name: string;
  readonly connections: number;
  readonly service: readonly Round[];
  readonly baseline: readonly Round[];
}

interface Server {
  readonly url: string;
  readonly processes: { readonly app: number; readonly rest?: number; readonly postgres: number };
}

async function cell(
  { operation, connections, rounds }: { operation: Operation; connections: number; rounds: number },
  { place, server }: { place: Place; server: Server },
  other: { baseline: Baseline; app: BaselineApp } | undefined,
): Promise<Cell> {
  const count = operation.requests * (connections > 1 ? MORE : 1);
  const service = runner(operation, server, connections, count, () => operation.service(place, count));
  const theirs = operation.baseline;
  const baseline =
    other &&
    theirs &&
    runner(
      operation,
      { url: other.app.url, processes: { app: other.app.pid, postgres: server.processes.postgres } },
      connections,
      count * BASELINE_MORE,
      () => theirs(other.baseline, other.app, count * BASELINE_MORE),
    );
  const result = { service: [] as Round[], baseline: [] as Round[] };
  for (let round = -1; round < Math.max(3, Math.ceil(rounds / 3)); round++) {
    const turns = [
      async () => void result.service.push(await service()),
      async () => baseline && void result.baseline.push(await baseline()),
    ];
    for (const turn of round % 2 ? turns.toReversed() : turns) await turn();
    // The first round fills caches.
    if (round < 0) for (const kept of Object.values(result)) kept.length = 0;
  }
  return { name: operation.name, connections, ...result };
}

/** Runs one round at each call. */
function runner(
  { once, status = 200, name }: Operation,
  { url, processes }: Server,
  connections: number,
  count: number,
  prepare: () => Promise<(n: number) => Request>,
): () => Promise<Round> {
  let prepared: Promise<(n: number) => Request> | undefined;
  return async () => {
    if (once) prepared = undefined;
    prepared ??= prepare();
    const requestOf = await prepared;
    const used = () => ({
      app: cpuMs(processes.app),
      rest: processes.rest === undefined ? 0 : cpuMs(processes.rest),
      postgres: familyCpuMs(processes.postgres),
    });
    const before = used();
    const { perSecond, latencies } = await load(url, requestOf, {
      requests: count,
      connections,
      status,
    }).catch((error) => {
      throw new Error(`${name}: ${error.message}`);
    });
    const after = used();
    const each = (process: keyof typeof after) => (after[process] - before[process]) / count;
    return {
      perSecond,
      p50: summaryOf(latencies).median,
      app: each('app'),
      rest: each('rest'),
      postgres: each('postgres'),
    };
  };
}

const series = (rounds: readonly Round[], of: (round: Round) => number): number[] => rounds.map(of);
const median = (rounds: readonly Round[], of: (round: Round) => number): number =>
  summaryOf(series(rounds, of)).median;
/** Of the baseline, which has no REST layer, all of it. */
const withoutRest = ({ app, postgres }: Round): number => app + postgres;

/** How many times as many requests the service serves, with the same processor time and a REST layer that costs nothing. */
const perCpu = ({ service, baseline }: Cell): Summary =>
  ratios(series(baseline, withoutRest), series(service, withoutRest));
const perSecond = ({ service, baseline }: Cell): Summary =>
  ratios(
    series(service, (round) => round.perSecond),
    series(baseline, (round) => round.perSecond),
  );

function requestTable(cells: readonly Cell[], compared: boolean): Table {
  return {
    title: 'Requests',
    note: `The production bundle in plain workerd, the embedded REST layer and PostgreSQL; requests from this process over 1 and 16
connections. Milliseconds of processor time a request, by process. ${
      compared
        ? `Baseline: the same design as a FastAPI program without the rules of this service, one process, a database on the same
PostgreSQL server. "Requests/s" and "per CPU" are the service's divided by the baseline's; "per CPU" leaves the embedded
REST layer out.`
        : `**The baseline is skipped**: it needs these Debian packages: ${PACKAGES}.`
    }`,
    columns: [
      'operation',
      'connections',
      'requests/s',
      'p50 ms',
      'Worker',
      'REST',
      'PostgreSQL',
      'baseline requests/s',
      'app',
      'PostgreSQL',
      'requests/s',
      'per CPU',
    ],
    rows: cells.map((cell) => [
      cell.name,
      `${cell.connections}`,
      median(cell.service, (round) => round.perSecond),
      median(cell.service, (round) => round.p50),
      median(cell.service, (round) => round.app),
      median(cell.service, (round) => round.rest),
      median(cell.service, (round) => round.postgres),
      ...(cell.baseline.length
        ? [
            median(cell.baseline, (round) => round.perSecond),
            median(cell.baseline, (round) => round.app),
            median(cell.baseline, (round) => round.postgres),
            times(perSecond(cell)),
            times(perCpu(cell)),
          ]
        : ['', '', '', '', '']),
    ]),
  };
}

/** How many times as many requests for the same processor time, without the REST layer. */
const LEAST_PER_CPU: Readonly<Record<string, number>> = {
  'sign secp256k1': 1.2,
  'setup-bot': 0.6,
  'rotate 1': 0.6,
  'rotate 100': 5,
  'rotate 1,000': 15,
  'rotate 1,000, against one UPDATE': 1,
  revoke: 0.6,
  'bot-options': 1,
  'health of a bot': 1,
};

function verdicts(cells: readonly Cell[]): Verdict[] {
  const alone = cells.filter(({ connections }) => connections === 1);
  const signing = cells.find(({ name, connections }) => name === 'sign secp256k1' && connections === 16);
  return [
    ...alone.flatMap((cell) => {
      const least = LEAST_PER_CPU[cell.name];
      if (least === undefined) return [];
      const measured = perCpu(cell).median;
      const target = `${cell.name}: without the REST layer at least ${least} times the requests of the baseline for the same processor time`;
      return [{ target, measured: `${number(measured)} times`, met: measured >= least }];
    }),
    ...(signing
      ? [
          {
            target:
              'sign secp256k1: with the embedded REST layer at least 0.8 times the requests/s of the baseline at 16 connections',
            measured: `${number(perSecond(signing).median)} times`,
            met: perSecond(signing).median >= 0.8,
          },
        ]
      : []),
  ];
}

/** The calls of the database API of one request each. */
async function callTable({ sessions, stack, encryptionKey }: Place): Promise<Table> {
  const recorder = await Recorder.start(stack.supabaseUrl);
  const worker = await startService(stack, encryptionKey, recorder.url);
  const connection = await Connection.open(worker.url);
  try {
    const rows: Table['rows'][number][] = [];
    for (const { name, service, rotateMode } of OPERATIONS) {
      if (rotateMode === 'single') continue;
      const requestOf = await service({ sessions, stack, encryptionKey }, 1);
      recorder.calls.length = 0;
      const { body } = await connection.send(requestOf(0));
      for (const call of recorder.calls)
        rows.push([
          name,
          call.name,
          `${call.sentBytes}`,
          `${call.answeredBytes}`,
          `${Buffer.byteLength(body)}`,
        ]);
    }
    return {
      title: 'Calls of the database API',
      note: 'Bytes of the bodies of one request: what the Worker sends to the database API, what the API returns, and what the Worker responds.',
      columns: ['operation', 'function', 'sent', 'returned', 'response'],
      rows,
    };
  } finally {
    connection.close();
    await worker.stop();
    await recorder.stop();
  }
}
