/** Tables for readers, JSON for programs. */
import type { Summary } from './measure.ts';

export type Cell = string | number | Summary;

export interface Table {
  readonly title: string;
  /** How it was measured, and against what. */
  readonly note: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** The target of a figure, and whether the figure meets it. */
export interface Verdict {
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
  /** What `--check` compares. A figure in milliseconds has none, because it depends on the machine. */
  readonly ratio?: Ratio;
}

export interface Ratio {
  readonly name: string;
  readonly better: 'lower' | 'higher';
  /** The target. */
  readonly limit: number;
  readonly measured: Summary;
}

/** The verdict about a ratio. `what` is a sentence with the target. */
export function judged(what: string, ratio: Ratio, where = ''): Verdict {
  return {
    target: what,
    measured: `${spread(ratio.measured)} times${where && ` (${where})`}`,
    met: meets(ratio, ratio.limit),
    ratio,
  };
}

export const meets = ({ better, measured }: Ratio, limit: number): boolean =>
  better === 'lower' ? measured.median <= limit : measured.median >= limit;

export interface Section {
  readonly tables: readonly Table[];
  readonly verdicts: readonly Verdict[];
  /** Why nothing was measured. */
  readonly skipped?: string;
}

export const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export const times = (factor: Summary): string => `${number(factor.median)}x`;

/** The median, and the middle half in brackets. */
export const spread = ({ median, low, high }: Summary): string =>
  `${number(median)} (${number(low)}-${number(high)})`;

const text = (cell: Cell): string => {
  if (typeof cell === 'string') return cell;
  return typeof cell === 'number' ? number(cell) : spread(cell);
};

/** Tables in GitHub's Markdown, which are readable in a terminal too. */
export function markdown({ title, note, columns, rows }: Table): string {
  const lines = [columns, ...rows.map((row) => row.map(text))];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, column) => (column ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  const [head = [], ...body] = lines;
  return [`### ${title}`, '', note, '', line(head), rule, ...body.map(line), ''].join('\n');
}

export const verdictLine = ({
  target,
  measured,
  met,
}: Pick<Verdict, 'target' | 'measured' | 'met'>): string =>
  `${met ? 'met' : 'MISSED'}: ${target}: ${measured}`;
