/**
 * One run at a time in one directory, by a Unix socket: it answers while its process lives and not a moment
 * longer, so a killed predecessor leaves nothing to misread.
 */
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, relative } from 'node:path';

export interface Lock {
  release(): void;
}

/** Takes the directory, or answers `undefined` where a living process has it. */
export async function takeDirectory(directory: string): Promise<Lock | undefined> {
  // Relative, because a socket's whole path has about a hundred bytes.
  const path = relative(process.cwd(), join(directory, 'dev.sock'));
  if (await answers(path)) return undefined;
  rmSync(path, { force: true });
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return { release: () => server.close() };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
  });
}
