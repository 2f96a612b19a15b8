/**
 * `npm run soak -- --minutes N`: the production bundle in the plain runtime, in front of an embedded stack of its
 * own, under a mixed load. Each response is judged by the earlier responses, memory must stay flat, and at the
 * end the database must be consistent. Exits with 1 if any of this does not hold.
 */
import { randomBytes } from 'node:crypto';
import { createApp } from '../../src/app.ts';
import { describeApi } from '../../src/openapi/write-description.ts';
import { readOptions, rejectOptions } from '../../tools/operator/command.ts';
import { startOwnStack } from '../support/own-stack.ts';
import { bundle, serve } from '../support/workerd.ts';
import { runLoad, wrongInDatabase } from './load.ts';
import { heapMib, residentMib, type Sample, slopeOf } from './memory.ts';
import { createWorld, type World } from './world.ts';

const MOST_MINUTES = 30;
/** The time in which the isolate warms up and caches fill. */
const WARM_UP_SHARE = 1 / 3;
/** Generous limits: a leak at this rate fails within an afternoon; garbage that is not collected yet does not. */
const HEAP_EVERY_SECONDS = 5;
const MOST_HEAP_GROWTH_MIB = 16;
const MOST_RESIDENT_GROWTH_MIB = 128;

const usage = `Usage: npm run soak -- [options]

Runs all calls at once against the production bundle and checks every response.

  --minutes N     more than 0 and at most ${MOST_MINUTES} (default: 3)
  --households N  1 to 50 (default: 6)
  --runners N     of each household, 1 to 20 (default: 2)`;
const values = readOptions(usage, {
  minutes: { type: 'string', default: '3' },
  households: { type: 'string', default: '6' },
  runners: { type: 'string', default: '2' },
});
const minutes = Number(values.minutes);
const [households, runners] = [Number(values.households), Number(values.runners)];
if (
  !(
    minutes > 0 &&
    minutes <= MOST_MINUTES &&
    households >= 1 &&
    households <= 50 &&
    runners >= 1 &&
    runners <= 20
  )
) {
  rejectOptions(usage, 'An option has a value that is not allowed.');
}

const stack = await startOwnStack();
const built = await bundle();
const worker = await serve(
  built,
  {
    SUPABASE_URL: stack.supabaseUrl,
    SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
    EDGE_TOKEN: stack.edgeToken,
    SUPABASE_JWT_SECRET: stack.jwtSecret,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  },
  { inspector: true },
);
const wrong: string[] = [];
try {
  const world = await createWorld({ apiUrl: worker.url, ...stack });
  say(
    `${minutes} minutes, ${households} households with ${runners} runners each, against workerd with the production bundle.`,
  );
  say('The local REST server is the bottleneck: the times below do not apply to hosted Supabase.');
  const from = Date.now();
  const until = from + minutes * 60_000;
  const samples: Sample[] = [];
  const heaps: Sample[] = [];
  const watching = setInterval(() => {
    const seconds = (Date.now() - from) / 1000;
    if (seconds < minutes * 60 * WARM_UP_SHARE) return;
    samples.push({ seconds, mib: residentMib(worker.pid) });
    if (samples.length % HEAP_EVERY_SECONDS !== 0) return;
    void heapMib(worker.inspectorPort ?? 0).then(
      (used) => heaps.push({ seconds, mib: used }),
      // A measurement that failed leaves a gap.
      () => {},
    );
  }, 1000);
  const residentAtStart = residentMib(worker.pid);
  const lived = await runLoad(world, { households, runners, until });
  clearInterval(watching);

  wrong.push(...world.judge.wrong, ...(await wrongInDatabase(world, lived)));
  report(world, lived.length, (Date.now() - from) / 1000);
  const middle = minutes * 30 * (1 + WARM_UP_SHARE);
  const leastHeap = (of: (sample: Sample) => boolean) =>
    Math.min(...heaps.filter(of).map((sample) => sample.mib));
  const heapBefore = leastHeap(({ seconds }) => seconds < middle);
  const heapAfter = leastHeap(({ seconds }) => seconds >= middle);
  const [first, last] = [samples.at(0)?.mib ?? 0, samples.at(-1)?.mib ?? 0];
  say('');
  say(
    `resident memory: ${mib(residentAtStart)} at start, ${mib(first)} after warm-up, ${mib(last)} at the end, ` +
      `${slopeOf(samples).toFixed(2)} MiB a minute`,
  );
  if (heaps.length > 1)
    say(
      `heap after a collection, the lowest of ${heaps.length} measurements: ${mib(heapBefore)} in the first half after ` +
        `warm-up, ${mib(heapAfter)} in the second`,
    );
  if (heapAfter - heapBefore > MOST_HEAP_GROWTH_MIB) wrong.push('the heap grew');
  if (last - first > MOST_RESIDENT_GROWTH_MIB) wrong.push('the resident memory grew');
  neverAsked(world);
  await world.close();
} finally {
  await worker.stop();
  built.remove();
  await stack.stop();
}
say('');
for (const line of wrong) say(`wrong: ${line}`);
say(
  wrong.length === 0
    ? 'Every response was possible, and the database is consistent.'
    : 'These checks failed.',
);
process.exitCode = wrong.length === 0 ? 0 : 1;

function report({ api: { figures }, signatures }: World, lives: number, seconds: number): void {
  say(
    `${figures.requests} requests in ${seconds.toFixed(0)} s, ${(figures.requests / seconds).toFixed(0)} a second, ` +
      `${lives} households, ${signatures} signatures`,
  );
  say('');
  say(
    `${'route'.padEnd(38)}${['requests', 'p50 ms', 'p95 ms', 'p99 ms'].map((text) => text.padStart(10)).join('')}`,
  );
  for (const { route, requests, p50, p95, p99 } of figures.timings()) {
    const numbers = [String(requests), ...[p50, p95, p99].map((time) => time.toFixed(1))];
    say(`${route.padEnd(38)}${numbers.map((text) => text.padStart(10)).join('')}`);
  }
  say('');
  say(
    `answers: ${figures
      .answers()
      .map(([code, count]) => `${code} ${count}`)
      .join(', ')}`,
  );
}

function neverAsked({ api }: World): void {
  const asked = new Set(api.figures.timings().map(({ route }) => route));
  const lines = Object.entries(describeApi(createApp()).paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const never = lines.filter((line) => !asked.has(line));
  say(`routes never called: ${never.join(', ') || 'none'}`);
}

function mib(value: number): string {
  return `${value.toFixed(1)} MiB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
