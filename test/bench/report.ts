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
}

export interface Section {
  readonly tables: readonly Table[];
  readonly verdicts: readonly Verdict[];
}

export const number = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

export const times = (factor: Summary): string => `${number(factor.median)}x`;

const text = (cell: Cell): string => {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number') return number(cell);
  return `${number(cell.median)} (${number(cell.low)}-${number(cell.high)})`;
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

export function verdictLines(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ target, measured, met }) => `- ${met ? 'met' : 'MISSED'}: ${target}: ${measured}`)
    .join('\n');
}
