/**
 * `npm run bench`: what the service costs, as a ratio to the work that cannot be avoided, measured side by side.
 * `-- --only database,edge,cold-start,end-to-end,other-ids` runs some; `--rounds N`; `--large`; `--out FILE` (else
 * `.local/bench.json`).
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { logConsoleTo } from '../../tools/stack/console-log.ts';
import { removePostgres } from '../../tools/stack/postgres.ts';
import { type Stack, startStack } from '../../tools/stack/stack.ts';
import { coldStart } from './cold-start.ts';
import { database } from './database.ts';
import { edge } from './edge.ts';
import { endToEnd } from './end-to-end.ts';
import { load, machine } from './machine.ts';
import { otherIds } from './other-ids.ts';
import { markdown, type Section, verdictLines } from './report.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    large: { type: 'boolean', default: false },
    out: { type: 'string', default: '.local/bench.json' },
  },
});
const rounds = Number(options.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds must be an integer of at least 1');

const SECTIONS: Readonly<Record<string, (stack: Stack) => Promise<Section>>> = {
  database: (stack) => database(stack, { rounds, large: options.large }),
  edge: (stack) => edge(stack, { rounds }),
  'cold-start': () => coldStart({ rounds }),
  'end-to-end': (stack) => endToEnd(stack, { rounds }),
  'other-ids': (stack) => otherIds(stack, { rounds }),
};

const say = (line: string) => process.stdout.write(`${line}\n`);
const directory = mkdtempSync(join(tmpdir(), 'trading-keys-bench-'));
chmodSync(directory, 0o755);
logConsoleTo(join(directory, 'supabase.log'));
const stack = await startStack({ directory, supabasePort: 0, durable: true, poolSize: 32 });
try {
  const results: Record<string, unknown> = { machine: machine(), rounds };
  say(`${JSON.stringify(machine())}\n`);
  for (const name of options.only?.split(',') ?? Object.keys(SECTIONS)) {
    const section = SECTIONS[name];
    if (!section) throw new TypeError(`Unknown section ${name}: use ${Object.keys(SECTIONS).join(', ')}`);
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
  removePostgres(join(directory, 'postgres'));
  rmSync(directory, { recursive: true, force: true });
}
