/** Values that the edge accepts are accepted by the tables, and values that the tables accept can be returned by the API. */
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { BotConfig } from '../../src/contract/bots.ts';
import { Name } from '../../src/contract/common.ts';
import { HeartbeatRequest } from '../../src/contract/runner.ts';

let sql: postgres.Sql;
beforeAll(() => {
  sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
});
afterAll(() => sql.end({ timeout: 1 }));

async function areNames(texts: readonly string[]): Promise<boolean[]> {
  const rows = await sql<{ is_name: boolean }[]>`
    select private.is_name(text) as is_name
    from unnest(${[...texts]}::text[]) with ordinality as given (text, place) order by place`;
  return rows.map((row) => row.is_name);
}

/** JSON as text: the value that counts is the one that PostgreSQL parses. */
async function accepts(check: 'is_config' | 'is_metrics', json: string): Promise<boolean> {
  const [row] = await sql<[{ accepted: boolean }]>`
    select ${sql(`private.${check}`)}(${json}::text::jsonb) as accepted`;
  return row.accepted;
}

const nested = (depth: number): string => (depth === 0 ? '1' : `{"a":${nested(depth - 1)}}`);
const ofNumbers = (number: string, count: number) => `{"a":[${Array(count).fill(number).join(',')}]}`;

describe('private.is_name', () => {
  const isNameAtTheEdge = (text: string) => Name.safeParse(text).data === text;

  it.each(['inside', 'at the start', 'at the end'])(
    'rejects the same characters as the edge, %s of a name',
    async (place) => {
      const characters = Array.from({ length: 0x11000 - 1 }, (_, index) => index + 1)
        .filter((code) => code < 0xd800 || code > 0xdfff)
        .map((code) => String.fromCodePoint(code));
      const names = characters.map(
        (character) =>
          (({ inside: `a${character}b`, 'at the start': `${character}b` }) as Record<string, string>)[
            place
          ] ?? `a${character}`,
      );
      const found = await areNames(names);
      expect(names.filter((name, index) => found[index] !== isNameAtTheEdge(name))).toEqual([]);
    },
  );

  it('rejects the same lengths', async () => {
    const names = ['', 'x', 'x'.repeat(200), 'x'.repeat(201)];
    expect(await areNames(names)).toEqual(names.map(isNameAtTheEdge));
  });
});

describe('private.is_config', () => {
  it('accepts every config that the edge accepts', async () => {
    const numbers = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.constantFrom(5e-324, -1.5e-300, 1e-7));
    const leaves = fc.oneof(numbers, fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 9 }, leaves, tie('list'), tie('object')),
      list: fc.array(tie('value'), { maxLength: 4 }),
      object: fc.dictionary(fc.string({ unit: 'binary', maxLength: 8 }), tie('value'), { maxKeys: 4 }),
    }));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value), async (config) => {
        const json = JSON.stringify(config);
        if (!BotConfig.safeParse(JSON.parse(json)).success) return;
        expect(await accepts('is_config', json)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['as many numbers as fit', ofNumbers('1', 8188)],
    ['as many small numbers as fit', ofNumbers('1e-300', 54)],
    ['as many objects as fit', ofNumbers('{}', 5458)],
    ['characters that JSON escapes', JSON.stringify({ a: '\u0001"\\\n'.repeat(1364) })],
    ['8 levels', nested(8)],
    ['the largest whole number', ofNumbers('9007199254740991', 1)],
    ['the smallest number', ofNumbers('5e-324', 1)],
  ])('accepts %s, and so does the edge', async (_, json) => {
    expect([await accepts('is_config', json), BotConfig.safeParse(JSON.parse(json)).success]).toEqual([
      true,
      true,
    ]);
  });

  it.each([
    ['9 levels', nested(9)],
    ['9 levels of lists', `{"a":${'['.repeat(8)}${']'.repeat(8)}}`],
    ['a number beyond the whole ones', ofNumbers('9007199254740992', 1)],
    ['a number beyond doubles', ofNumbers('1e400', 1)],
    ['a number below doubles', ofNumbers('-1e400', 1)],
    ['a number between doubles and zero', ofNumbers('1e-400', 1)],
    ['more than 24 KiB', JSON.stringify({ a: 'x'.repeat(24 * 1024) })],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
  ])('rejects %s', async (_, json) => {
    expect(await accepts('is_config', json)).toBe(false);
  });
});

describe('private.is_metrics', () => {
  const atTheEdge = (metrics: unknown) => HeartbeatRequest.safeParse({ status: 'ok', metrics }).success;

  it('accepts all metrics that the edge accepts', async () => {
    const values = fc.oneof(fc.double(), fc.boolean(), fc.string({ unit: 'binary', maxLength: 201 }));
    const metrics = fc.dictionary(fc.string({ unit: 'binary', maxLength: 65 }), values);
    await fc.assert(
      fc.asyncProperty(metrics, async (given) => {
        const json = JSON.stringify(given);
        if (!atTheEdge(JSON.parse(json))) return;
        expect(await accepts('is_metrics', json)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['the largest numbers', JSON.stringify({ a: Number.MAX_VALUE, b: -Number.MAX_VALUE })],
    [
      'as much as fits',
      JSON.stringify(Object.fromEntries(Array.from({ length: 740 }, (_, n) => [n + 100, true]))),
    ],
  ])('accepts %s, and so does the edge', async (_, json) => {
    expect([await accepts('is_metrics', json), atTheEdge(JSON.parse(json))]).toEqual([true, true]);
  });

  it.each([
    ['a list', '[1]'],
    ['null', 'null'],
    ['a list in it', '{"a":[1]}'],
    ['an object in it', '{"a":{}}'],
    ['a null in it', '{"a":null}'],
    ['a long name', JSON.stringify({ ['x'.repeat(65)]: 1 })],
    ['a long text', JSON.stringify({ a: 'x'.repeat(201) })],
    ['a number beyond doubles', '{"a":1e309}'],
    [
      'more than 12 KiB',
      JSON.stringify(Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`m${n}`, 'x'.repeat(180)]))),
    ],
  ])('rejects %s', async (_, json) => {
    expect(await accepts('is_metrics', json)).toBe(false);
  });
});
