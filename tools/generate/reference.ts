/** `npm run docs:reference`: generates the pages of `docs/reference/` from the code. A test fails if a page is out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOptions } from '../operator/command.ts';
import { apiPage } from './reference/api.ts';
import { eventsPage } from './reference/events.ts';
import { problemsPage } from './reference/problems.ts';
import { settingsPage } from './reference/settings.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const REFERENCE = join(ROOT, 'docs', 'reference');

/** The text of each page by its file name. */
export async function generateReference(): Promise<ReadonlyMap<string, string>> {
  const description = JSON.parse(readFileSync(join(ROOT, 'public', 'openapi.json'), 'utf8'));
  return new Map([
    ['api.md', apiPage(description)],
    ['events.md', eventsPage()],
    ['problems.md', await problemsPage()],
    ['settings.md', settingsPage()],
  ]);
}

if (import.meta.main) {
  readOptions(
    'Usage: npm run docs:reference\n\nWrites the generated pages of docs/reference/. It has no options.',
    {},
  );
  for (const [name, text] of await generateReference()) writeFileSync(join(REFERENCE, name), text);
}
