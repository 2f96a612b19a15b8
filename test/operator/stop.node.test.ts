import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { parseMap } from '../../supabase/operator/import/mapping.ts';
import { reasonOf, Stop } from '../../supabase/operator/import/stop.ts';
import { newEvmKey } from '../support/private-keys.ts';

const SECRET = newEvmKey().privateKey;
const UNKNOWN = 'The import stopped for no reason that is known.';

test('an error of ours is told', async () => {
  expect(reasonOf(new Stop('so'))).toBe('so');
  expect(reasonOf(await parseKeyring('').catch((error) => error))).toBe('ENCRYPTION_KEY is not set');
});

test.each([
  ['an error', new Error(SECRET)],
  ['an error with a code that is no word', Object.assign(new Error('x'), { code: SECRET })],
  ['what JSON says', parseErrorOf(`{${SECRET}`)],
  ['a text', SECRET],
  ['nothing', undefined],
])('of %s nothing is told', (_, error) => {
  expect(reasonOf(error)).toBe(UNKNOWN);
});

test('of what a database says its SQLSTATE is told, and no more', async () => {
  const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
  const error = await sql`select ${SECRET}::text::uuid`.catch((refusal) => refusal);
  await sql.end();
  expect(error.message).toContain(SECRET);
  expect(reasonOf(error)).toBe('A database refused: SQLSTATE 22P02.');
});

test('of a map that is none nothing is told', () => {
  expect(() => parseMap(`{${SECRET}`)).toThrow(/^The map is not as it should be\.$/);
});

function parseErrorOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
