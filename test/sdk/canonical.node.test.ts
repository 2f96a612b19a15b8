/** The canonical form is that of RFC 8785, and PostgreSQL writes the same text. */
import fc from 'fast-check';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { canonicalHash, canonicalJson } from '../../src/sdk/canonical.ts';

const sql = postgres(inject('databaseUrl'), { max: 1, onnotice: () => {} });
afterAll(() => sql.end({ timeout: 1 }));

describe('canonicalJson', () => {
  // RFC 8785, section 3.2.3, and the strings of its section 3.2.2.2.
  it('sorts by UTF-16 code units, as in the example of the RFC', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.values(JSON.parse(canonicalJson(value)))).toHaveLength(7);
    expect([...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map(([, text]) => text)).toEqual([
      'Carriage Return',
      'One',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ]);
  });

  it('escapes strings as in the example of the RFC', () => {
    expect(canonicalJson({ string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"\u002f' })).toBe(
      String.raw`{"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    expect(canonicalJson({ literals: [null, true, false] })).toBe('{"literals":[null,true,false]}');
  });

  it.each([1.5, Number.NaN, 2 ** 53, -0, '\ud800', undefined, () => 1, 1n])('rejects %s', (value) => {
    expect(() => canonicalJson({ value })).toThrow(TypeError);
  });

  it('has the hash that sha256sum prints for the text', async () => {
    // printf '{"a":1}' | sha256sum
    expect(await canonicalHash({ a: 1 })).toBe(
      '015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862',
    );
  });
});

describe('PostgreSQL', () => {
  it('writes every Unicode character as ECMAScript does', async () => {
    const [{ texts }] = await sql<[{ texts: string }]>`
      select string_agg(to_json('a' || chr(point) || 'b')::text, ',' order by point) as texts
      from generate_series(1, 1114111) as point where point not between 55296 and 57343`;
    const expected: string[] = [];
    for (let point = 1; point <= 0x10ffff; point++) {
      if (point < 0xd800 || point > 0xdfff) expected.push(canonicalJson(`a${String.fromCodePoint(point)}b`));
    }
    // Compared as a whole and reported in part: printing the whole difference would take minutes.
    const all = expected.join(',');
    expect(texts === all ? 'the same' : texts.split(',').find((text, i) => text !== expected[i])).toBe(
      'the same',
    );
  });

  const text = fc
    .string({ unit: 'grapheme' })
    .filter((value) => !value.includes('\0') && value.isWellFormed());
  const scalar = fc.oneof(
    text,
    fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0')),
    fc.integer({ min: -(10 ** 15 - 1), max: 10 ** 15 - 1 }).filter((value) => !Object.is(value, -0)),
    fc.boolean(),
    fc.constant(null),
    fc.array(text),
  );
  const details = fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_]{0,9}$/), scalar, { maxKeys: 8 });

  it('writes every accepted detail as the SDK does, also nested ones', async () => {
    const samples = fc
      .sample(details, 300)
      .flatMap((detail) => [detail, { detail, list: [detail, [detail]] }]);
    const rows = await sql<{ canonical: string }[]>`
      select private.canonical_json(value) as canonical
      from jsonb_array_elements(${sql.json(samples as unknown as postgres.JSONValue)}) with ordinality as samples (value, place)
      order by place`;
    expect(rows.map(({ canonical }) => canonical)).toEqual(samples.map((sample) => canonicalJson(sample)));
  });

  it('writes every row as the SDK writes the response', async () => {
    const rows = fc.sample(fc.record({ detail: fc.option(details), text, number: fc.nat() }), 100);
    for (const { detail, text: request_id, number } of rows) {
      const [row] = await sql<[{ answer: Record<string, unknown>; canonical: string }]>`
        select private.key_event_json(row) as answer, private.canonical_key_event(row) as canonical
        from jsonb_populate_record(null::public.key_events, ${sql.json({
          client_id: crypto.randomUUID(),
          seq: number + 1,
          id: crypto.randomUUID(),
          event: 'key_released',
          bot_id: number % 2 ? crypto.randomUUID() : null,
          address: number % 3 ? '0xabc' : null,
          chain: number % 3 ? 'evm' : null,
          key_id: number % 5 ? crypto.randomUUID() : null,
          key_version: number % 7 ? number : null,
          actor_id: number % 2 ? crypto.randomUUID() : null,
          actor: 'runner',
          request_id: number % 11 ? request_id : null,
          detail,
          created_at: new Date(number * 1000 + 123).toISOString(),
          signatures: number,
          previous_hash: number % 2 ? `\\x${'ab'.repeat(32)}` : null,
          hash: `\\x${'cd'.repeat(32)}`,
        } as unknown as postgres.JSONValue)}) as row`;
      const { hash, ...hashed } = row.answer;
      expect(hash).toBe('cd'.repeat(32));
      expect(row.canonical).toBe(canonicalJson(hashed));
    }
  });

  it.each([
    ['{"a": 1, "b": "x", "c": ["y"], "d": null, "e": true, "f": -12}', true],
    ['{}', true],
    ['[]', false],
    ['"text"', false],
    ['{"a": 1.5}', false],
    ['{"a": 1.0}', false],
    ['{"a": 1e3}', true],
    ['{"a": 1e20}', false],
    ['{"a": 9007199254740993}', false],
    ['{"a": {}}', false],
    ['{"a": [1]}', false],
    ['{"a": [["x"]]}', false],
    ['{"é": 1}', false],
    ['{"A": 1}', false],
    ['{"": 1}', false],
  ])('accepts the detail %s: %s', async (detail, taken) => {
    const [row] = await sql`select private.is_event_detail(${detail}::text::jsonb) as taken`;
    expect(row?.taken).toBe(taken);
  });

  it('accepts a detail of 16 KiB and rejects a longer one', async () => {
    const [row] = await sql`select
      private.is_event_detail(jsonb_build_object('a', repeat('x', 16374))) as most,
      private.is_event_detail(jsonb_build_object('a', repeat('x', 16376))) as more`;
    expect(row).toEqual({ most: true, more: false });
  });
});
