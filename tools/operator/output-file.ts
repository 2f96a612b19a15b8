/** Output files of commands. Only their owner can read them, and an incomplete file is never left behind. */
import { createWriteStream, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { OperatorError } from './failure.ts';

export interface OutputOptions {
  /** Whether to replace an existing file of this name. If false, an existing file is an error. */
  readonly replace: boolean;
}

/** Writes to a file, or to standard output if the path is `-`. If the name ends with .gz, the file is compressed. */
export async function writeOutput(
  path: string,
  chunks: AsyncIterable<Buffer | string>,
  { replace }: OutputOptions,
): Promise<void> {
  if (path === '-') return pipeline(Readable.from(chunks), process.stdout, { end: false });
  rejectExisting(path, replace);
  const partial = `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial, { mode: 0o600, flush: true, flags: 'wx' });
    if (path.endsWith('.gz')) await pipeline(Readable.from(chunks), createGzip(), file);
    else await pipeline(Readable.from(chunks), file);
    // A link and not a rename, because a link never replaces a file that another program has created meanwhile.
    if (replace) renameSync(partial, path);
    else linkSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

function rejectExisting(path: string, replace: boolean): void {
  if (!replace && existsSync(path)) throw new OperatorError('The file already exists. Choose another name.');
}
