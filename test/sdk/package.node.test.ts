/** The package that would be published, as a user installs it. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const BIN = resolve('node_modules/.bin');
let home: string;
let dist: string;
let consumer: string;
let tarball: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'trading-keys-package-'));
  dist = join(home, 'dist');
  consumer = join(home, 'consumer');
  run('npm', ['run', 'build'], '.', { DIST: dist });
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', home], dist));
  tarball = join(home, packed.filename);
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'a-bot', type: 'module' }));
  run('npm', ['install', '--offline', '--no-audit', tarball], consumer);
  // Peer dependencies are chosen by the bot; here they are those of this repository.
  mkdirSync(join(consumer, 'node_modules', '@solana'));
  for (const name of ['viem', 'ethers', '@solana/kit', '@solana/web3.js', '@types']) {
    symlinkSync(resolve('node_modules', name), join(consumer, 'node_modules', name));
  }
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs a program to its end and returns its output. If it fails, its output is in the error. */
function run(program: string, args: string[], cwd: string, env: Record<string, string> = {}): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${BIN}:${process.env.PATH}`, ...env },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

const manifestAt = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

test('publint reports nothing', () => {
  expect(run('publint', ['--strict', dist], '.')).toContain('All good!');
});

test('publint reports nothing for the root, whose exports let this repository use its own package by name', () => {
  const root = join(home, 'root');
  cpSync(dist, join(root, 'dist'), { recursive: true });
  copyFileSync('package.json', join(root, 'package.json'));
  expect(run('publint', ['--strict', root], '.')).toContain('All good!');
});

test('are-the-types-wrong reports nothing', () => {
  expect(run('attw', ['--profile', 'esm-only', tarball], '.')).toContain('trading-keys/solana-web3js');
});

test('it has no dependencies, and its manifest agrees with the manifest of this repository', () => {
  const installed = manifestAt(join(consumer, 'node_modules/.package-lock.json'));
  expect(Object.keys(installed.packages)).toEqual(['node_modules/trading-keys']);
  const [root, published] = [manifestAt('package.json'), manifestAt(join(dist, 'package.json'))];
  expect(published).toMatchObject({ name: root.name, version: root.version, license: root.license });
  expect(published.dependencies).toBeUndefined();
  const { './package.json': _, ...entries } = published.exports;
  expect(JSON.stringify(entries).replaceAll('"./sdk/', '"./dist/sdk/')).toBe(JSON.stringify(root.exports));
});

/** The bytes of a module and of all that it imports from the package. A bot loads no more of it. */
function sizeOf(module: string, seen = new Set<string>()): number {
  if (seen.has(module)) return 0;
  seen.add(module);
  const text = readFileSync(module, 'utf8');
  const imported = [...text.matchAll(/from '(\.\/[^']+)'/g)].map(([, path = '']) => join(module, '..', path));
  return imported.reduce((sum, path) => sum + sizeOf(path, seen), Buffer.byteLength(text));
}

test.each([
  ['client', 18_000],
  ['viem', 12_000],
  ['ethers', 13_000],
  ['solana', 9_000],
  ['solana-web3js', 10_000],
  ['audit', 18_000],
])('%s loads at most %i bytes of the package, comments included', (name, limit) => {
  const bytes = sizeOf(join(dist, 'sdk', `${name}.js`));
  expect(bytes).toBeLessThan(limit);
  expect(bytes).toBeGreaterThan(limit / 2);
});

test('Node imports all entries', () => {
  const program = `
    const names = ['client', 'viem', 'ethers', 'solana', 'solana-web3js', 'audit'];
    const modules = await Promise.all(names.map((name) => import('trading-keys/' + name)));
    console.log(JSON.stringify(modules.map((module) => Object.keys(module))));`;
  expect(JSON.parse(run('node', ['--input-type=module', '-e', program], consumer))).toEqual([
    ['ApiProblem', 'NoAnswer', 'SigningError', 'createClient', 'findProblem'],
    ['toTradingKeysAccount'],
    ['TradingKeysSigner'],
    ['createTradingKeysSigner'],
    ['TradingKeysWallet'],
    ['canonicalHash', 'canonicalJson', 'openCheckpoint', 'verifyChain'],
  ]);
});

// The compiler checks the types of all libraries too.
test("a bot's own program compiles against it, and so does an unchanged copy of the reference runner", {
  timeout: 300_000,
}, () => {
  copyFileSync('examples/runner.ts', join(consumer, 'runner.ts'));
  writeFileSync(
    join(consumer, 'bot.ts'),
    `import { ApiProblem, createClient, type SignRequest } from 'trading-keys/client';
     import { TradingKeysSigner } from 'trading-keys/ethers';
     import { createTradingKeysSigner } from 'trading-keys/solana';
     import { TradingKeysWallet } from 'trading-keys/solana-web3js';
     import { toTradingKeysAccount } from 'trading-keys/viem';
     const client = createClient({ url: 'https://keys.example.test', token: async () => 'tk_' });
     const bots = await client.runner.bots();
     const address: string | undefined = bots.items[0]?.wallets[0]?.address;
     const request: SignRequest = { type: 'evm.message', message: 'hello' };
     export const signed = client.bots.sign('id', request).catch((error: unknown) => {
       if (error instanceof ApiProblem && error.code === 'bot_not_running') return undefined;
       throw error;
     });
     export const account = toTradingKeysAccount({ client, botId: 'id', address: address ?? '' });
     export const signer = createTradingKeysSigner({ client, botId: 'id', address: address ?? '' });
     export const wallet = new TradingKeysWallet({ client, botId: 'id', address: address ?? '' });
     export const ethers = new TradingKeysSigner({ client, botId: 'id', address: address ?? '' });
     // @ts-expect-error: a wallet has no secret key
     export const secret = wallet.payer;
     // @ts-expect-error: so a mistake is an error
     export const mistaken = client.bots.sign('id', { type: 'evm.message' });
     // @ts-expect-error: and types are not any
     export const wrong: number = bots.items[0].id;`,
  );
  writeFileSync(
    join(consumer, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        module: 'NodeNext',
        strict: true,
        noUncheckedIndexedAccess: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        types: ['node'],
      },
      files: ['bot.ts', 'runner.ts'],
    }),
  );
  expect(run('tsc', ['-p', '.'], consumer)).toBe('');
});
