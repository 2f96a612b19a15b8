/** The ratios of the last commit, which `npm run bench -- --check` compares with. Only ratios: a time depends on the machine. */
import { meets, type Ratio, spread, type Verdict, verdictLine } from './report.ts';

/** A target that no known change reaches, the target that replaces it, and the reason. */
export interface GivenUp {
  readonly instead: number;
  readonly reason: string;
}

export interface CommittedRatio {
  readonly better: Ratio['better'];
  readonly target: number;
  readonly value: number;
  /** The spread: the middle half of the rounds. */
  readonly low: number;
  readonly high: number;
  readonly given_up?: GivenUp;
}

/** By section, then by name. */
export type Committed = Readonly<Record<string, Readonly<Record<string, CommittedRatio>>>>;

export interface Comparison {
  readonly line: string;
  readonly passed: boolean;
}

/** Two runs of the same code differ by so much in the median, although their rounds do not. */
const LEAST_DIFFERENCE = 0.1;

/**
 * A ratio is worse if its median differs from the committed one by more than twice the wider of the two spreads. With fewer than
 * ten rounds, the medians of the same code differ by that in less than one of a hundred runs.
 */
export function isWorse({ better, measured }: Ratio, { value, low, high }: CommittedRatio): boolean {
  const widest = Math.max(high - low, measured.high - measured.low);
  const allowed = Math.max(2 * widest, LEAST_DIFFERENCE * value);
  const difference = better === 'lower' ? measured.median - value : value - measured.median;
  // Not `>`, because a ratio that is not a number is worse.
  return !(difference <= allowed);
}

/** Compares the ratios of one section that was measured. A section without a ratio was skipped: the caller has said so. */
export function compare(section: string, measured: readonly Ratio[], committed: Committed): Comparison[] {
  if (measured.length === 0) return [];
  const before = committed[section] ?? {};
  const names = new Set(measured.map(({ name }) => name));
  const gone = Object.keys(before).filter((name) => !names.has(name));
  return [
    ...measured.map((ratio) => comparison(section, ratio, before[ratio.name])),
    ...gone.map((name) => failed(section, name, 'committed, and no longer measured')),
  ];
}

function comparison(section: string, ratio: Ratio, before: CommittedRatio | undefined): Comparison {
  if (!before) return failed(section, ratio.name, 'not committed yet: npm run bench -- --commit');
  const { value, low, high } = before;
  const passed = !isWorse(ratio, before);
  const target = `${section}: ${ratio.name}: not worse than ${spread({ median: value, low, high })}`;
  return { passed, line: verdictLine({ target, measured: spread(ratio.measured), met: passed }) };
}

const failed = (section: string, name: string, why: string): Comparison => ({
  passed: false,
  line: verdictLine({ target: `${section}: ${name}`, measured: why, met: false }),
});

/** The new content of the file: sections that were not measured stay, and so do targets that were given up. */
export function commit(
  committed: Committed,
  measured: Readonly<Record<string, readonly Ratio[]>>,
): Record<string, Record<string, CommittedRatio>> {
  const sections = Object.entries(measured).filter(([, ratios]) => ratios.length > 0);
  const renewed = sections.map(([section, ratios]) => [
    section,
    Object.fromEntries(ratios.map((ratio) => [ratio.name, entry(ratio, committed[section]?.[ratio.name])])),
  ]);
  return { ...committed, ...Object.fromEntries(renewed) };
}

function entry({ better, limit, measured }: Ratio, before: CommittedRatio | undefined): CommittedRatio {
  const { median, low, high } = measured;
  const [value, lowest, highest] = [median, low, high].map((number) => Number(number.toPrecision(3)));
  return {
    better,
    target: limit,
    value: value ?? median,
    low: lowest ?? low,
    high: highest ?? high,
    ...(before?.given_up && { given_up: before.given_up }),
  };
}

/** One line for each target. A target that was given up has two: its own, and that of its replacement. */
export function lines(section: string, verdicts: readonly Verdict[], committed: Committed): string[] {
  return verdicts.flatMap((verdict) => {
    const { ratio, measured, met } = verdict;
    const replaced = !met && ratio ? committed[section]?.[ratio.name]?.given_up : undefined;
    if (!ratio || !replaced) return [verdictLine(verdict)];
    const bound = ratio.better === 'lower' ? 'at most' : 'at least';
    const target = `in place of it ${bound} ${replaced.instead} times, because ${replaced.reason}`;
    return [verdictLine(verdict), verdictLine({ target, measured, met: meets(ratio, replaced.instead) })];
  });
}
