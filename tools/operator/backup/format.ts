/**
 * The format of a backup: a script of COPY commands, which psql can read too. The last two lines are a manifest and the
 * SHA-256 of everything before it. They are at the end because their content is only known after all rows were read.
 */
import { z } from 'zod';
import { quoted } from './tables.ts';

export const FIRST_LINE = '-- trading-keys backup, format 1';
export const PREAMBLE = ["SET client_encoding = 'UTF8';", 'SET standard_conforming_strings = on;'];
export const MANIFEST = '-- manifest ';
export const SHA256 = '-- sha256 ';
export const END_OF_ROWS = '\\.';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const Manifest = z.strictObject({
  format: z.literal(1),
  created_at: z.iso.datetime(),
  /** The time of the newest event of any kind. Null if the database has no events. */
  newest_event: z.iso.datetime().nullable(),
  migrations: z.array(z.string()),
  tables: z.array(
    z.strictObject({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.int().min(0),
      sha256: Sha256,
    }),
  ),
});
export type Manifest = z.infer<typeof Manifest>;

export const copyLine = (table: string, columns: readonly string[]): string =>
  `COPY ${table} (${columns.map(quoted).join(', ')}) FROM stdin;`;
