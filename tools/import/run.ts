/** An import from its source to what became of each row. */
import { createReadStream } from 'node:fs';
import { readConnection } from './connection.ts';
import { readDump } from './dump.ts';
import { linesOf } from './dump-parts.ts';
import type { FernetKey } from './fernet.ts';
import { type MapFile, wantedBy } from './mapping.ts';
import { oldClientsOf } from './old-clients.ts';
import { OpenedKeys } from './open-keys.ts';
import type { Outcome } from './outcome.ts';
import type { Tables } from './tables.ts';
import { type Import, writeClient } from './write-client.ts';

/** A dump by its path (`-` is the standard input), or the old database by its URL. */
export type Source = { readonly dump: string } | { readonly url: string };

export async function readSource(source: Source, map: MapFile): Promise<Tables> {
  const schema = map.schema ?? 'public';
  if ('url' in source) return readConnection(source.url, schema, wantedBy(map));
  const chunks = source.dump === '-' ? process.stdin : createReadStream(source.dump);
  return readDump(linesOf(chunks), schema, wantedBy(map));
}

/** Client after client, in the order of the old database; each is written whole before the next is looked at. */
export async function* runImport(
  job: Import,
  tables: Tables,
  map: MapFile,
  fernetKeys: readonly FernetKey[],
): AsyncGenerator<Outcome> {
  const { clients, outcomes } = oldClientsOf(tables, map);
  yield* outcomes;
  for (const client of clients) {
    const opened = new OpenedKeys(client, fernetKeys);
    try {
      yield* await writeClient(job, client, opened);
    } finally {
      opened.wipe();
    }
  }
}
