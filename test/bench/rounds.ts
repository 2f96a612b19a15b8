/** Rounds of requests to one server, with the processor time of each of its processes. */
import type { Request } from './connection.ts';
import { load } from './load.ts';
import { ratios, type Summary, summaryOf } from './measure.ts';
import type { Operation } from './operations.ts';
import { cpuMs, familyCpuMs } from './processes.ts';

/** One round of one server: milliseconds of processor time a request, by process. */
export interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly app: number;
  readonly rest: number;
  readonly postgres: number;
}

export interface Server {
  readonly url: string;
  readonly processes: { readonly app: number; readonly rest?: number; readonly postgres: number };
}

/** Runs one round at each call. */
export function runner(
  { once, status = 200, name }: Operation,
  { url, processes }: Server,
  connections: number,
  count: number,
  prepare: () => Promise<(n: number) => Request>,
): () => Promise<Round> {
  let prepared: Promise<(n: number) => Request> | undefined;
  return async () => {
    if (once) prepared = undefined;
    prepared ??= prepare();
    const requestOf = await prepared;
    const used = () => ({
      app: cpuMs(processes.app),
      rest: processes.rest === undefined ? 0 : cpuMs(processes.rest),
      postgres: familyCpuMs(processes.postgres),
    });
    const before = used();
    const { perSecond, latencies } = await load(url, requestOf, {
      requests: count,
      connections,
      status,
    }).catch((error) => {
      throw new Error(`${name}: ${error.message}`);
    });
    const after = used();
    const each = (process: keyof typeof after) => (after[process] - before[process]) / count;
    return {
      perSecond,
      p50: summaryOf(latencies).median,
      app: each('app'),
      rest: each('rest'),
      postgres: each('postgres'),
    };
  };
}

/** Concurrent connections get more requests, so that a round lasts about as long. */
const MORE = 3;
export const requestsOf = ({ requests }: Operation, connections: number): number =>
  requests * (connections > 1 ? MORE : 1);

export const series = (rounds: readonly Round[], of: (round: Round) => number): number[] => rounds.map(of);
export const median = (rounds: readonly Round[], of: (round: Round) => number): number =>
  summaryOf(series(rounds, of)).median;
/** Both servers in one round after the other. */
export const ratioOf = (
  rounds: readonly Round[],
  others: readonly Round[],
  of: (round: Round) => number,
): Summary => ratios(series(rounds, of), series(others, of));

/** Runs each contestant in turns, and drops the first round, which fills caches. */
export async function inTurns<Name extends string>(
  contestants: Readonly<Record<Name, () => Promise<Round>>>,
  rounds: number,
): Promise<Record<Name, Round[]>> {
  const names = Object.keys(contestants) as Name[];
  const result = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Round[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 ? names.toReversed() : names) {
      const measured = await contestants[name]();
      if (round >= 0) result[name].push(measured);
    }
  }
  return result;
}
