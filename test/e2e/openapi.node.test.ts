import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateDocs, generateOpenApi } from '../../tools/generate/openapi.ts';

it('public/openapi.json is what the schemas write (else: npm run openapi)', () => {
  expect(readFileSync('public/openapi.json', 'utf8')).toBe(generateOpenApi());
});

it('public/docs.html is what the schemas write (else: npm run openapi)', async () => {
  expect(readFileSync('public/docs.html', 'utf8')).toBe(await generateDocs());
});

it('nothing else is public', () => {
  expect(readdirSync('public', { recursive: true }).sort()).toEqual(['docs.html', 'openapi.json']);
});
