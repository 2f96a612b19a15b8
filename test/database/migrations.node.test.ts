import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../src/services/readiness.ts';
import { hashOf, readMigrations, stated, withoutComments } from '../../tools/generate/schema-version.ts';

const migrations = readMigrations();
const others = migrations.slice(0, -1);
const last = migrations.at(-1) ?? { name: '', text: '' };

const REDEFINITION =
  /\bcreate or replace\b|\b(?:drop|alter) (?:function|procedure|trigger|policy|view|type|index)\b|\bdrop (?:table|constraint|column)\b|\badd constraint\b/gi;
const redefinitions = (sql: string) => withoutComments(sql).match(REDEFINITION) ?? [];

it('every file name has a number of its own and a subject', () => {
  const numbers = migrations.map(({ name }) => /^(20261122\d{6})_[a-z]+(?:_[a-z]+)*\.sql$/.exec(name)?.[1]);
  expect(numbers).not.toContain(undefined);
  expect(new Set(numbers).size).toBe(numbers.length);
});

// PostgreSQL itself rejects a second `create function` with the same arguments.
describe('every table, constraint, function and trigger is defined once, in the file of its subject', () => {
  it.each(migrations)('$name', ({ text }) => expect(redefinitions(text)).toEqual([]));

  it('a second definition is found, and a comment is not', () => {
    expect(redefinitions('create or replace function f()')).toEqual(['create or replace']);
    expect(redefinitions('DROP FUNCTION f')).toEqual(['DROP FUNCTION']);
    expect(redefinitions('alter table a\n  add constraint "b" check (c)')).toEqual(['add constraint']);
    expect(redefinitions('-- create or replace\ncreate function f()')).toEqual([]);
  });
});

describe('the version of the schema', () => {
  const { version, sha256 } = stated(last.text);

  it('is in the last migration, which contains nothing else', () => {
    expect(last.name).toMatch(/_schema_version\.sql$/);
    const statements = withoutComments(last.text).match(
      /\b(?:create|alter|insert|update|delete|drop|do)\b [^(]*/g,
    );
    expect(statements).toEqual(['create function public.schema_version']);
    expect(others.filter(({ text }) => text.includes('schema_version()'))).toEqual([]);
  });

  it('is the version that GET /ready requires', () => expect(SCHEMA_VERSION).toBe(version));

  it('is raised with every change of a migration', () => {
    const isCurrent = sha256 === hashOf(version, others);
    expect(
      isCurrent,
      'A migration has changed. Raise the version of the schema: npm run schema:version',
    ).toBe(true);
  });

  it('belongs to one hash: a changed, added or removed migration changes it, and so does the version', () => {
    const [first, ...more] = others;
    if (first === undefined) throw new Error('There is no migration.');
    const changed = { ...first, text: first.text.replace('private', 'priv') };
    const hashes = [
      hashOf(version, others),
      hashOf(version, [changed, ...more]),
      hashOf(version, more),
      hashOf(version, [...others, first]),
      hashOf(version + 1, others),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it.each([
    [
      'a comment',
      "select 'it''s -- no comment';",
      "-- it's a comment\nselect 'it''s -- no comment'; -- the end",
    ],
    ['white space', 'select 1;', '\nselect\n  1;\n'],
    ['the name of the file', 'select 1;', 'select 1;'],
  ])('does not have to be raised for %s', (_, before, after) => {
    const hash = (name: string, text: string) => hashOf(1, [{ name, text }]);
    expect(hash('b.sql', after)).toBe(hash('a.sql', before));
  });

  it('has to be raised for a string that looks like a comment', () => {
    expect(withoutComments("select '-- a';")).not.toBe(withoutComments("select '-- b';"));
  });
});
