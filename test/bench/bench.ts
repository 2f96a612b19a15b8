/**
 * `npm run bench`: what the service costs, as a ratio to the work that cannot be avoided and to a program without its rules,
 * measured side by side.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readOptions, rejectOptions } from '../../tools/operator/command.ts';
import { type OwnStack, startOwnStack } from '../support/own-stack.ts';
import { coldStart } from './cold-start.ts';
import { database } from './database.ts';
import { edge } from './edge.ts';
import { functions } from './functions.ts';
import { load, machine } from './machine.ts';
import { otherIds } from './other-ids.ts';
import { markdown, type Section, verdictLines } from './report.ts';
import { requests } from './requests.ts';
import { revocation } from './revocation.ts';

const usage = `Usage: npm run bench -- [options]

Measures the service as ratios to what no implementation can do without, side by side.

  --only SECTIONS  some of requests,functions,database,edge,
                   cold-start,revocation,other-ids
  --rounds N       rounds of each measurement (default: 15)
  --large          also tables of a million rows
  --out FILE       where the figures go as JSON (default: .local/bench.json)`;

const options = readOptions(usage, {
  only: { type: 'string' },
  rounds: { type: 'string', default: '15' },
  large: { type: 'boolean', default: false },
  out: { type: 'string', default: '.local/bench.json' },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) rejectOptions(usage, '--rounds is an integer from 1.');

const SECTIONS: Readonly<Record<string, (stack: OwnStack) => Promise<Section>>> = {
  requests: (stack) => requests(stack, { rounds }),
  functions: (stack) => functions(stack, { rounds }),
  database: (stack) => database(stack, { rounds, large: options.large }),
  edge: (stack) => edge(stack, { rounds }),
  'cold-start': () => coldStart({ rounds }),
  revocation,
  'other-ids': (stack) => otherIds(stack, { rounds }),
};

const names = options.only?.split(',') ?? Object.keys(SECTIONS);
const unknown = names.find((name) => !Object.hasOwn(SECTIONS, name));
if (unknown !== undefined)
  rejectOptions(usage, `--only: the sections are ${Object.keys(SECTIONS).join(', ')}.`);

const say = (line: string) => process.stdout.write(`${line}\n`);
const stack = await startOwnStack({ durable: true });
try {
  const results: Record<string, unknown> = { machine: machine(), rounds };
  say(`${JSON.stringify(machine())}\n`);
  for (const name of names) {
    const section = SECTIONS[name];
    if (!section) continue;
    const before = load();
    const { tables, verdicts } = await section(stack);
    const loads = `Load of the machine: ${before} before, ${load()} after.`;
    say([...tables.map(markdown), verdictLines(verdicts), '', loads, ''].join('\n'));
    results[name] = { tables, verdicts, load: [before, load()] };
  }
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, null, 2)}\n`);
  say(`Written to ${options.out}`);
} finally {
  await stack.stop();
}
