/** The README and the tutorial, word for word, against `npm run dev`. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../tools/stack/anvil.ts';
import { type DevStack, startDevStack } from '../support/dev-stack.ts';
import { printedJson, programOf, shellOf } from '../support/documented.ts';

const TUTORIAL = 'docs/tutorial/first-trade.md';

let stack: DevStack;
let chain: Anvil;
beforeAll(async () => {
  [stack, chain] = await Promise.all([startDevStack(), startAnvil()]);
});
afterAll(async () => {
  await Promise.all([stack?.stop(), chain?.stop()]);
});

/** As a reader would, in the directory of the repository. */
const run = (lines: string) =>
  spawnSync('sh', ['-eu', '-c', lines], {
    cwd: stack.home,
    encoding: 'utf8',
    // The tutorial's own chain has a fixed port, which may be taken here.
    env: { ...process.env, RPC_URL: chain.url },
  });

test('the five requests of the README run as they stand', () => {
  const { stdout, stderr } = run(shellOf('README.md', 'Five requests'));
  expect(stderr).toBe('');
  expect(printedJson(stdout)).toMatchObject([
    {
      signature: expect.stringMatching(/^0x[0-9a-f]{130}$/),
      signed_transaction: expect.stringMatching(/^0x02f8/),
    },
    { version: 2, wallets_updated: 1 },
    { bots_stopped: 1, wallets_cleared: 1, tokens_ended: [expect.any(String)] },
  ]);
});

test('the tutorial runs as it stands, up to a trade', { timeout: 180_000 }, () => {
  writeFileSync(join(stack.home, 'trade.mjs'), programOf(TUTORIAL));
  const { stdout, stderr } = run(shellOf(TUTORIAL));
  expect(stderr).toBe('');
  expect(printedJson(stdout)).toMatchObject([
    { status: 'stopped', wallets: [{ chain: 'evm' }] },
    { bot_types: expect.arrayContaining([expect.objectContaining({ id: 'evm-dca' })]) },
    { status: 'running', wallets: [{ chain: 'evm' }] },
    { version: 2, wallets_updated: 1 },
    { version: 2 },
    { bots_stopped: 1, wallets_cleared: 1 },
    { chain_ids: ['31337'], max_value: '1000000000000000' },
    { items: [{ status: 'running' }] },
    { status: 'running', config: {} },
    { result: null },
    { status: 'success', hash: expect.stringMatching(/^0x[0-9a-f]{64}$/) },
    { problem: 'policy_value_exceeded' },
    { items: [{ actor: 'runner', signatures: 1 }] },
    { state: 'healthy', last_heartbeat: { status: 'ok', message: 'success' } },
    { status: 'stopped' },
    { problem: 'bot_not_running' },
  ]);
});

test('the README has at most 170 lines', () => {
  expect(readFileSync('README.md', 'utf8').split('\n').length).toBeLessThanOrEqual(170);
});
