/** After everything else: no key that any test submitted stands in anything received, logged or stored. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { formsOf, isRandom, secretOf } from '../support/key-forms.ts';
import type { Recording } from '../support/recorder.ts';

let recorded: Recording;
let secrets: Uint8Array[];
let needles: string[];

beforeAll(async () => {
  recorded = (await (
    await fetch(`${inject('operatorUrl')}/recorded`, { method: 'POST' })
  ).json()) as Recording;
  secrets = recorded.keys.flatMap((key) => secretOf(key) ?? []).filter(isRandom);
  needles = [...new Set(secrets.flatMap(formsOf))];
});

/** Which of the needles stand in a text: by index, so that a failure shows no key either. */
function found(text: string | Buffer): number[] {
  return needles.flatMap((needle, index) => (text.includes(needle) ? [index] : []));
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

describe('a run of the whole suite', () => {
  test('submits keys and receives answers, so that there is something to scan', () => {
    expect(secrets.length).toBeGreaterThan(20);
    expect(recorded.texts.length).toBeGreaterThan(200);
  });

  test('would notice a key in each of its forms', () => {
    const [secret] = secrets;
    for (const form of formsOf(secret ?? new Uint8Array()))
      expect(found(`before ${form} after`)).not.toEqual([]);
  });

  test('receives and logs no key', () => {
    expect(recorded.texts.filter((text) => found(text).length > 0)).toEqual([]);
  });

  test('receives and logs no envelope', () => {
    const envelope = /eyJ[\w-]{100,}(\.[\w-]{16,}){4}/;
    expect(recorded.texts.filter((text) => envelope.test(text))).toEqual([]);
  });

  test('leaves no key, and no Idempotency-Key, in a dump of the database', async () => {
    const sql = postgres(inject('superuserUrl'), { max: 1, onnotice: () => {} });
    try {
      const tables = await sql<{ name: string }[]>`
        select format('%I.%I', schemaname, tablename) as name from pg_tables
        where schemaname not in ('pg_catalog', 'information_schema')`;
      const dump: string[] = [];
      for (const { name } of tables) {
        const rows = await sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} as t`);
        dump.push(...rows.map(({ row }) => row));
      }
      expect(dump.filter((row) => row.includes('eyJ')).length).toBeGreaterThan(20);
      expect(dump.filter((row) => found(row).length > 0)).toEqual([]);
      expect(recorded.idempotencyKeys.length).toBeGreaterThan(20);
      const names = recorded.idempotencyKeys.filter((name) => name.length >= 16);
      expect(dump.filter((row) => names.some((name) => row.includes(name)))).toEqual([]);
      await sql`checkpoint`;
    } finally {
      await sql.end();
    }
  });

  test('keeps answers to give again, and in them no envelope and no token', async () => {
    const sql = postgres(inject('superuserUrl'), { max: 1, onnotice: () => {} });
    try {
      const rows = await sql<{ row: string }[]>`select t::text as row from private.kept_answers as t`;
      expect(rows.length).toBeGreaterThan(20);
      const secret = /eyJ[\w-]{20,}|tk_[1-9A-HJ-NP-Za-km-z]{48,50}/;
      expect(rows.filter(({ row }) => secret.test(row))).toEqual([]);
    } finally {
      await sql.end();
    }
  });

  test('leaves no key, raw or in any form, in the files and logs of the database and its API', () => {
    const files = filesBelow(inject('stackDirectory'));
    expect(files.some((path) => path.endsWith('postgres.log'))).toBe(true);
    expect(files.some((path) => path.endsWith('supabase.log'))).toBe(true);
    const leaking = files.filter((path) => {
      const bytes = readFileSync(path);
      return found(bytes).length > 0 || secrets.some((secret) => bytes.includes(Buffer.from(secret)));
    });
    expect(leaking).toEqual([]);
  });
});
