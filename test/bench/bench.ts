/**
 * `npm run bench`: what the service costs, as a ratio to the work that cannot be avoided and to a program without its rules,
 * measured side by side.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readOptions, rejectOptions } from '../../tools/operator/command.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { againstBaseline } from './against-baseline.ts';
import { coldStart } from './cold-start.ts';
import { type Committed, commit, compare, lines } from './committed.ts';
import { database } from './database.ts';
import { edge } from './edge.ts';
import { functions } from './functions.ts';
import { load, machine } from './machine.ts';
import { otherIds } from './other-ids.ts';
import { markdown, type Ratio, type Section } from './report.ts';
import { requests } from './requests.ts';
import { revocation } from './revocation.ts';
import { underLoad } from './under-load.ts';

const SECTIONS: Readonly<Record<string, (stack: OwnStack, options: Options) => Promise<Section>>> = {
  requests,
  baseline: againstBaseline,
  functions,
  database,
  edge,
  'cold-start': coldStart,
  load: underLoad,
  revocation,
  'other-ids': otherIds,
};
/** The sections with ratios to compare. */
const CHECKED = ['baseline', 'database', 'edge', 'cold-start', 'load'];
/** Together these sections take about ten minutes with so many rounds. */
const CHECK_ROUNDS = '5';
const RATIOS = join(import.meta.dirname, 'ratios.json');

interface Options {
  readonly rounds: number;
  readonly large: boolean;
  /** Only what has a target. */
  readonly quick: boolean;
}

const usage = `Usage: npm run bench -- [options]

Measures the service as ratios to what no implementation can do without, side by side.

  --only SECTIONS  some of requests,baseline,functions,database,edge,
                   cold-start,load,revocation,other-ids
  --rounds N       rounds of each measurement (default: 15; with --check and
                   --commit: ${CHECK_ROUNDS})
  --large          also tables of a million rows
  --check          measures only what has a target, and exits with 1 if a ratio
                   is worse than the committed one, beyond twice the spread
  --commit         writes the ratios of the same measurement into
                   test/bench/ratios.json
  --out FILE       where the figures go as JSON (default: .local/bench.json)`;

const given = readOptions(usage, {
  only: { type: 'string' },
  rounds: { type: 'string' },
  large: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  commit: { type: 'boolean', default: false },
  out: { type: 'string', default: '.local/bench.json' },
});
const quick = given.check || given.commit;
const rounds = Number(given.rounds ?? (quick ? CHECK_ROUNDS : '15'));
if (!Number.isInteger(rounds) || rounds < 1) rejectOptions(usage, '--rounds is an integer from 1.');
if (given.check && given.commit) rejectOptions(usage, '--check and --commit exclude each other.');

const names = given.only?.split(',') ?? (quick ? CHECKED : Object.keys(SECTIONS));
const unknown = names.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined)
  rejectOptions(usage, `--only: the sections are ${Object.keys(SECTIONS).join(', ')}.`);

const say = (line: string) => process.stdout.write(`${line}\n`);
const committed = JSON.parse(readFileSync(RATIOS, 'utf8')) as Committed;
const measured: Record<string, readonly Ratio[]> = {};
// So that the children end too: see endWithThisProcess.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const began = performance.now();
const stack = await startOwnStack({ durable: true });
try {
  const results: Record<string, unknown> = { machine: machine(), rounds };
  say(`${JSON.stringify(machine())}\n`);
  for (const name of names) {
    const section = SECTIONS[name];
    if (!section) continue;
    const [before, start] = [load(), performance.now()];
    const { tables, verdicts, skipped } = await section(stack, { rounds, large: given.large, quick });
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    say(tables.map(markdown).join('\n'));
    if (skipped !== undefined) say(`${name} is skipped. ${skipped}`);
    for (const line of lines(name, verdicts, committed)) say(line);
    say(`\nLoad of the machine: ${before} before ${name}, ${load()} after its ${seconds} seconds.\n`);
    results[name] = { tables, verdicts, load: [before, load()] };
    measured[name] = verdicts.flatMap(({ ratio }) => ratio ?? []);
  }
  mkdirSync(dirname(given.out), { recursive: true });
  writeFileSync(given.out, `${JSON.stringify(results, null, 2)}\n`);
  say(`Written to ${given.out}`);
} finally {
  await stack.stop();
}

if (given.commit) {
  writeFileSync(RATIOS, `${JSON.stringify(commit(committed, measured), null, 2)}\n`);
  say(`Written to ${RATIOS}`);
}
if (given.check) {
  const comparisons = names.flatMap((name) => compare(name, measured[name] ?? [], committed));
  for (const { line } of comparisons) say(line);
  const worse = comparisons.filter(({ passed }) => !passed).length;
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  say(`${worse} of ${comparisons.length} ratios are worse than the committed ones (${minutes} minutes).`);
  process.exitCode = worse > 0 ? 1 : 0;
}
