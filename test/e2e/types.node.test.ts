import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { generateTypes } from '../../tools/generate/types.ts';

test('src/database/types.ts is what the Supabase CLI makes of the migrations (else: npm run types)', () => {
  expect(readFileSync('src/database/types.ts', 'utf8')).toBe(generateTypes(inject('databaseUrl')));
});
