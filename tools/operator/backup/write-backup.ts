import { createHash } from 'node:crypto';
import type { ISql } from 'postgres';
import { copyLine, END_OF_ROWS, FIRST_LINE, MANIFEST, type Manifest, PREAMBLE, SHA256 } from './format.ts';
import { appliedMigrations, prepareTransaction, quoted, storedTables } from './tables.ts';

/**
 * Returns the bytes of a backup in chunks.
 *
 * @param sql a transaction of one snapshot (repeatable read)
 * @returns the manifest
 */
export async function* backupOf(sql: ISql): AsyncGenerator<Buffer, Manifest> {
  await prepareTransaction(sql);
  const [snapshot] = await sql<[{ created_at: string; newest_event: string | null }]>`
    select private.rfc3339(now()) as created_at,
      (select private.rfc3339(max(created_at)) from private.every_key_event) as newest_event`;
  const hash = createHash('sha256');
  const hashed = (bytes: Buffer): Buffer => {
    hash.update(bytes);
    return bytes;
  };
  const lines = (...all: string[]): Buffer => Buffer.from(`${all.join('\n')}\n`);

  yield hashed(lines(FIRST_LINE, ...PREAMBLE));
  const tables: Manifest['tables'] = [];
  for (const { name, columns: stored } of await storedTables(sql)) {
    const columns = stored.map((column) => column.name);
    yield hashed(lines('', copyLine(name, columns)));
    const hashOfRows = createHash('sha256');
    let rows = 0;
    const rowsOf = await sql.unsafe(`copy ${name} (${columns.map(quoted).join(', ')}) to stdout`).readable();
    for await (const chunk of rowsOf) {
      hashOfRows.update(chunk);
      // COPY escapes line breaks in values, so each line is one row.
      for (const byte of chunk) if (byte === 0x0a) rows += 1;
      yield hashed(chunk);
    }
    // While the stream is full, postgres.js does not read from its socket. If the COPY ends meanwhile, nothing makes
    // postgres.js read again, and the next statement would never end.
    rowsOf._read(0);
    yield hashed(lines(END_OF_ROWS));
    tables.push({ name, columns, rows, sha256: hashOfRows.digest('hex') });
  }
  const migrations = await appliedMigrations(sql);
  const manifest: Manifest = { format: 1, ...snapshot, migrations, tables };
  yield hashed(lines('', `${MANIFEST}${JSON.stringify(manifest)}`));
  yield lines(`${SHA256}${hash.digest('hex')}`);
  return manifest;
}
