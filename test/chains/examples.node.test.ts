/** The programs that users copy, each against the API and a local chain, from their start to Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { base58 } from '@scure/base';
import { Keypair } from '@solana/web3.js';
import { generatePrivateKey } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../tools/stack/anvil.ts';
import { type BuiltPackage, buildPackage } from '../support/built-package.ts';
import { programOf } from '../support/documented.ts';
import { pythonEnvironment, pythonMissing } from '../support/python.ts';
import { newTrader, type Trader } from '../support/traders.ts';
import type { RunningWorker } from '../support/worker.ts';
import { startApi, stopApi } from './api.ts';
import { type SolanaNode, startSolanaNode } from './solana-rpc.ts';

const within = { timeout: 60_000 };
const noPython = pythonMissing();

let api: RunningWorker;
let anvil: Anvil;
let solana: SolanaNode;
let built: BuiltPackage;
const running: ChildProcess[] = [];

beforeAll(async () => {
  [anvil, solana] = await Promise.all([startAnvil(), startSolanaNode()]);
  api = await startApi({
    ENVIRONMENT: 'development',
    RPC_URLS: JSON.stringify({ 31337: anvil.url }),
    RPC_FEE_CAPS: '31337=100000000000',
  });
  built = buildPackage('examples');
});
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(async () => {
  built?.remove();
  await Promise.all([anvil?.stop(), solana?.stop(), stopApi(api)]);
});

const families = {
  evm: {
    botType: 'evm-grid',
    newKey: () => generatePrivateKey() as string,
    rpcUrl: () => anvil.url,
    fund: async (address: string) =>
      void (await anvil.rpc('anvil_setBalance', address, '0x8ac7230489e80000')),
  },
  solana: {
    botType: 'solana-grid',
    newKey: () => base58.encode(Keypair.generate().secretKey),
    rpcUrl: () => solana.url,
    fund: async (address: string) => solana.fund(address, 1_000_000_000n),
  },
} as const;
type Family = (typeof families)[keyof typeof families];

function start(program: string, { token, botId }: Trader, rpcUrl: string) {
  const isPython = program.endsWith('.py');
  const child = spawn(isPython ? 'python3' : process.execPath, [program], {
    cwd: built.home,
    env: pythonEnvironment({
      TRADING_KEYS_URL: api.url.origin,
      TRADING_KEYS_TOKEN: token,
      BOT_ID: botId,
      RPC_URL: rpcUrl,
      ROUND_MS: '200',
    }),
  });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, output: () => output };
}

async function newFundedTrader({ botType, newKey, fund }: Family): Promise<Trader> {
  const trader = await newTrader(api.url, { private_key: newKey() }, botType);
  await fund(trader.address);
  return trader;
}

const stateOf = async ({ owner, botId }: Trader) => (await owner.bots.health(botId)).last_heartbeat;

const EXAMPLES = {
  'ethers.ts': families.evm,
  'solana-kit.ts': families.solana,
  'solana-web3js.ts': families.solana,
  'bot.py': families.evm,
};

test('every example is run by a test', () => {
  // `npm run runner` runs runner.ts, and test/chains/runner runs that.
  const programs = readdirSync('examples').filter((name) => /\.(ts|py)$/.test(name) && name !== 'runner.ts');
  expect(programs.sort()).toEqual([...Object.keys(EXAMPLES), 'json-rpc.ts'].sort());
});

describe.each(Object.entries(EXAMPLES))('examples/%s', (name, family) => {
  const missing = name.endsWith('.py') ? noPython : undefined;

  test(missing ?? 'trades, follows a rotation, reports a rejection, and ends at Ctrl-C', async (context) => {
    if (missing) return context.skip(missing);
    const trader = await newFundedTrader(family);
    const { child, ended, output } = start(join('examples', name), trader, family.rpcUrl());
    await expect.poll(output, within).toMatch(new RegExp(`success: \\S+ from ${trader.address}`));
    await expect.poll(() => stateOf(trader), within).toMatchObject({ status: 'ok' });

    const private_key = family.newKey();
    const { address } = await trader.owner.clients.rotateKey(trader.clientId, { private_key });
    await family.fund(address);
    await expect.poll(output, within).toMatch(new RegExp(`success: \\S+ from ${address}`));

    await trader.owner.bots.setPolicy(trader.botId, { max_value: '0' });
    await expect.poll(output, within).toContain('policy_value_exceeded');
    await expect
      .poll(() => stateOf(trader), within)
      .toMatchObject({
        status: 'failing',
        message: 'policy_value_exceeded',
      });

    await trader.owner.bots.stop(trader.botId);
    await expect.poll(output, within).toContain('nothing to do');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(output()).toMatch(/stopped\n$/);
  });
});

test('examples/json-rpc.ts trades, follows a rotation, reports rejections, is alive, and ends at Ctrl-C', async () => {
  const trader = await newFundedTrader(families.evm);
  const rpcUrl = new URL(`/bots/${trader.botId}/rpc?chain_id=31337`, api.url).href;
  const { child, ended, output } = start('examples/json-rpc.ts', trader, rpcUrl);
  await expect.poll(output, within).toMatch(new RegExp(`success: \\S+ from ${trader.address}`));
  expect(await trader.owner.bots.health(trader.botId)).toMatchObject({
    state: 'healthy',
    last_heartbeat: null,
    last_signature_at: expect.any(String),
  });

  const { address } = await trader.owner.clients.rotateKey(trader.clientId, {
    private_key: families.evm.newKey(),
  });
  await families.evm.fund(address);
  await expect.poll(output, within).toMatch(new RegExp(`success: \\S+ from ${address}`));
  await trader.owner.bots.setPolicy(trader.botId, { max_value: '0' });
  await expect.poll(output, within).toContain('policy_value_exceeded');
  await trader.owner.bots.stop(trader.botId);
  await expect.poll(output, within).toContain('bot_not_running');
  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(output()).toMatch(/stopped\n$/);
});

describe('the program of a README trades as it stands', () => {
  test('src/sdk/README.md', async () => {
    writeFileSync(join(built.home, 'bot.mjs'), programOf('src/sdk/README.md'));
    const trader = await newFundedTrader(families.evm);
    const { ended, output } = start('bot.mjs', trader, anvil.url);
    expect([await ended, output()]).toEqual([0, expect.stringMatching(/^success 0x[0-9a-f]{64}\n$/)]);
    expect(await stateOf(trader)).toMatchObject({ status: 'ok' });
    await trader.owner.bots.setPolicy(trader.botId, { max_value: '0' });
    const rejected = start('bot.mjs', trader, anvil.url);
    expect([await rejected.ended, rejected.output()]).toEqual([0, 'policy_value_exceeded\n']);
  });

  test(noPython ?? 'python/README.md', async (context) => {
    if (noPython) return context.skip(noPython);
    writeFileSync(join(built.home, 'readme.py'), programOf('python/README.md', 'py'));
    const trader = await newFundedTrader(families.evm);
    const { ended, output } = start('readme.py', trader, anvil.url);
    expect([await ended, output()]).toEqual([0, expect.stringMatching(/^0x[0-9a-f]{130}\n$/)]);
    await trader.owner.bots.setPolicy(trader.botId, { max_value: '0' });
    const rejected = start('readme.py', trader, anvil.url);
    expect([await rejected.ended, rejected.output()]).toEqual([0, 'policy_kind_denied\n']);
  });
});
