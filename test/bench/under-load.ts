/**
 * The service under load: runners that sign at the same time, and what other clients notice while one client rotates its key
 * without a pause and its runners sign without a pause.
 */
import { randomBytes } from 'node:crypto';
import type { OwnStack } from '../support/own-stack.ts';
import type { Request } from './connection.ts';
import { load } from './load.ts';
import { quantile, ratios } from './measure.ts';
import { judged, type Section, type Table, type Verdict } from './report.ts';
import { newEvmKey } from './samples.ts';
import { type Home, newHomes, requestBy, startService } from './service.ts';
import { Sessions } from './sessions.ts';
import type { Workerd } from './workerd.ts';

const RUNNERS = [16, 64, 256];
/** Enough for 99.9 % to be a figure. */
const LEAST_SIGNATURES = 2000;
/** The runners of the client that is flooded. */
const FLOOD = 16;
/** Other clients, half of which read while the others sign, each one request at a time. */
const OTHERS = 8;
const ROUND_MS = 4000;
const MAX_GROWTH = 1.2;

export async function underLoad(
  stack: OwnStack,
  { rounds, quick }: { readonly rounds: number; readonly quick: boolean },
): Promise<Section> {
  const sessions = new Sessions(stack.databaseUrl, stack.superuserUrl, 4);
  const encryptionKey = randomBytes(32).toString('base64');
  const worker = await startService(stack, encryptionKey);
  try {
    const homes = await newHomes(sessions, stack, encryptionKey, Math.max(...RUNNERS));
    const tables: Table[] = quick ? [] : [await runnerTable(worker, homes)];
    const others = await neighbours(worker, homes, Math.max(3, Math.ceil(rounds / 2)));
    return { tables: [...tables, others.table], verdicts: others.verdicts };
  } finally {
    await worker.stop();
    await sessions.end();
  }
}

const signing = ({ machineToken, botId }: Home, n: number): Request =>
  requestBy(machineToken, 'POST', `/bots/${botId}/sign`, { type: 'evm.message', message: `message ${n}` });

async function runnerTable(worker: Workerd, homes: readonly Home[]): Promise<Table> {
  const rows: Table['rows'][number][] = [];
  for (const runners of RUNNERS) {
    const requestOf = (n: number) => signing(homes[n % runners] as Home, n);
    await load(worker.url, requestOf, { requests: runners, connections: runners });
    const requests = Math.max(LEAST_SIGNATURES, 10 * runners);
    const { perSecond, latencies } = await load(worker.url, requestOf, { requests, connections: runners });
    const at = (share: number) => quantile(latencies, share);
    rows.push([`${runners}`, perSecond, at(0.5), at(0.99), at(0.999)]);
  }
  return {
    title: 'Runners that sign at the same time',
    note: `Each runner signs for the bot of another client and sends its next request when it has the response. Signatures a second and
milliseconds of a signature. All processes and the runners share the processors of one machine, so more runners only wait longer.`,
    columns: ['runners', 'signatures/s', 'p50', 'p99', 'p99.9'],
    rows,
  };
}

/** What one client does while the others are measured. */
const SITUATIONS = ['rotation', 'rotation and flood', 'rotation, flood of others'] as const;
type Situation = (typeof SITUATIONS)[number];

interface Latencies {
  readonly read: number[];
  readonly sign: number[];
}

async function neighbours(worker: Workerd, homes: readonly Home[], rounds: number) {
  const [busy, ...rest] = homes as [Home, ...Home[]];
  const others = rest.slice(0, OTHERS);
  const strangers = rest.slice(OTHERS, OTHERS + FLOOD);
  const measured = Object.fromEntries(SITUATIONS.map((name) => [name, [] as Latencies[]])) as Record<
    Situation,
    Latencies[]
  >;
  for (let round = -1; round < rounds; round++) {
    for (const situation of round % 2 ? SITUATIONS.toReversed() : SITUATIONS) {
      const flooding = {
        rotation: [],
        'rotation and flood': Array.from({ length: FLOOD }, () => busy),
        'rotation, flood of others': strangers,
      }[situation];
      const latencies = await measureOthers(worker, { busy, flooding, others });
      if (round >= 0) measured[situation].push(latencies);
    }
  }
  const at = (situation: Situation, kind: keyof Latencies, share: number) =>
    measured[situation].map((latencies) => quantile(latencies[kind], share));
  const all = (situation: Situation, kind: keyof Latencies) =>
    measured[situation].flatMap((latencies) => latencies[kind]);
  const kinds = { read: 'reads', sign: 'signatures' } as const;
  const growth = (kind: keyof Latencies, before: Situation): Verdict => {
    const name = `${kinds[kind]} of others, p99 under a flood`;
    const [against, suffix] =
      before === 'rotation'
        ? ['without the flood', '']
        : ['with the same flood spread over other clients', ', of a flood elsewhere'];
    return judged(
      `${kinds[kind]} of other clients: while one client rotates and is flooded, p99 takes at most ${MAX_GROWTH} times that ${against}`,
      {
        name: `${name}${suffix}`,
        better: 'lower',
        limit: MAX_GROWTH,
        measured: ratios(at('rotation and flood', kind, 0.99), at(before, kind, 0.99)),
      },
    );
  };
  const table: Table = {
    title: 'Other clients while one client rotates and is flooded',
    note: `One client rotates its key without a pause. ${OTHERS} other clients read their bot or sign, each one request at a time. "Flood": ${FLOOD} runners
sign without a pause for the bot of the client that rotates. "Flood of others": the same number of runners sign for clients of their own, so
the machine has the same load and no lock is shared. The three take turns in rounds of ${ROUND_MS / 1000} seconds. Milliseconds.`,
    columns: ['', 'requests', 'p50', 'p99', 'p99.9'],
    rows: SITUATIONS.flatMap((situation) =>
      (['read', 'sign'] as const).map((kind) => {
        const latencies = all(situation, kind);
        const place = (share: number) => quantile(latencies, share);
        return [`${kinds[kind]}: ${situation}`, `${latencies.length}`, place(0.5), place(0.99), place(0.999)];
      }),
    ),
  };
  return {
    table,
    verdicts: (['read', 'sign'] as const).flatMap((kind) => [
      growth(kind, 'rotation'),
      growth(kind, 'rotation, flood of others'),
    ]),
  };
}

async function measureOthers(
  worker: Workerd,
  situation: {
    readonly busy: Home;
    readonly flooding: readonly Home[];
    readonly others: readonly Home[];
  },
): Promise<Latencies> {
  const { busy, flooding, others } = situation;
  const until = performance.now() + ROUND_MS;
  const repeat = async (request: (n: number) => Request, done?: (ms: number, status: number) => void) => {
    for (let n = 0; performance.now() < until; n++) {
      const sent = performance.now();
      const status = await worker.request(request(n));
      done?.(performance.now() - sent, status);
    }
  };
  const latencies: Latencies = { read: [], sign: [] };
  const rotating = () =>
    requestBy(busy.session, 'PUT', `/clients/${busy.clientId}/rotate-key`, { private_key: newEvmKey() });
  await Promise.all([
    repeat(rotating),
    ...flooding.map((home) => repeat((n) => signing(home, n))),
    ...others.map((home, index) => {
      const kind = index % 2 ? 'sign' : 'read';
      const reading = () => requestBy(home.session, 'GET', `/bots/${home.botId}`);
      return repeat(kind === 'sign' ? (n) => signing(home, n) : reading, (ms, status) => {
        if (status !== 200) throw new Error(`A ${kind} of another client returned ${status}`);
        latencies[kind].push(ms);
      });
    }),
  ]);
  return latencies;
}
