/** Functions that write Markdown for `npm run docs:reference`. */

/** The first lines of every page. */
export const heading = (title: string, source: string): string =>
  `# ${title}\n\n<!-- Written by \`npm run docs:reference\` from ${source}. Do not edit: a test compares it. -->\n`;

/** The text of a cell in a table. An unescaped bar would end the cell. */
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

export const code = (text: unknown): string =>
  `\`${typeof text === 'string' ? text : JSON.stringify(text)}\``;

/** The anchor that GitHub creates for a heading. */
export const anchor = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');
