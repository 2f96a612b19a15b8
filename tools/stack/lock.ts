/**
 * Allows one run at a time in a directory, with a Unix socket. The socket only responds while its process lives. So a
 * killed process leaves nothing that looks like a running one.
 */
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, relative } from 'node:path';

export interface Lock {
  release(): void;
}

/** Locks the directory. Returns `undefined` if another living process has locked it. */
export async function lockDirectory(directory: string): Promise<Lock | undefined> {
  // A relative path, because the path of a socket can have only about a hundred bytes.
  const path = relative(process.cwd(), join(directory, 'dev.sock'));
  if (await isListening(path)) return undefined;
  rmSync(path, { force: true });
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return { release: () => server.close() };
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
  });
}
