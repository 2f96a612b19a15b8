/**
 * The service beside the baseline: the same design without the rules of this service, as a FastAPI program. The baseline needs
 * Debian packages. Without them the section is skipped.
 */
import { randomBytes } from 'node:crypto';
import type { OwnStack } from '../support/own-stack.ts';
import { Baseline, type BaselineApp, hasBaseline, PACKAGES } from './baseline.ts';
import type { Summary } from './measure.ts';
import { OPERATIONS, type Operation, type Place } from './operations.ts';
import { judged, type Section, type Table, times, type Verdict } from './report.ts';
import { inTurns, median, type Round, ratioOf, requestsOf, runner, type Server } from './rounds.ts';
import { startService } from './service.ts';
import { Sessions } from './sessions.ts';

/** The baseline is faster. */
const BASELINE_MORE = 3;
/** The connections of the target that counts the REST layer. */
const MANY = 16;

export interface BaselineOptions {
  readonly rounds: number;
  /** Only what the targets judge. */
  readonly quick: boolean;
}

export async function againstBaseline(stack: OwnStack, options: BaselineOptions): Promise<Section> {
  if (!hasBaseline())
    return { tables: [], verdicts: [], skipped: `It needs these Debian packages: ${PACKAGES}.` };
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 4);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  const baseline = await Baseline.create(stack.superuserUrl);
  try {
    const place = { sessions, stack, encryptionKey };
    const processes = { app: worker.pid, rest: stack.apiPid, postgres: await sessions.serverPid() };
    const apps = { rows: await baseline.start('rows'), single: await baseline.start('single') };
    const cells: Cell[] = [];
    for (const { operation, connections } of pairsOf(options)) {
      const app = apps[operation.rotateMode ?? 'rows'];
      const contestants = { place, server: { url: worker.url, processes }, baseline, app };
      cells.push(await cell(operation, connections, contestants, options.rounds));
    }
    return { tables: [table(cells)], verdicts: verdicts(cells) };
  } finally {
    await worker.stop();
    await baseline.end();
    await sessions.end();
  }
}

function pairsOf({ quick }: BaselineOptions): { operation: Operation; connections: number }[] {
  const compared = OPERATIONS.filter(({ baseline }) => baseline !== undefined);
  const alone = compared.map((operation) => ({ operation, connections: 1 }));
  const many = compared.map((operation) => ({ operation, connections: MANY }));
  return [...alone, ...many.filter(({ operation }) => !quick || operation.name === SIGNING)];
}

interface Cell {
  readonly name: string;
  readonly connections: number;
  readonly service: readonly Round[];
  readonly baseline: readonly Round[];
}

interface Contestants {
  readonly place: Place;
  readonly server: Server;
  readonly baseline: Baseline;
  readonly app: BaselineApp;
}

async function cell(
  operation: Operation,
  connections: number,
  { place, server, baseline, app }: Contestants,
  rounds: number,
): Promise<Cell> {
  const theirs = operation.baseline;
  if (!theirs) throw new TypeError(`${operation.name} is not an operation of the baseline`);
  const count = requestsOf(operation, connections);
  const other = { url: app.url, processes: { app: app.pid, postgres: server.processes.postgres } };
  const measured = await inTurns(
    {
      service: runner(operation, server, connections, count, () => operation.service(place, count)),
      baseline: runner(operation, other, connections, count * BASELINE_MORE, () =>
        theirs(baseline, app, count * BASELINE_MORE),
      ),
    },
    Math.max(3, Math.ceil(rounds / 3)),
  );
  return { name: operation.name, connections, ...measured };
}

/** Of the baseline, which has no REST layer, all of it. */
const withoutRest = ({ app, postgres }: Round): number => app + postgres;

/** How many times as many requests the service serves, with the same processor time and a REST layer that costs nothing. */
const perCpu = ({ service, baseline }: Cell): Summary => ratioOf(baseline, service, withoutRest);
const perSecond = ({ service, baseline }: Cell): Summary =>
  ratioOf(service, baseline, (round) => round.perSecond);

function table(cells: readonly Cell[]): Table {
  return {
    title: 'The service and the baseline',
    note: `The production bundle in plain workerd, the embedded REST layer and PostgreSQL. Baseline: the same design as a FastAPI
program without the rules of this service, one process, a database on the same PostgreSQL server. Requests from this process.
Milliseconds of processor time a request, by process. "Of the baseline" is the service's figure divided by the baseline's:
requests a second, and requests for the same processor time without the embedded REST layer.`,
    columns: [
      'operation',
      'connections',
      'requests/s',
      'Worker',
      'REST',
      'PostgreSQL',
      'baseline requests/s',
      'app',
      'PostgreSQL',
      'requests/s of the baseline',
      'for the same CPU',
    ],
    rows: cells.map((cell) => [
      cell.name,
      `${cell.connections}`,
      median(cell.service, (round) => round.perSecond),
      median(cell.service, (round) => round.app),
      median(cell.service, (round) => round.rest),
      median(cell.service, (round) => round.postgres),
      median(cell.baseline, (round) => round.perSecond),
      median(cell.baseline, (round) => round.app),
      median(cell.baseline, (round) => round.postgres),
      times(perSecond(cell)),
      times(perCpu(cell)),
    ]),
  };
}

const SIGNING = 'sign secp256k1';
/** How many times as many requests for the same processor time, without the REST layer. */
const LEAST_PER_CPU: Readonly<Record<string, number>> = {
  [SIGNING]: 1.2,
  'setup-bot': 0.6,
  'rotate 1': 0.6,
  'rotate 100': 5,
  'rotate 1,000': 15,
  'rotate 1,000, against one UPDATE': 1,
  revoke: 0.6,
  'bot-options': 1,
  'health of a bot': 1,
};
/** With the REST layer. */
const LEAST_PER_SECOND = 0.8;

function verdicts(cells: readonly Cell[]): Verdict[] {
  const alone = cells.filter(({ connections }) => connections === 1);
  const signing = cells.find(({ name, connections }) => name === SIGNING && connections === MANY);
  return [
    ...alone.flatMap((cell) => {
      const limit = LEAST_PER_CPU[cell.name];
      if (limit === undefined) return [];
      return [
        judged(
          `${cell.name}: without the REST layer at least ${limit} times the requests of the baseline for the same processor time`,
          { name: cell.name, better: 'higher', limit, measured: perCpu(cell) },
        ),
      ];
    }),
    ...(signing
      ? [
          judged(
            `${SIGNING}: with the embedded REST layer at least ${LEAST_PER_SECOND} times the requests/s of the baseline at ${MANY} connections`,
            {
              name: `${SIGNING}, ${MANY} connections with the REST layer`,
              better: 'higher',
              limit: LEAST_PER_SECOND,
              measured: perSecond(signing),
            },
          ),
        ]
      : []),
  ];
}
