/** The documents: what is generated is up to date, and what a link names exists. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { anchor } from '../../tools/generate/reference/markdown.ts';
import { generateReference, REFERENCE } from '../../tools/generate/reference.ts';

test.each([...(await generateReference())])(
  'docs/reference/%s is up to date (else: npm run docs:reference)',
  (name, text) => {
    expect(readFileSync(join(REFERENCE, name), 'utf8')).toBe(text);
  },
);

test('docs/reference/commands.md names every npm script', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const text = readFileSync(join(REFERENCE, 'commands.md'), 'utf8');
  expect(
    Object.keys(scripts).filter((script) => !new RegExp(`\`npm (run )?${script}[ \`]`).test(text)),
  ).toEqual([]);
});

const DOCUMENTS = [
  ...globSync('*.md'),
  ...globSync('docs/**/*.md'),
  ...globSync('test/**/*.md'),
  'python/README.md',
  'src/sdk/README.md',
];
const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
/** A heading's code and links count as their text. */
const anchorsOf = (file: string) =>
  [
    ...readFileSync(file, 'utf8')
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .matchAll(/^#+ (.*)$/gm),
  ].map(([, title = '']) => anchor(title));

describe('links between documents', () => {
  it.each(DOCUMENTS)('%s links to what exists', (file) => {
    const links = [
      ...withoutCode(readFileSync(file, 'utf8')).matchAll(
        /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g,
      ),
    ];
    const broken = links.filter(([, path = '', fragment]) => {
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(target)) return true;
      return fragment !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(fragment);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

test('every action of a workflow is pinned by commit', () => {
  const steps = globSync('.github/workflows/*.yml').flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/uses: (.*)/g)].map(([, action = '']) => `${file}: ${action}`),
  );
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.filter((step) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(step))).toEqual([]);
});
