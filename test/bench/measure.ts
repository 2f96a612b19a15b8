/** Measures side by side: the contestants take turns, so that other load on the machine affects all alike. */

/** Statistics of a series of measurements, in the unit of the series. */
export interface Summary {
  readonly median: number;
  /** The interquartile range: the middle half of the values is between these. */
  readonly low: number;
  readonly high: number;
}

export function summaryOf(series: readonly number[]): Summary {
  const at = (share: number) => quantile(series, share);
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** The value that this share of the series does not exceed: 0.99 for p99. */
export function quantile(series: readonly number[], share: number): number {
  const sorted = series.toSorted((one, other) => one - other);
  const place = (sorted.length - 1) * share;
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place % 1);
}

export interface Contestant {
  readonly run: () => Promise<unknown>;
  /** Prepares one run. Its time does not count. */
  readonly before?: () => Promise<unknown>;
}

/** Milliseconds a run, by name: `rounds` series in which each contestant has `runs` turns. */
export async function sideBySide<Name extends string>(
  contestants: Readonly<Record<Name, Contestant>>,
  { rounds, runs }: { readonly rounds: number; readonly runs: number },
): Promise<Record<Name, number[]>> {
  const names = Object.keys(contestants) as Name[];
  const series = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  // The first round fills caches and is discarded.
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + 1) % names.length] as Name;
      let spent = 0;
      for (let run = 0; run < runs; run++) {
        await contestants[name].before?.();
        const began = performance.now();
        await contestants[name].run();
        spent += performance.now() - began;
      }
      if (round >= 0) series[name].push(spent / runs);
    }
  }
  return series;
}

/** The ratio of the two, round by round. */
export function ratios(series: readonly number[], others: readonly number[]): Summary {
  return summaryOf(series.map((value, round) => value / (others[round] ?? Number.NaN)));
}

/** Calls a second and milliseconds a call, by `connections` callers at once for `milliseconds`. */
export async function throughput(
  call: (connection: number) => Promise<unknown>,
  connections: number,
  milliseconds: number,
): Promise<{ readonly perSecond: number; readonly latency: Summary }> {
  const latencies: number[] = [];
  const began = performance.now();
  const callers = Array.from({ length: connections }, async (_, connection) => {
    while (performance.now() - began < milliseconds) {
      const start = performance.now();
      await call(connection);
      latencies.push(performance.now() - start);
    }
  });
  await Promise.all(callers);
  return {
    perSecond: latencies.length / ((performance.now() - began) / 1000),
    latency: summaryOf(latencies),
  };
}
