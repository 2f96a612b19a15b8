import { readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { generateTypes } from '../../tools/generate/types.ts';

test('src/database/types.ts is what npm run types writes from the migrations', () => {
  expect(readFileSync('src/database/types.ts', 'utf8')).toBe(generateTypes(inject('databaseUrl')));
});
