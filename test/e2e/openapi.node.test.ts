import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateOpenApi } from '../../supabase/local/generate-openapi.ts';

it('public/openapi.json is what the schemas write (else: npm run openapi)', () => {
  expect(readFileSync('public/openapi.json', 'utf8')).toBe(generateOpenApi());
});

it('nothing else is public', () => {
  expect(readdirSync('public', { recursive: true })).toEqual(['openapi.json']);
});
