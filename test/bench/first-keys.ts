/** What the first key of an isolate costs, which needs tables that later ones find. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ratios, summaryOf } from './measure.ts';
import { cpuMs } from './processes.ts';
import { judged, number, type Table, times, type Verdict } from './report.ts';
import { routesOf } from './routes.ts';
import type { EdgeSamples } from './samples.ts';
import type { Workerd } from './workerd.ts';

const ROUTES = ['POST /clients/{id}/setup-bot', 'POST /bots/{id}/sign evm.message'];
const [SETUP = '', SIGN = ''] = ROUTES;
const MAX_FIRST_SIGNATURE_MS = 10;
/** By then the compilers that run in the background have finished. */
const SETTLED_MS = 100;

/** Each round is a new isolate that has served a read. The second request of the same kind is what the first one is compared with. */
export async function firstKeys(
  start: () => Promise<Workerd>,
  samples: EdgeSamples,
  { rounds }: { readonly rounds: number },
) {
  const routes = routesOf(samples);
  const named = (name: string) => routes.find((route) => route.name === name);
  const [read, setup, sign] = ['GET /runner/bots', SETUP, SIGN].map(named);
  if (!read || !setup || !sign) throw new TypeError('A route is missing');
  const series = {
    setup: { first: [] as number[], second: [] as number[] },
    sign: { first: [] as number[], second: [] as number[] },
  };
  for (let round = 0; round < rounds; round++) {
    for (const [kind, route] of [
      ['setup', setup],
      ['sign', sign],
    ] as const) {
      const worker = await start();
      const cpuOf = async ({ request, status = 200 }: typeof route) => {
        await sleep(SETTLED_MS);
        const before = cpuMs(worker.pid);
        const got = await worker.request(request);
        if (got !== status) throw new Error(`The first ${kind} returned ${got}`);
        await sleep(SETTLED_MS);
        return cpuMs(worker.pid) - before;
      };
      await cpuOf(read);
      series[kind].first.push(await cpuOf(route));
      series[kind].second.push(await cpuOf(route));
      await worker.stop();
    }
  }
  const row = (name: string, { first, second }: (typeof series)['sign']) => [
    name,
    summaryOf(first),
    summaryOf(second),
    times(ratios(first, second)),
  ];
  const table: Table = {
    title: 'The first key of an isolate',
    note: 'Milliseconds of processor time of the first request of its kind, and of the next one. The isolate has served a read before.',
    columns: ['route', 'first', 'second', 'ratio'],
    rows: [row(SETUP, series.setup), row(SIGN, series.sign)],
  };
  const signature = summaryOf(series.sign.first);
  const verdicts: Verdict[] = [
    {
      target: `the first EVM signature of an isolate takes at most ${MAX_FIRST_SIGNATURE_MS} ms of processor time`,
      measured: `${number(signature.median)} ms`,
      met: signature.median <= MAX_FIRST_SIGNATURE_MS,
    },
    judged(
      'the first EVM key of an isolate takes at most 0.6 times the processor time of the first signature',
      {
        name: 'first key of first signature',
        better: 'lower',
        limit: 0.6,
        measured: ratios(series.setup.first, series.sign.first),
      },
    ),
  ];
  return { table, verdicts };
}
