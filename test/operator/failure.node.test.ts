import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { parseMap } from '../../tools/import/mapping.ts';
import { messageOf, OperatorError } from '../../tools/operator/failure.ts';
import { newEvmKey } from '../support/private-keys.ts';

const SECRET = newEvmKey().privateKey;
const UNKNOWN = 'The command failed for an unknown reason.';

test('an error of ours is printed', async () => {
  expect(messageOf(new OperatorError('so'))).toBe('so');
  expect(messageOf(await parseKeyring('').catch((error) => error))).toBe('ENCRYPTION_KEY is not set');
});

test.each([
  ['an error', new Error(SECRET)],
  ['an error with a code that is not a word', Object.assign(new Error('x'), { code: SECRET })],
  ['an error of JSON.parse', parseErrorOf(`{${SECRET}`)],
  ['a text', SECRET],
  ['nothing', undefined],
])('no part of %s is printed', (_, error) => {
  expect(messageOf(error)).toBe(UNKNOWN);
});

const sqlError = async (run: (sql: postgres.Sql) => Promise<unknown>) => {
  const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
  const error: unknown = await run(sql).catch((reason) => reason);
  await sql.end();
  if (!(error instanceof postgres.PostgresError)) throw new TypeError('the database rejects it');
  return error;
};

test('the SQLSTATE and the origin of a database error are printed, without values', async () => {
  const malformed = await sqlError((sql) => sql`select ${SECRET}::text::uuid`);
  expect(malformed.message).toContain(SECRET);
  expect(messageOf(malformed)).toBe('The database rejected a statement, SQLSTATE 22P02.');
  const constraint = await sqlError(
    (sql) => sql`insert into public.clients (name, email) values ('x', ${SECRET.toUpperCase()})`,
  );
  expect(messageOf(constraint)).toBe(
    'The database rejected a statement, SQLSTATE 23514, table clients, constraint "an e-mail is in lower case".',
  );
});

test('the message of an error that our own functions raise is printed', async () => {
  const error = await sqlError((sql) => sql`select private.raise_not_found()`);
  expect(messageOf(error)).toMatch(/^The database rejected a statement, SQLSTATE PT404: \w.+/);
});

test('no part of a malformed map is printed', () => {
  expect(() => parseMap(`{${SECRET}`)).toThrow(/^The map is malformed\.$/);
});

function parseErrorOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
