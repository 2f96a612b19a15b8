import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { type Connect, TOKEN, TYPED_DATA } from './client.ts';

const run = promisify(execFile);

/** The binary in the package of the platform, as for anvil. */
function binary(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const fromWrapper = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/cast/package.json'));
  return fromWrapper.resolve(`@foundry-rs/cast-${process.platform}-${arch}/bin/cast`);
}

export const cast: Connect = async ({ url, authorization }) => {
  const node = ['--rpc-url', url, '--rpc-headers', `Authorization: ${authorization}`];
  /** What it prints: JSON. Errors of the child process contain what it printed. */
  const print = async (command: string, ...args: string[]) => {
    const env = { ...process.env, NO_COLOR: '1', FOUNDRY_DISABLE_NIGHTLY_WARNING: '1' };
    return JSON.parse((await run(binary(), [command, ...node, ...args], { env })).stdout);
  };
  const [address] = await print('rpc', 'eth_accounts');
  const send = (...args: string[]) => print('send', '--json', '--unlocked', '--from', address, ...args);
  return {
    address,
    async transfer(to, wei) {
      await send(to, '--value', String(wei));
    },
    async deploy() {
      return (await send('--create', TOKEN.bytecode)).contractAddress;
    },
    async transferToken(token, to, amount) {
      await send(token, 'transfer(address,uint256)', to, String(amount));
    },
    signTypedData: () => print('rpc', 'eth_signTypedData_v4', address, JSON.stringify(TYPED_DATA)),
    signMessage: (text) => print('rpc', 'personal_sign', `0x${Buffer.from(text).toString('hex')}`, address),
  };
};
