import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Connect, TOKEN, TYPED_DATA } from './client.ts';

/** Whether this machine has python3 with requests (Debian: python3-requests). */
export const hasPython = spawnSync('python3', ['-c', 'import requests']).status === 0;

export const python: Connect = async (account) => {
  /** What it prints. If it fails, the error is what it printed as its error. */
  const run = async (name: string, ...params: unknown[]) => {
    const child = spawn('python3', [join(import.meta.dirname, 'python.py')]);
    child.stdin.end(JSON.stringify({ ...account, name, params }));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout);
  };
  return {
    address: await run('address'),
    transfer: (to, wei) => run('transfer', to, String(wei)),
    deploy: () => run('deploy', TOKEN.bytecode),
    transferToken: (token, to, amount) => run('transferToken', token, to, String(amount)),
    signTypedData: () => run('signTypedData', TYPED_DATA),
    signMessage: (message) => run('signMessage', message),
  };
};
