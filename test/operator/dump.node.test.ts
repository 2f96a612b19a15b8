/** Parsing of dumps: real pg_dump output in each format, and what an attacker could put into one. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, test } from 'vitest';
import { readDump } from '../../tools/import/dump.ts';
import { linesOf } from '../../tools/import/dump-parts.ts';
import { wantedBy } from '../../tools/import/mapping.ts';
import { DumpError, type Tables } from '../../tools/import/tables.ts';

const FORMS = ['copy', 'inserts', 'column-inserts'] as const;
const fixture = (form: string) =>
  readFileSync(new URL(`../vectors/old-backend/${form}.sql`, import.meta.url));

async function* chunksOf(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function read(dump: string | Uint8Array, size = 1 << 16): Promise<Tables> {
  const bytes = typeof dump === 'string' ? new TextEncoder().encode(dump) : dump;
  return readDump(linesOf(chunksOf(bytes, size)), 'public', wantedBy({}));
}

/** The rows of trading_keys, or the reason of the rejection. */
async function keysIn(dump: string | Uint8Array): Promise<unknown> {
  return read(dump).then(
    (tables) => tables.get('trading_keys')?.rows,
    (error) => (error instanceof DumpError ? error.reason : Promise.reject(error)),
  );
}

describe('dumps by pg_dump', () => {
  it.each(FORMS)('%s: has the rows of four tables, and no row from inside a string', async (form) => {
    const tables = await read(fixture(form));
    expect([...tables].map(([name, { rows }]) => [name, rows.length]).sort()).toEqual([
      ['bot_wallets', 3],
      ['bots', 2],
      ['clients', 2],
      ['trading_keys', 2],
    ]);
    const keys = tables.get('trading_keys');
    expect(keys?.columns).toEqual([
      'id',
      'client_id',
      'wallet_address',
      'encrypted_private_key',
      'is_active',
      'created_at',
    ]);
    expect(keys?.rows.map(([id, client]) => [id, client])).toEqual([
      ['1', '1'],
      ['2', '2'],
    ]);
    expect(tables.get('bots')?.rows[0]?.[2]).toMatch(
      /^O'Brien \\ "grid"\ttab\nCOPY public\.trading_keys .*é 中 🔑 \);$/s,
    );
    expect(tables.get('bot_wallets')?.rows[2]?.[3]).toBeNull();
  });

  test('have the same content in every format', async () => {
    const [copy, ...others] = await Promise.all(
      FORMS.map(async (form) => {
        const rows = [...(await read(fixture(form)))].map(
          ([name, table]) => [name, table.columns, table.rows] as const,
        );
        return JSON.stringify(rows.sort()).replaceAll('"true"', '"t"');
      }),
    );
    for (const other of others) expect(other).toBe(copy);
  });

  it.each([1, 7, 1000])('are parsed to the same rows in pieces of %i bytes', async (size) => {
    const dump = fixture('inserts').subarray(0, 12_000);
    expect([...(await read(dump, size))]).toEqual([...(await read(dump))]);
  });

  it.each(['copy', 'inserts'])('%s: truncated within a statement or its rows -> rejected', async (form) => {
    const text = fixture(form).toString();
    for (const mark of ['encrypted_private_key text', '\t1\t0xCAf9', "(1, 1, '0xCAf9", 'gAAAAABlU']) {
      const at = text.indexOf(mark);
      if (at >= 0) expect(await keysIn(text.slice(0, at + 9))).toMatch(/^dump_(?:cut_off|malformed)$/);
    }
  });
});

const KEYS = 'CREATE TABLE public.trading_keys (\n    id integer NOT NULL,\n    client_id integer\n);\n';

describe('texts in a dump that look like rows', () => {
  const row = 'INSERT INTO public.trading_keys VALUES (9, 9);';
  it.each([
    ['a string of several lines', `INSERT INTO public.notes VALUES ('a\n${row}\n');`],
    ['a doubled quote', `INSERT INTO public.notes VALUES ('it''s\n${row}\n''');`],
    ['a quote after a backslash', `INSERT INTO public.notes VALUES ('\\', '\n${row}\n');`],
    ['an escape string', `SELECT E'it\\'s\n${row}\n''\\'\n${row}';`],
    ['an escape string that seems to end', `SELECT E'it\\'s;\n${row}\n--\\'';`],
    ['a function', `CREATE FUNCTION f() AS $f$ it's\n${row}\n$$ $f$;`],
    ['a comment', `/* it's /* \n${row}\n */ '\n${row}\n */`],
    ['a comment of a line', `-- it's ${row}`],
    ['a name', `CREATE TABLE public."a'\n${row}\n""" (\n    id integer\n);`],
    ['a row of COPY', `COPY public.notes (note) FROM stdin;\n${row}\n\\N\n\\.`],
    ['a row of COPY of a table with an odd name', `COPY public."a;b" (note) FROM stdin;\n${row}\n\\.`],
    [
      'a row of COPY of another table after one of COPY of it',
      `COPY public.trading_keys (id, client_id) FROM stdin;\n\\.\nCOPY public.notes (a, b) FROM stdin;\n9\t9\n\\.`,
    ],
    ["psql's own commands", `\\restrict ${row}`],
  ])('%s: is not a row', async (_, text) => {
    expect(await keysIn(`${KEYS}${text}\nINSERT INTO public.trading_keys VALUES (1, 2);\n`)).toEqual([
      ['1', '2'],
    ]);
  });

  it.each([
    ['another schema', 'INSERT INTO app.trading_keys (id, client_id) VALUES (9, 9);'],
    ['a longer name', 'INSERT INTO public.trading_keys_old (id, client_id) VALUES (9, 9);'],
    ['a comment on it', "COMMENT ON TABLE public.trading_keys IS 'INSERT INTO';"],
  ])('%s: is not the table', async (_, text) => {
    expect(await keysIn(KEYS + text)).toEqual([]);
  });
});

describe('formats of values', () => {
  it.each<[string, string, (string | null)[]]>([
    ['null', 'NULL, DEFAULT', [null, null]],
    ['numbers and truth', '-1.5e3, true', ['-1.5e3', 'true']],
    ['texts', "'it''s, (here)', ''", ["it's, (here)", '']],
    ['line breaks and tabs', "'a\n\tb\\n', ' '", ['a\n\tb\\n', ' ']],
  ])('INSERT: %s', async (_, values, cells) => {
    expect(await keysIn(`${KEYS}INSERT INTO public.trading_keys VALUES (${values});`)).toEqual([cells]);
  });

  it.each<[string, string, (string | null)[]]>([
    ['null', '\\N\t', [null, '']],
    ['escapes', 'a\\tb\\nc\\\\N\t\\\\x00', ['a\tb\nc\\N', '\\x00']],
  ])('COPY: %s', async (_, line, cells) => {
    const dump = `${KEYS}COPY public.trading_keys (id, client_id) FROM stdin;\n${line}\n\\.\n`;
    expect(await keysIn(dump)).toEqual([cells]);
  });

  test('names in quotes, lists in another order, rows of several statements', async () => {
    const dump = `${KEYS}INSERT INTO "public"."trading_keys" ("client_id", id) OVERRIDING SYSTEM VALUE VALUES (2, 1), (4, 3)
      ON CONFLICT DO NOTHING;\nINSERT INTO public.trading_keys (client_id, id) VALUES (6, 5);`;
    const tables = await read(dump);
    expect(tables.get('trading_keys')).toMatchObject({
      columns: ['id', 'client_id'],
      rows: [
        ['1', '2'],
        ['3', '4'],
        ['5', '6'],
      ],
    });
  });
});

describe('a file that is not a plain dump is rejected', () => {
  it.each<[string, string | Uint8Array, string]>([
    ['the custom format', 'PGDMP\x01\x0e', 'dump_not_plain'],
    ['a compressed one', gzipSync(KEYS), 'dump_not_plain'],
    ['text that is not UTF-8', Buffer.from(`-- caf\xe9\n${KEYS}`, 'latin1'), 'dump_not_plain'],
    ['another encoding', `SET client_encoding = 'LATIN1';\n${KEYS}`, 'dump_not_plain'],
    ['strings of the old kind', `SET standard_conforming_strings = off;\n${KEYS}`, 'dump_not_plain'],
    [
      'rows without names of columns',
      'INSERT INTO public.trading_keys VALUES (1, 2);',
      'dump_columns_unknown',
    ],
    ['a row too short', `${KEYS}INSERT INTO public.trading_keys VALUES (1);`, 'dump_malformed'],
    [
      'a row too long',
      `${KEYS}COPY public.trading_keys (id, client_id) FROM stdin;\n1\t2\t3\n\\.\n`,
      'dump_malformed',
    ],
    ['an expression', `${KEYS}INSERT INTO public.trading_keys VALUES (1, now());`, 'dump_malformed'],
    ['a query', `${KEYS}INSERT INTO public.trading_keys VALUES (1, 2) RETURNING id;`, 'dump_malformed'],
    [
      'a column that the table did not have',
      `${KEYS}INSERT INTO public.trading_keys (id, client_id, encrypted_key) VALUES (1, 2, 'x');`,
      'dump_malformed',
    ],
    [
      'a COPY without an end',
      `${KEYS}COPY public.trading_keys (id, client_id) FROM stdin;\n1\t2\n`,
      'dump_cut_off',
    ],
    ['a quote without an end', `${KEYS}SELECT 'a;\n`, 'dump_cut_off'],
    ['a comment without an end', `${KEYS}/* a`, 'dump_cut_off'],
    ['a statement without an end', `${KEYS}SELECT 1`, 'dump_cut_off'],
  ])('%s', async (_, dump, reason) => {
    expect(await keysIn(dump)).toBe(reason);
  });

  test('and no part of it is repeated', async () => {
    const error = await read(`${KEYS}INSERT INTO public.trading_keys VALUES ('a secret', now());`).catch(
      (e) => e,
    );
    expect(String(error.stack)).not.toContain('a secret');
    expect(error.cause).toBeUndefined();
  });
});
