/** What a route costs above a route that does what no implementation can do without. */
import type { Request } from './connection.ts';
import { burst } from './load.ts';
import { ratios, type Summary, summaryOf } from './measure.ts';
import { judged, number, type Table, times, type Verdict } from './report.ts';
import { type Route, routesOf } from './routes.ts';
import type { EdgeSamples } from './samples.ts';
import type { Workerd } from './workerd.ts';

const CONNECTIONS = 8;
const REQUESTS = 300;
/** Unmeasured calls of each route, so that the compiler has optimised it before measuring starts. */
const WARM_UP = 1000;

interface Target {
  readonly kind: Route['kind'];
  readonly what: string;
  /** Times the bare route. */
  readonly bare?: number;
  readonly microseconds: number;
}

const TARGETS: readonly Target[] = [
  { kind: 'read', what: 'reads', bare: 1.5, microseconds: 120 },
  { kind: 'key write', what: 'key writes', bare: 2, microseconds: 400 },
  { kind: 'sign', what: 'signatures', microseconds: 450 },
];

export interface Runtimes {
  readonly worker: Workerd;
  readonly empty: Workerd;
  readonly responder: Workerd;
  readonly bare: Workerd;
  /** `bare` without deriving addresses. */
  readonly curveless: Workerd;
}

interface Series {
  readonly perSecond: number[];
  readonly cpu: number[];
}

export async function routeTable(
  { worker, empty, responder, bare, curveless }: Runtimes,
  samples: EdgeSamples,
  operations: ReadonlyMap<string, number>,
  { rounds }: { readonly rounds: number },
) {
  const routes = routesOf(samples);
  const measured = new Map<string, Series>();
  const of = (name: string) => measured.get(name) ?? { perSecond: [], cpu: [] };
  const rpc = { method: 'POST', path: '/rest/v1/rpc/get_bot', body: '{}' };
  for (let round = -1; round < rounds; round++) {
    const measure = async (name: string, worker: Workerd, request: Request, status = 200) => {
      const requests = round < 0 ? WARM_UP : REQUESTS;
      const { perSecond, cpu } = await burst(worker, request, { requests, connections: CONNECTIONS, status });
      if (round < 0) return;
      measured.set(name, { perSecond: [...of(name).perSecond, perSecond], cpu: [...of(name).cpu, cpu] });
    };
    await measure('empty', empty, { path: '/empty' });
    await measure('responder', responder, rpc);
    for (const { name, request, status, kind } of routes) {
      await measure(name, worker, request, status);
      await measure(`bare ${name}`, bare, request, status);
      if (kind === 'key write') await measure(`curveless ${name}`, curveless, request, status);
    }
  }

  /** By route: its time without curves, the time of its bare route without curves, and the time that was subtracted. */
  const compared = (route: Route) => {
    const [whole, base] = [of(route.name).cpu, of(`bare ${route.name}`).cpu];
    const left = route.kind === 'key write' ? of(`curveless ${route.name}`).cpu : base;
    const signing = operations.get(route.curves ?? '') ?? 0;
    const curves = base.map((cpu, round) => cpu - (left[round] ?? Number.NaN) + signing);
    const ours = whole.map((cpu, round) => cpu - (curves[round] ?? Number.NaN));
    return { curves, left, ratio: ratios(ours, left), ofEmpty: ratios(ours, of('empty').cpu) };
  };
  const row = (route: Route) => {
    const { curves, left, ratio, ofEmpty } = compared(route);
    return [
      route.name,
      summaryOf(of(route.name).perSecond).median,
      summaryOf(of(route.name).cpu),
      route.kind === 'key write' || route.kind === 'sign' ? summaryOf(curves).median : '',
      summaryOf(left),
      times(ratio),
      times(ofEmpty),
    ];
  };
  const alone = (name: string) => [
    name,
    summaryOf(of(name).perSecond).median,
    summaryOf(of(name).cpu),
    '',
    '',
    '',
    times(ratios(of(name).cpu, of('empty').cpu)),
  ];
  const worst = (of: Route['kind'], figure: (route: Route) => Summary) =>
    routes
      .filter(({ kind, name }) => kind === of && name !== 'GET /health')
      .map(({ name, ...route }) => ({ name, figure: figure({ name, ...route }) }))
      .toSorted((one, other) => other.figure.median - one.figure.median)[0] ?? {
      name: '',
      figure: summaryOf([]),
    };
  const within = ({ kind, what, bare, microseconds }: Target): Verdict[] => {
    const ratio = worst(kind, (route) => compared(route).ratio);
    const cpu = worst(kind, (route) => summaryOf(of(route.name).cpu));
    const apart = kind === 'key write' ? ', apart from the work by curves' : '';
    return [
      ...(bare === undefined
        ? []
        : [
            judged(
              `${what} take at most ${bare} times the processor time of the bare route${apart}`,
              { name: `${what} of bare`, better: 'lower', limit: bare, measured: ratio.figure },
              `at worst, ${ratio.name}`,
            ),
          ]),
      {
        target: `${what} take at most ${microseconds / 1000} ms of processor time`,
        measured: `at worst ${number(cpu.figure.median / 1000)} ms (${cpu.name})`,
        met: cpu.figure.median <= microseconds,
      },
    ];
  };
  const table: Table = {
    title: 'Routes',
    note: `The production bundle in plain workerd; the database API is a second workerd that returns recorded responses of the real
functions (its own limit is in the table). ${CONNECTIONS} connections from one Node process, which also uses a processor,
so requests a second are a lower bound. Processor time is that of the Worker's process alone. "Bare" is what no implementation
can do without: Hono with the same request, the same call of the database API with the same headers and arguments, and its
JSON passed on; for a private key its bytes, its address and two layers of AES-GCM in the
call. The bare route does not verify, validate, limit or log anything, and sends no header for browsers. "Curves" is
subtracted from both: on a route that accepts a key, the time to derive its address in the bare route (measured by a bare route
without it); on a signing route, signing and its check in a loop, which the bare route leaves out with all other signing work. One
session sends all requests, so its token is verified once and then cached; the time of a verification is below.`,
    columns: ['route', 'requests/s', 'µs CPU', 'µs curves', 'µs bare', 'of bare', 'of empty'],
    rows: [alone('empty'), alone('responder'), ...routes.map(row)],
  };
  return {
    table,
    verdicts: TARGETS.flatMap(within),
  };
}
