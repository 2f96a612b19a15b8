/**
 * The list of key ids that have ended. It is small and changes with every rotation and revocation, so an operator
 * exports it far more often than a backup. With it, a restore removes the keys that ended after the backup.
 *
 * The file has one JSON object per line: first the format, then each key id, and last the number of ids and the SHA-256
 * of all lines before.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ISql } from 'postgres';
import { z } from 'zod';
import { OperatorError } from '../failure.ts';

const FORMAT = 'trading-keys ended keys, format 1';

const Head = z.strictObject({ format: z.literal(FORMAT), created_at: z.iso.datetime() });
const EndedKey = z.strictObject({ key_id: z.guid(), client_id: z.guid(), ended_at: z.iso.datetime() });
const Tail = z.strictObject({ keys: z.int().min(0), sha256: z.string() });

export type EndedKey = z.infer<typeof EndedKey>;
export interface EndedKeys {
  /** The time of the database when the list was read. */
  readonly created_at: string;
  readonly keys: readonly EndedKey[];
}

/** Reads the list in one statement, so in one snapshot. */
export async function endedKeysIn(sql: ISql): Promise<EndedKeys> {
  const [row] = await sql<[EndedKeys]>`
    select private.rfc3339(now()) as created_at, coalesce(jsonb_agg(jsonb_build_object(
      'key_id', key_id, 'client_id', client_id, 'ended_at', private.rfc3339(ended_at)) order by ended_at, key_id), '[]') as keys
    from private.key_ids where ended_at is not null`;
  return row;
}

export function writeEndedKeys({ created_at, keys }: EndedKeys): string {
  const lines = [{ format: FORMAT, created_at }, ...keys].map((line) => `${JSON.stringify(line)}\n`).join('');
  const tail: z.infer<typeof Tail> = { keys: keys.length, sha256: sha256Of(lines) };
  return `${lines}${JSON.stringify(tail)}\n`;
}

/** @throws {OperatorError} if the list is not exactly as it was written */
export function readEndedKeys(path: string): EndedKeys {
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf('\n', text.length - 2) + 1;
  const [head, ...keys] = text.slice(0, end).split('\n').slice(0, -1);
  try {
    const tail = Tail.parse(JSON.parse(text.slice(end)));
    const list = {
      ...Head.parse(JSON.parse(head ?? '')),
      keys: keys.map((line) => EndedKey.parse(JSON.parse(line))),
    };
    if (tail.sha256 === sha256Of(text.slice(0, end)) && tail.keys === list.keys.length) return list;
  } catch {
    // The error below is used instead, because the message of JSON.parse quotes the text.
  }
  throw new OperatorError('The list of ended keys is damaged, or "npm run keys:ended" did not write it.');
}

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
