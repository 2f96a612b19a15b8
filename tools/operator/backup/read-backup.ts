/** Reads a backup without trusting it. Any difference from the format is an error, and no part of the file is run as SQL. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { linesOf } from '../../import/dump-parts.ts';
import { DumpError } from '../../import/tables.ts';
import { OperatorError } from '../failure.ts';
import { copyLine, END_OF_ROWS, FIRST_LINE, MANIFEST, Manifest, PREAMBLE, SHA256 } from './format.ts';

export type BackupPart =
  | { readonly kind: 'table'; readonly name: string; readonly columns: readonly string[] }
  /** A row of the table that was returned last, as COPY writes it. */
  | { readonly kind: 'row'; readonly line: string };

const damaged = (how: string) => new OperatorError(`The backup is damaged: ${how}. Nothing was written.`);
const COPY = /^COPY ((?:public|private|auth)\.[a-z_0-9]+) \(((?:"(?:[^"]|"")+"(?:, )?)+)\) FROM stdin;$/;

/**
 * Returns the tables and rows of a backup, in their order. The SHA-256 is checked at the end, so all rows are
 * unverified until the generator returns.
 *
 * @throws {OperatorError}
 */
export async function* readBackup(path: string): AsyncGenerator<BackupPart, Manifest> {
  try {
    return yield* parse(linesOf(bytesOf(path)));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code.startsWith('Z_')) throw damaged('it cannot be decompressed');
    if (error instanceof DumpError) throw damaged('it is not text in UTF-8');
    throw error;
  }
}

/** Reads and verifies the whole backup, and returns its manifest. */
export async function verifyBackup(path: string): Promise<Manifest> {
  const parts = readBackup(path);
  for (;;) {
    const { done, value } = await parts.next();
    if (done) return value;
  }
}

async function* parse(lines: AsyncGenerator<string>): AsyncGenerator<BackupPart, Manifest> {
  const hash = createHash('sha256');
  const next = async (): Promise<string> => {
    const { done, value } = await lines.next();
    if (done) throw damaged('it ends too early');
    return value;
  };
  const nextHashed = async (): Promise<string> => {
    const line = await next();
    hash.update(`${line}\n`);
    return line;
  };

  if ((await nextHashed()) !== FIRST_LINE) {
    throw new OperatorError('The file is not a backup of this version of "npm run backup".');
  }
  for (const line of PREAMBLE) if ((await nextHashed()) !== line) throw damaged('its beginning was changed');
  const tables: Manifest['tables'] = [];
  let manifest: string;
  for (;;) {
    if ((await nextHashed()) !== '') throw damaged('a line is not known');
    const line = await nextHashed();
    if (line.startsWith(MANIFEST)) {
      manifest = line.slice(MANIFEST.length);
      break;
    }
    tables.push(yield* parseTable(line, nextHashed));
  }
  if ((await next()) !== `${SHA256}${hash.digest('hex')}`) throw damaged('its SHA-256 is another one');
  if (!(await lines.next()).done) throw damaged('something follows its end');
  return checkedManifest(manifest, tables);
}

async function* parseTable(
  line: string,
  next: () => Promise<string>,
): AsyncGenerator<BackupPart, Manifest['tables'][number]> {
  const [, name = '', list = ''] = COPY.exec(line) ?? [];
  const columns = [...list.matchAll(/"((?:[^"]|"")+)"/g)].map(([, column = '']) =>
    column.replaceAll('""', '"'),
  );
  if (line !== copyLine(name, columns)) throw damaged('a line is not known');
  yield { kind: 'table', name, columns };
  const hash = createHash('sha256');
  let rows = 0;
  for (let row = await next(); row !== END_OF_ROWS; row = await next()) {
    hash.update(`${row}\n`);
    rows += 1;
    yield { kind: 'row', line: row };
  }
  return { name, columns, rows, sha256: hash.digest('hex') };
}

function checkedManifest(text: string, tables: Manifest['tables']): Manifest {
  const manifest = parseManifest(text);
  const found = new Map(tables.map((table) => [table.name, JSON.stringify(table)]));
  const wrong = manifest.tables.find((table) => found.get(table.name) !== JSON.stringify(table));
  if (wrong || found.size !== tables.length || tables.length !== manifest.tables.length) {
    throw damaged(`the rows of ${wrong?.name ?? 'a table'} do not fit its manifest`);
  }
  return manifest;
}

function parseManifest(text: string): Manifest {
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    throw damaged('its manifest is malformed');
  }
}

/** Decompresses a compressed file. It looks at the first bytes and not at the name. */
function bytesOf(path: string): AsyncIterable<Uint8Array> {
  const file = openSync(path, 'r');
  const magic = Buffer.alloc(2);
  readSync(file, magic, 0, 2, 0);
  closeSync(file);
  const source = createReadStream(path);
  return magic.readUInt16BE() === 0x1f8b ? pipeline(source, createGunzip(), () => {}) : source;
}
