/** How long the first request takes, and how much additional routes add to it. */
import { type Bundle, buildBundle } from '../support/bundle.ts';
import { bundleVerdict } from './edge.ts';
import { burst } from './load.ts';
import { ratios, sideBySide, summaryOf } from './measure.ts';
import { judged, type Section, times } from './report.ts';
import { Workerd } from './workerd.ts';

const ROUTES = [0, 100, 1000];

/** How many times as long as an empty program. */
const MAX_COLD_START = 2;

export async function coldStart(
  _stack: unknown,
  { rounds, quick }: { readonly rounds: number; readonly quick: boolean },
): Promise<Section> {
  const bundle = buildBundle();
  const empty = buildBundle('test/bench/workers/empty.ts');
  const firstAnswer = async (program: Bundle, path: string) => {
    const worker = await Workerd.start(program, {}, path);
    await worker.stop();
    return worker.startMs;
  };
  const series = { service: [] as number[], empty: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const service = await firstAnswer(bundle, '/health');
    const nothing = await firstAnswer(empty, '/empty');
    if (round < 0) continue;
    series.service.push(service);
    series.empty.push(nothing);
  }

  const measured = ratios(series.service, series.empty);
  const verdicts = [
    bundleVerdict(bundle),
    judged(`a cold start takes at most ${MAX_COLD_START} times that of an empty program`, {
      name: 'cold start of empty',
      better: 'lower',
      limit: MAX_COLD_START,
      measured,
    }),
  ];
  if (quick) return { tables: [], verdicts };

  const many = buildBundle('test/bench/workers/many-routes.ts');
  const rows: (string | number | ReturnType<typeof summaryOf>)[][] = [];
  for (const routes of ROUTES) {
    const worker = await Workerd.start(many, { ROUTES: `${routes}` }, '/health');
    await burst(worker, { path: '/health' }, { requests: 1000, connections: 8 });
    const requests = await sideBySide(
      { health: { run: () => burst(worker, { path: '/health' }, { requests: 100, connections: 8 }) } },
      { rounds, runs: 1 },
    );
    rows.push([`+ ${routes}`, worker.startMs, summaryOf(requests.health.map((ms) => ms * 10))]);
    await worker.stop();
  }

  return {
    tables: [
      {
        title: 'Cold start',
        note: 'Milliseconds from the start of workerd to its first response, including the start of the process and of an empty isolate.',
        columns: ['bundle', 'KiB', 'KiB compressed', 'first response', 'of empty'],
        rows: [
          ['empty Hono', empty.bytes / 1024, empty.gzipBytes / 1024, summaryOf(series.empty), '1.00x'],
          [
            'the service',
            bundle.bytes / 1024,
            bundle.gzipBytes / 1024,
            summaryOf(series.service),
            times(measured),
          ],
        ],
      },
      {
        title: 'Number of routes',
        note: 'The service with additional routes, each with schemas: first response in milliseconds; then microseconds of `GET /health` over 8 connections.',
        columns: ['routes', 'first response', 'µs a request'],
        rows,
      },
    ],
    verdicts,
  };
}
