/** Runs after all other tests: no key that a test submitted is in any response, log or stored row. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { formsOf, isRandom, secretOf } from '../support/key-forms.ts';
import { Needles } from '../support/needles.ts';
import type { Recording } from '../support/recorder.ts';

let recorded: Recording;
let secrets: Uint8Array[];
let inText: Needles;
let anywhere: Needles;

beforeAll(async () => {
  recorded = (await (
    await fetch(`${inject('operatorUrl')}/recorded`, { method: 'POST' })
  ).json()) as Recording;
  secrets = recorded.keys.flatMap((key) => secretOf(key) ?? []).filter(isRandom);
  const forms = [...new Set(secrets.flatMap(formsOf))];
  inText = new Needles(forms);
  anywhere = new Needles([...forms, ...secrets]);
});

const found = (text: string) => inText.foundIn(text);

/** An empty text if PostgreSQL has deleted the file since the files were listed. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile());
}

describe('a run of the whole suite', () => {
  test('submits keys and receives responses, so that there is something to scan', () => {
    expect(secrets.length).toBeGreaterThan(20);
    expect(recorded.texts.length).toBeGreaterThan(200);
    expect(recorded.idempotencyKeys.length > 20).toBe(inject('hasIdempotencyKeys'));
  });

  test('finds a key in each of its formats', () => {
    const [secret] = secrets;
    for (const form of formsOf(secret ?? new Uint8Array()))
      expect(found(`before ${form} after`)).not.toEqual([]);
    const raw = Buffer.concat([Buffer.from('before'), secret ?? Buffer.alloc(32), Buffer.from('after')]);
    expect(anywhere.foundIn(raw)).not.toEqual([]);
    expect(anywhere.foundIn(raw.subarray(0, -6))).toEqual([]);
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
      const names = new Needles(recorded.idempotencyKeys.filter((name) => name.length >= 16));
      expect(dump.filter((row) => names.foundIn(row).length > 0)).toEqual([]);
      await sql`checkpoint`;
    } finally {
      await sql.end();
    }
  });

  test('stores responses for retries, without an envelope or a token in them', async () => {
    const sql = postgres(inject('superuserUrl'), { max: 1, onnotice: () => {} });
    try {
      const rows = await sql<{ row: string }[]>`select t::text as row from private.kept_answers as t`;
      if (inject('hasIdempotencyKeys')) expect(rows.length).toBeGreaterThan(20);
      const secret = /eyJ[\w-]{20,}|tk_[1-9A-HJ-NP-Za-km-z]{48,50}/;
      expect(rows.filter(({ row }) => secret.test(row))).toEqual([]);
    } finally {
      await sql.end();
    }
  });

  test('leaves no key, raw or in any format, in the files and logs of the database and its API', () => {
    const files = filesBelow(inject('stackDirectory'));
    expect(files.some((path) => path.endsWith('postgres.log'))).toBe(true);
    expect(files.some((path) => path.endsWith('supabase.log'))).toBe(true);
    expect(files.filter((path) => anywhere.foundIn(contentOf(path)).length > 0)).toEqual([]);
  });
});
