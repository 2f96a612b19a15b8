/**
 * Writes from the schemas what the Worker answers of itself: `public/openapi.json`, and `public/docs.html` for people.
 * A test fails where they are not what the schemas give.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { describeApi } from '../../src/openapi/write-description.ts';
import { docsPage } from './docs-page/page.ts';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'public');

/** The text of `openapi.json`. */
export const generateOpenApi = () => `${JSON.stringify(describeApi(createApp()), null, 2)}\n`;

/** The text of `docs.html`. */
export const generateDocs = () => docsPage(JSON.parse(generateOpenApi()));

if (import.meta.main) {
  writeFileSync(join(DIRECTORY, 'openapi.json'), generateOpenApi());
  writeFileSync(join(DIRECTORY, 'docs.html'), await generateDocs());
}
