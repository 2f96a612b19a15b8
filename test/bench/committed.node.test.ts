/** `npm run bench -- --check`: what counts as worse, and what `--commit` writes. */
import { expect, it } from 'vitest';
import { type Committed, commit, compare, isWorse, lines } from './committed.ts';
import { judged, type Ratio } from './report.ts';

const ratio = (median: number, better: Ratio['better'] = 'lower', name = 'reads'): Ratio => ({
  name,
  better,
  limit: 1.5,
  measured: { median, low: median - 0.1, high: median + 0.1 },
});
const committed: Committed = {
  edge: { reads: { better: 'lower', target: 1.5, value: 1.6, low: 1.5, high: 1.7 } },
};
const passed = (measured: readonly Ratio[], section = 'edge') =>
  compare(section, measured, committed).map((comparison) => comparison.passed);

const within = (median: number, half: number, better: Ratio['better']) => ({
  ...ratio(median, better),
  measured: { median, low: median - half, high: median + half },
});

it.each([
  ['the same', 'lower', 1.6, 0.1, false],
  ['better', 'lower', 0.5, 0.1, false],
  ['worse by twice the spread', 'lower', 1.99, 0.1, false],
  ['worse by more than twice the spread', 'lower', 2.01, 0.1, true],
  ['worse by more than twice the committed spread, but not by twice its own', 'lower', 2.01, 0.2, false],
  ['a higher one that is the same', 'higher', 1.6, 0.1, false],
  ['a higher one that is better', 'higher', 9, 0.1, false],
  ['a higher one that is worse by twice the spread', 'higher', 1.21, 0.1, false],
  ['a higher one that is worse by more than twice the spread', 'higher', 1.19, 0.1, true],
] as const)('%s -> worse: %s %s ± %s: %s', (_, better, median, half, worse) => {
  const before = { better, target: 1.5, value: 1.6, low: 1.5, high: 1.7 };
  expect(isWorse(within(median, half, better), before)).toBe(worse);
});

it('without a spread, a tenth is not worse, and more than a tenth is', () => {
  const before = { better: 'lower', target: 1.5, value: 1, low: 1, high: 1 } as const;
  expect(isWorse(within(1.09, 0, 'lower'), before)).toBe(false);
  expect(isWorse(within(1.11, 0, 'lower'), before)).toBe(true);
});

it('a ratio that is not a number is worse', () => {
  const before = committed.edge?.reads;
  expect(before && isWorse(ratio(Number.NaN), before)).toBe(true);
});

it('a worse ratio fails, and its line begins with MISSED', () => {
  const [comparison] = compare('edge', [ratio(2.5)], committed);
  expect(comparison?.passed).toBe(false);
  expect(comparison?.line).toBe('MISSED: edge: reads: not worse than 1.60 (1.50-1.70): 2.50 (2.40-2.60)');
});

it('a ratio that is not worse passes, and its line begins with met', () => {
  const [comparison] = compare('edge', [ratio(1.6)], committed);
  expect(comparison?.passed).toBe(true);
  expect(comparison?.line).toMatch(/^met: edge: reads: /);
});

it('a ratio that was never committed fails', () => {
  expect(passed([ratio(1.6), ratio(1, 'lower', 'writes')])).toEqual([true, false]);
  expect(passed([ratio(1.6)], 'load')).toEqual([false]);
});

it('a committed ratio that is no longer measured fails, except if its section was skipped', () => {
  expect(passed([ratio(1, 'lower', 'writes')])).toEqual([false, false]);
  expect(passed([])).toEqual([]);
});

it('--commit writes ratios, and keeps other sections and the targets that were given up', () => {
  const given_up = { instead: 1.9, reason: 'of a reason' };
  const before: Committed = {
    edge: { reads: { better: 'lower', target: 1.5, value: 1.6, low: 1.5, high: 1.7, given_up } },
    load: { growth: { better: 'lower', target: 1.2, value: 1, low: 1, high: 1 } },
  };
  const after = commit(before, { edge: [ratio(1.23456)], baseline: [] });
  expect(after).toEqual({
    edge: { reads: { better: 'lower', target: 1.5, value: 1.23, low: 1.13, high: 1.33, given_up } },
    load: before.load,
  });
  expect(compare('edge', [ratio(1.23456)], after).every(({ passed }) => passed)).toBe(true);
});

it('a missed target that was given up has a line for its replacement', () => {
  const verdicts = [judged('reads take at most 1.5 times', ratio(1.6))];
  expect(lines('edge', verdicts, committed)).toEqual([
    'MISSED: reads take at most 1.5 times: 1.60 (1.50-1.70) times',
  ]);
  const replaced = (instead: number): Committed => ({
    edge: {
      reads: {
        better: 'lower',
        target: 1.5,
        value: 1.6,
        low: 1.5,
        high: 1.7,
        given_up: { instead, reason: 'headers have to be sent' },
      },
    },
  });
  expect(lines('edge', verdicts, replaced(1.7))[1]).toBe(
    'met: in place of it at most 1.7 times, because headers have to be sent: 1.60 (1.50-1.70) times',
  );
  expect(lines('edge', verdicts, replaced(1.55))[1]).toMatch(/^MISSED: in place of it/);
});
