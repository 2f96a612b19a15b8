import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateDocs, generateOpenApi } from '../../tools/generate/openapi.ts';

it('public/openapi.json is what npm run openapi writes from the schemas', () => {
  expect(readFileSync('public/openapi.json', 'utf8')).toBe(generateOpenApi());
});

it('public/docs.html is what npm run openapi writes from the schemas', async () => {
  expect(readFileSync('public/docs.html', 'utf8')).toBe(await generateDocs());
});

it('no other file is public', () => {
  expect(readdirSync('public', { recursive: true }).sort()).toEqual(['docs.html', 'openapi.json']);
});
