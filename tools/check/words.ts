/** `npm run lint:words`: finds phrases that readers misunderstand, in documents, comments, texts and names of tests. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readOptions } from '../operator/command.ts';

/** A phrase, and what to write instead of it. Case does not matter. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/\banew\b/i, 'again'],
  [/\bbeforehand\b/i, 'in advance'],
  [/\bof late\b/i, 'recently'],
  [/\bpast the edge\b/i, 'directly at the REST API'],
  [/\bmend(s|ed|ing)?\b/i, 'fix'],
  [/\b(come|comes|came|coming) by\b/i, 'obtain'],
  [/\bby lot\b/i, 'at random'],
  [/\btwins?\b/i, 'concurrent request'],
  [/\bis none\b/i, 'does not exist, or the noun with "not"'],
  [/(?<!there )\bare none\b/i, 'do not exist, or the noun with "not"'],
  [/(?<!there )\b(is|are) no (?!longer\b|more\b|such\b)/i, 'is not a'],
  [/\bof nobody\b/i, 'the noun: who, or what'],
  [/\bwho asks?\b/i, 'the caller'],
  [/\bwhat is refused\b/i, 'a rejected request'],
  [/\bno answer (came|comes)\b/i, 'the database (or the API) does not respond'],
  [/\b(is|are|was|were) (waited|asked) for\b/i, 'active voice with a subject'],
  [/\bit is told\b/i, 'is returned'],
  [/\bkeeps? to\b/i, 'meets'],
  [/\bstands? in (the|a|an|no|every|each|its)\b/i, 'is listed in, is in'],
  [/'s to say\b/i, 'the subject decides'],
];

const SKIPPED =
  /^(package-lock\.json|public\/|test\/vectors\/|CHANGELOG\.md|LICENSE|tools\/check\/words\.ts)/;
const TEXT = /\.(md|ts|mjs|sql|psql|toml|yml|yaml|json)$|^\.ci\/run$/;

readOptions(
  'Usage: npm run lint:words\n\nLists phrases that readers misunderstand, in every file of the repository. It has no options.',
  {},
);
const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
let found = 0;
for (const file of files.filter((name) => TEXT.test(name) && !SKIPPED.test(name))) {
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    for (const [phrase, instead] of PHRASES) {
      const [words] = phrase.exec(line) ?? [];
      if (words === undefined) continue;
      found += 1;
      process.stdout.write(`${file}:${index + 1}: "${words.trim()}": write ${instead}\n`);
    }
  }
}
if (found > 0) {
  process.stdout.write(`\n${found} phrases. CONTRIBUTING.md, "Words we use", says why.\n`);
  process.exitCode = 1;
}
