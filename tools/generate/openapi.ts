/**
 * Generates `public/openapi.json` and `public/docs.html` from the schemas of the API, which the Worker serves, and
 * `src/sdk/openapi.ts`, the types of the package for bots. A test fails if a file differs from what this program generates.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { describeApi } from '../../src/openapi/write-description.ts';
import { readOptions } from '../operator/command.ts';
import { docsPage } from './docs-page/page.ts';
import { generateSdkTypes } from './sdk-types.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The text of `openapi.json`. */
export const generateOpenApi = () => `${JSON.stringify(describeApi(createApp()), null, 2)}\n`;

/** The text of each file by its path. */
export async function generateFiles(): Promise<ReadonlyMap<string, string>> {
  const text = generateOpenApi();
  return new Map([
    ['public/openapi.json', text],
    ['public/docs.html', await docsPage(JSON.parse(text))],
    ['src/sdk/openapi.ts', await generateSdkTypes(JSON.parse(text))],
  ]);
}

if (import.meta.main) {
  readOptions(
    'Usage: npm run openapi\n\nWrites public/openapi.json, public/docs.html and src/sdk/openapi.ts from the schemas. It has no options.',
    {},
  );
  for (const [path, text] of await generateFiles()) writeFileSync(join(ROOT, path), text);
}
