/** `npm run import` as the operator runs it: a process with settings, arguments, output and an exit code. */
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { MASTER_KEY } from '../support/api.ts';
import { fernetToken, newFernetKey } from '../support/fernet.ts';
import { formsOf, secretOf } from '../support/key-forms.ts';
import { newEvmKey } from '../support/private-keys.ts';
import { recordKeysOf, recordText } from '../support/recorder.ts';
import { clientOf, signers, stateOf } from './imported.ts';
import { OldBackend } from './old-backend.ts';

const COMMAND = join(import.meta.dirname, '..', '..', 'tools', 'import', 'import.ts');
const fixture = (form: string) => join(import.meta.dirname, '..', 'vectors', 'old-backend', `${form}.sql`);
const digest = (text: string) => createHash('sha256').update(text).digest();

/** The keys and texts in the fixture dumps; see test/vectors/README.md. */
const FIXTURE_KEY = digest('fernet key of the fixture dumps')
  .toString('base64')
  .replaceAll('+', '-')
  .replaceAll('/', '_');
const FIXTURE_SECRETS = ['one', 'two', 'own'].map(
  (name) => `0x${digest(`evm private key ${name}`).toString('hex')}`,
);
const ADDRESSES = {
  one: '0xCAf9C6016AEB4eFece72739Fba339CF8684Da06C',
  two: '0x01a0C4109C64468d828cFC560e48374437f0a086',
  own: '0xcEb1a544f02A134cd49B272ff2560a89301b7BDa',
};
for (const private_key of FIXTURE_SECRETS) recordKeysOf({ private_key });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'trading-keys-import-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const settings = () => ({
  ENCRYPTION_KEY: MASTER_KEY,
  LEGACY_ENCRYPTION_KEY: FIXTURE_KEY,
  DATABASE_URL: inject('databaseUrl'),
});

interface Run {
  readonly env?: Record<string, string>;
  readonly input?: string;
  /** Texts that must not be printed: private keys in any format, and others. */
  readonly secrets?: readonly string[];
}

/** Runs the command with an empty directory as working and temporary directory, and asserts that it stays empty. */
async function run(args: readonly string[], { env = {}, input = '', secrets = FIXTURE_SECRETS }: Run = {}) {
  const all: Record<string, string> = { ...settings(), ...env };
  const child = spawn(process.execPath, ['--no-warnings', COMMAND, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', TMPDIR: directory, ...all },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const before = readdirSync(directory).sort();
  const code = await new Promise((ended) => child.once('close', ended));
  const said = stdout + stderr;
  recordText(said);
  const forms = secrets.flatMap((secret) => [secret, ...formsOf(secretOf(secret) ?? new Uint8Array(32))]);
  expect(forms.filter((form) => said.includes(form))).toEqual([]);
  for (const name of ['ENCRYPTION_KEY', 'LEGACY_ENCRYPTION_KEY', 'LEGACY_DATABASE_URL', 'DATABASE_URL']) {
    for (const part of (all[name] ?? '').split(',')) if (part.length > 8) expect(said).not.toContain(part);
  }
  expect(said).not.toMatch(/gAAAA|eyJ|\n {4}at /);
  expect(readdirSync(directory).sort()).toEqual(before);
  return { code, stdout, stderr, counts: countsOf(stdout) };
}

/** The table at the end: by kind of outcome the counts of clients, bots, trading keys and wallets. */
function countsOf(stdout: string): Record<string, number[]> {
  const rows = stdout.matchAll(/^(\w[\w :]*?) +(\d+) +(\d+) +(\d+) +(\d+)$/gm);
  return Object.fromEntries(Array.from(rows, ([, kind = '', ...counts]) => [kind, counts.map(Number)]));
}

describe('npm run import', () => {
  test('imports a dump; a second import finds every row there, in any format of the dump', async () => {
    const dry = await run(['--dump', fixture('copy'), '--dry-run']);
    expect([dry.code, dry.counts]).toEqual([
      0,
      { taken: [2, 2, 2, 2], 'already there': [0, 0, 0, 0], 'left: empty': [0, 0, 0, 1] },
    ]);
    expect((await clientOf('dump-one@example.test')).clientId).toBe('');

    const first = await run(['--dump', fixture('copy')]);
    expect(first.code).toBe(0);
    expect(first.counts).toEqual(dry.counts);
    expect(first.stdout).toMatch(/^left +bot_wallets +3 +empty$/m);
    expect(await stateOf('dump-one@example.test')).toMatchObject({
      trading: ADDRESSES.one,
      wallets: [`trading ${ADDRESSES.one}`, `own ${ADDRESSES.own}`],
      bots: ['evm-grid stopped created'],
    });
    expect((await stateOf('dump-two@example.test')).trading).toBe(ADDRESSES.two);

    const again = { taken: [0, 0, 0, 0], 'already there': [2, 2, 2, 2], 'left: empty': [0, 0, 0, 1] };
    const second = await run(['--dump', fixture('inserts')]);
    expect([second.code, second.counts]).toEqual([0, again]);
    const input = readFileSync(fixture('column-inserts'), 'utf8');
    const third = await run(['--dump', '-'], { input });
    expect([third.code, third.counts]).toEqual([0, again]);
    expect(await signers('dump-one@example.test')).toEqual([ADDRESSES.one, ADDRESSES.own].sort());
  });

  test('imports a running database with a map and bot types, and exits with 1 if a row is rejected', async () => {
    const old = await OldBackend.start();
    const [good, bad] = [await old.client(), await old.client()];
    const [key, other] = [newEvmKey(), newEvmKey()];
    const bot = await old.bot(good, 'Scalper');
    await old.tradingKey(good, key);
    await old.wallet(bot, key);
    const refused = await old.tradingKey(bad, other, { address: key.address });
    const sentence = await old.tradingKey(bad, other, {
      token: fernetToken(old.fernetKey, 'correct horse battery'),
    });
    writeFileSync(join(directory, 'map.json'), JSON.stringify({ schema: old.schema }));
    const args = ['--map', 'map.json', '--bot-type-map', 'Scalper=evm-dca', '--source', old.source];
    const env = { LEGACY_DATABASE_URL: old.url, LEGACY_ENCRYPTION_KEY: `${newFernetKey()},${old.fernetKey}` };
    const secrets = [key.privateKey, other.privateKey, 'correct horse battery'];

    const { code, stdout, counts } = await run(args, { env, secrets });
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^refused +trading_keys +${refused} +trading_key_twice$`, 'm'));
    expect(counts).toMatchObject({ taken: [2, 1, 1, 1], 'refused: trading_key_twice': [0, 0, 2, 0] });
    await old.sql`delete from trading_keys where id = ${refused}`;
    const second = await run(args, { env, secrets });
    expect(second.stdout).toMatch(
      new RegExp(`^refused +trading_keys +${sentence} +private_key_malformed$`, 'm'),
    );
    expect(second.counts).toMatchObject({ 'already there': [2, 1, 1, 1] });
    expect((await run([...args, '--allow-refused'], { env, secrets })).code).toBe(0);
    expect(await signers(good.email)).toEqual([key.address]);
    expect((await stateOf(bad.email)).trading).toBeUndefined();
    await old.end();
  });

  test('with the wrong Fernet key imports no key, and exits with 1', async () => {
    const old = await OldBackend.start();
    const client = await old.client();
    const key = newEvmKey();
    await old.tradingKey(client, key);
    writeFileSync(join(directory, 'map.json'), JSON.stringify({ schema: old.schema }));
    const env = { LEGACY_DATABASE_URL: old.url, LEGACY_ENCRYPTION_KEY: newFernetKey() };
    const args = ['--map', 'map.json', '--source', old.source];
    const { code, counts } = await run(args, { env, secrets: [key.privateKey] });
    expect([code, counts]).toEqual([
      1,
      { taken: [1, 0, 0, 0], 'already there': [0, 0, 0, 0], 'refused: token_not_authentic': [0, 0, 1, 0] },
    ]);
    await old.end();
  });
});

describe('npm run import names the error, repeats no value, and exits with 2', () => {
  const SECRET = newEvmKey().privateKey;
  const copy = ['--dump', fixture('copy')];
  test.each<[string, readonly string[], Run, RegExp]>([
    ['no source', [], {}, /LEGACY_DATABASE_URL/],
    ['no Fernet key', copy, { env: { LEGACY_ENCRYPTION_KEY: '' } }, /LEGACY_ENCRYPTION_KEY is not set/],
    [
      'a malformed Fernet key setting',
      copy,
      { env: { LEGACY_ENCRYPTION_KEY: `x${SECRET}` } },
      /is not a Fernet key/,
    ],
    ['no master key', copy, { env: { ENCRYPTION_KEY: '' } }, /ENCRYPTION_KEY is not set/],
    ['a malformed master key', copy, { env: { ENCRYPTION_KEY: SECRET } }, /ENCRYPTION_KEY is not a/],
    ['a key among the arguments', [...copy, SECRET], {}, /Usage:/],
    ['a key as an option', [...copy, `--key=${SECRET}`], {}, /Usage:/],
    ['a malformed name of a source', [...copy, '--source', SECRET.toUpperCase()], {}, /Usage:/],
    ['a bot type that is not a pair', [...copy, '--bot-type-map', SECRET], {}, /OLD=NEW/],
    ['no such dump', ['--dump', `/nowhere/${SECRET}`], {}, /ENOENT/],
    ['a file that is not a dump', ['--dump', COMMAND], {}, /The dump /],
    [
      'an old database out of reach',
      [],
      { env: { LEGACY_DATABASE_URL: `postgresql://u:${SECRET}@127.0.0.1:1/x` } },
      /ECONNREFUSED/,
    ],
    [
      'a database out of reach',
      copy,
      { env: { DATABASE_URL: `postgresql://u:${SECRET}@127.0.0.1:1/x` } },
      /ECONNREFUSED/,
    ],
    [
      'a malformed URL',
      [],
      { env: { LEGACY_DATABASE_URL: SECRET } },
      /LEGACY_DATABASE_URL is not a connection URL/,
    ],
    [
      'a database without our tables',
      copy,
      { env: { DATABASE_URL: inject('superuserUrl').replace(/postgres$/, 'template1') } },
      /SQLSTATE/,
    ],
  ])('%s', async (_, args, more, expected) => {
    const { code, stderr } = await run(args, { ...more, secrets: [SECRET] });
    expect(stderr).toMatch(expected);
    expect(code).toBe(2);
  });

  test.each([
    ['no JSON', `{"clients": ${SECRET}`],
    ['an unknown table', JSON.stringify({ [SECRET]: {} })],
    ['an unknown field', JSON.stringify({ clients: { [SECRET]: 'x' } })],
    ['a column that does not exist', JSON.stringify({ clients: { email: SECRET } })],
    ['a table that does not exist', JSON.stringify({ clients: { table: SECRET } })],
  ])('a map with %s', async (_, map) => {
    writeFileSync(join(directory, 'map.json'), map);
    const { code } = await run([...copy, '--map', 'map.json'], { secrets: [SECRET, SECRET.slice(2)] });
    expect(code).toBe(2);
  });

  test('an old database in which two columns could be the same field', async () => {
    const id = randomUUID().replaceAll('-', '');
    const old = await OldBackend.start(
      `create table clients (id int, email text);
       create table trading_keys (id int, client_id int, address text, wallet_address text, encrypted_key text)`,
    );
    writeFileSync(join(directory, 'map.json'), JSON.stringify({ schema: old.schema }));
    const args = ['--map', 'map.json', '--source', `s${id}`];
    const { code, stderr } = await run(args, { env: { LEGACY_DATABASE_URL: old.url } });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /\nSeveral columns could be trading_keys\.address\. Name one of them with --map\.\n$/,
      ),
    ]);
    await old.end();
  });
});
