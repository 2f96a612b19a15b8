/** Imports the tables of the old database and reports what became of each row. */
import type { FernetKey } from './fernet.ts';
import type { MapFile } from './mapping.ts';
import { oldClientsOf } from './old-clients.ts';
import { OpenedKeys } from './open-keys.ts';
import type { Outcome } from './outcome.ts';
import type { Tables } from './tables.ts';
import { type Import, writeClient } from './write-client.ts';

/** Imports the clients one after the other, in the order of the old database. Each client is one transaction. */
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
