/** The commands of a document, for tests that run them as they stand. */
import { readFileSync } from 'node:fs';

const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, lines = '']) => lines);

/** What the reader leaves running in a terminal of its own, which a test starts by itself. */
const isForAnotherTerminal = (block: string) => /^# In a (first|third) terminal\n/.test(block);

/** The shell lines of a document, or of one of its sections, as one script. */
export function shellOf(file: string, heading?: string): string {
  const text = readFileSync(file, 'utf8');
  const section = heading === undefined ? text : (text.split(`\n## ${heading}\n`)[1] ?? '').split('\n## ')[0];
  return blocks(section ?? '', 'sh')
    .filter((block) => !isForAnotherTerminal(block))
    .join('\n');
}

/** The only program of a document in this language. */
export function programOf(file: string, language: 'js' | 'py' = 'js'): string {
  const [program, another] = blocks(readFileSync(file, 'utf8'), language);
  if (program === undefined || another !== undefined) throw new Error(`${file} has not one program.`);
  return program;
}

/** The JSON values that a script printed, one after the other with or without a line between them. */
export const printedJson = (stdout: string): unknown[] =>
  stdout
    .trim()
    .replaceAll('}{', '}\n{')
    .split('\n')
    .map((line) => JSON.parse(line));
