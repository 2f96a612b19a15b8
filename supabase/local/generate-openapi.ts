/** Writes `public/openapi.json`, which the Worker answers, from the schemas; a test fails where it is not what they give. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../../src/app.ts';
import { describeApi } from '../../src/routes/description.ts';

const FILE = join(import.meta.dirname, '..', '..', 'public', 'openapi.json');

/** The text of the file. */
export const generateOpenApi = () => `${JSON.stringify(describeApi(createApp()), null, 2)}\n`;

if (import.meta.main) writeFileSync(FILE, generateOpenApi());
