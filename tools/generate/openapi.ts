/**
 * Generates `public/openapi.json` and `public/docs.html` from the schemas of the API. The Worker serves both files.
 * A test fails if the files differ from what this program generates.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { describeApi } from '../../src/openapi/write-description.ts';
import { readOptions } from '../operator/command.ts';
import { docsPage } from './docs-page/page.ts';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'public');

/** The text of `openapi.json`. */
export const generateOpenApi = () => `${JSON.stringify(describeApi(createApp()), null, 2)}\n`;

/** The text of `docs.html`. */
export const generateDocs = () => docsPage(JSON.parse(generateOpenApi()));

if (import.meta.main) {
  readOptions(
    'Usage: npm run openapi\n\nWrites public/openapi.json and public/docs.html from the schemas. It has no options.',
    {},
  );
  writeFileSync(join(DIRECTORY, 'openapi.json'), generateOpenApi());
  writeFileSync(join(DIRECTORY, 'docs.html'), await generateDocs());
}
