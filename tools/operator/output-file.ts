/** Files that a command makes: for their owner alone, and complete or not there at all. */
import { createWriteStream, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { OperatorError } from './failure.ts';

export interface OutputOptions {
  /** Whether an earlier file of this name is replaced; else it is an error. */
  readonly replace: boolean;
}

/** Writes to a file, or to standard output for `-`. A name that ends with .gz is compressed. */
export async function writeOutput(
  path: string,
  chunks: AsyncIterable<Buffer | string>,
  { replace }: OutputOptions,
): Promise<void> {
  if (path === '-') return pipeline(Readable.from(chunks), process.stdout, { end: false });
  refuseExisting(path, replace);
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial, { mode: 0o600, flush: true, flags: 'wx' });
    if (path.endsWith('.gz')) await pipeline(Readable.from(chunks), createGzip(), file);
    else await pipeline(Readable.from(chunks), file);
    // A link never replaces a file that another program made meanwhile.
    if (replace) renameSync(partial, path);
    else linkSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

function refuseExisting(path: string, replace: boolean): void {
  if (!replace && existsSync(path))
    throw new OperatorError('The file exists, and is not replaced. Choose another name.');
}
