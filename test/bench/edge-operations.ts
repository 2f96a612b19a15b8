/** What an operation of the edge costs above its cryptography. */
import { ratios, summaryOf } from './measure.ts';
import { cpuMs } from './processes.ts';
import { judged, type Table, times, type Verdict } from './report.ts';
import type { Workerd } from './workerd.ts';

const MAX_SIGNING = 1.3;
const SIGNED = ['evm.message', 'evm.transaction', 'evm.typed_data', 'solana.transaction'];

const PAIRS: readonly [operation: string, bare: string][] = [
  ['seal', 'bare seal'],
  ['open', 'bare open'],
  ['verify HS256', 'bare verify HS256'],
  ['verify ES256', 'bare verify ES256'],
  ['verify HS256 again', 'bare verify HS256'],
  ['verify ES256 again', 'bare verify ES256'],
  ...SIGNED.flatMap((kind): [string, string][] => [
    [`sign ${kind}`, `bare sign ${kind}`],
    [`sign ${kind}`, `bare hash, sign and check ${kind}`],
  ]),
];
/** Curves alone: the time that is subtracted where a route is compared with one that has no curves. */
const ALONE = SIGNED.map((kind) => `bare sign and check ${kind}`);

export async function operationTable(worker: Workerd, { rounds }: { readonly rounds: number }) {
  const names = [...new Set([...PAIRS.flat(), ...ALONE])];
  const series = new Map<string, number[]>();
  for (let round = -1; round < rounds; round++) {
    for (const op of ['nothing', ...names]) {
      const times = /sign|derive/.test(op) ? 40 : 300;
      const before = cpuMs(worker.pid);
      const status = await worker.request({ path: `/?op=${encodeURIComponent(op)}&n=${times}` });
      if (status !== 200) throw new Error(`The operation ${op} returned ${status}`);
      const each = ((cpuMs(worker.pid) - before) * 1000) / times;
      if (round >= 0) series.set(op, [...(series.get(op) ?? []), each]);
    }
  }
  const of = (name: string) => series.get(name) ?? [];
  const table: Table = {
    title: 'Operations of the edge',
    note: `Microseconds of processor time in workerd. Bare: the same primitives of Web Crypto or the curve alone, with no
token, header or JSON around them. "Hash, sign and check" is what every signing service must do: open both layers of
AES-GCM, hash the parsed request (EIP-191, EIP-712, RLP), import and sign, verify the signature, because a faulty signature can
reveal the key, and write the response. "Again": the same isolate has verified the token before.`,
    columns: ['operation', 'µs', 'bare', 'µs bare', 'ratio'],
    rows: PAIRS.map(([operation, bare]) => [
      operation,
      summaryOf(of(operation)),
      bare,
      summaryOf(of(bare)),
      times(ratios(of(operation), of(bare))),
    ]),
  };
  const worst = (prefix: string) =>
    PAIRS.filter(
      ([operation, bare]) => operation.startsWith('sign ') && bare === `${prefix} ${operation.slice(5)}`,
    )
      .map(([operation, bare]) => ({ operation, ...ratios(of(operation), of(bare)) }))
      .toSorted((one, other) => other.median - one.median)[0];
  const { operation = '', ...measured } = worst('bare hash, sign and check') ?? {
    operation: '',
    ...summaryOf([]),
  };
  const verdicts: Verdict[] = [
    judged(
      `opening, reading and signing take at most ${MAX_SIGNING} times a bare decrypt, hash, signature and check`,
      { name: 'signing of bare', better: 'lower', limit: MAX_SIGNING, measured },
      `at worst, ${operation}`,
    ),
  ];
  return { table, verdicts, cpu: new Map(names.map((name) => [name, summaryOf(of(name)).median])) };
}
