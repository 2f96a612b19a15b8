/** Decrypted texts and keys are overwritten, whatever the outcome. */
import { bytesToHex } from '@noble/hashes/utils.js';
import postgres from 'postgres';
import { beforeEach, expect, inject, test, vi } from 'vitest';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import * as wiping from '../../src/keys/wipe.ts';
import { readFernetKeys } from '../../tools/import/fernet.ts';
import type { OldClient, OldKey } from '../../tools/import/old-clients.ts';
import { OpenedKeys } from '../../tools/import/open-keys.ts';
import { runImport } from '../../tools/import/run.ts';
import { MASTER_KEY } from '../support/api.ts';
import { fernetToken, newFernetKey } from '../support/fernet.ts';
import { newEvmKey } from '../support/private-keys.ts';

vi.mock('../../src/keys/wipe.ts', { spy: true });

/** The contents of each buffer at the time it was passed to `wipe`: as text and in hex. */
const held: string[] = [];
beforeEach(() => {
  held.length = 0;
  vi.mocked(wiping.wipe).mockImplementation((...buffers) => {
    for (const buffer of buffers) {
      held.push(Buffer.from(buffer).toString(), bytesToHex(buffer));
      buffer.fill(0);
    }
  });
});

const FERNET_KEY = newFernetKey();
const KEYS = readFernetKeys(FERNET_KEY);

function clientWith(message: string, address: string): { client: OldClient; row: OldKey } {
  const token = fernetToken(FERNET_KEY, message);
  const row: OldKey = { table: 'trading_keys', id: '1', token, address, addressKnown: true, active: true };
  return {
    row,
    client: { table: 'clients', id: '1', name: 'x', email: 'x@example.test', keys: [row], bots: [] },
  };
}

test('the text of a key at once, its bytes when the client is finished', () => {
  const key = newEvmKey();
  const { client, row } = clientWith(key.privateKey, key.address);
  const opened = new OpenedKeys(client, KEYS);
  expect(held).toContain(key.privateKey);
  expect(held).not.toContain(bytesToHex(key.secret));
  expect(opened.of(row)).toMatchObject({ address: key.address, secret: key.secret });
  opened.wipe();
  expect(held).toContain(bytesToHex(key.secret));
  expect(opened.of(row)).toMatchObject({ secret: new Uint8Array(32) });
});

test.each([
  ['a key of another address', newEvmKey().privateKey, 'address_mismatch'],
  ['text that is not a key', 'correct horse battery staple', 'private_key_malformed'],
])('the text of %s', (_, message, reason) => {
  const { client, row } = clientWith(message, newEvmKey().address);
  expect(new OpenedKeys(client, KEYS).of(row)).toBe(reason);
  expect(held).toContain(message);
});

test('no ended key is opened', () => {
  const key = newEvmKey();
  const { client, row } = clientWith(key.privateKey, key.address);
  const ended = { ...row, active: false };
  expect(new OpenedKeys({ ...client, keys: [ended] }, KEYS).of(ended)).toBe('token_malformed');
  expect(held).toEqual([]);
});

test('an unexpected error is not passed on', () => {
  const key = newEvmKey();
  const { client } = clientWith(key.privateKey, key.address);
  const without = [{} as (typeof KEYS)[number]];
  expect(() => new OpenedKeys(client, without)).toThrow('for an unknown reason');
});

test('after an unexpected error the keys that were opened before it are wiped', () => {
  const [first, second] = [newEvmKey(), newEvmKey()];
  const { client, row } = clientWith(first.privateKey, first.address);
  const later = { ...row, id: '2', token: fernetToken(newFernetKey(), second.privateKey) };
  const [key] = KEYS;
  if (!key) throw new Error('no key');
  const keys = [key, {} as typeof key];
  expect(() => new OpenedKeys({ ...client, keys: [row, later] }, keys)).toThrow('for an unknown reason');
  expect(held).toContain(bytesToHex(first.secret));
});

test('all keys of a client that could not be stored', async () => {
  const key = newEvmKey();
  const tables = new Map([
    ['clients', { columns: ['id', 'email'], rows: [['1', 'x@example.test']] }],
    [
      'trading_keys',
      {
        columns: ['id', 'client_id', 'address', 'encrypted_key'],
        rows: [['1', '1', key.address, fernetToken(FERNET_KEY, key.privateKey)]],
      },
    ],
  ]);
  const sql = postgres(inject('databaseUrl'), { max: 1 });
  await sql.end();
  const keyring = await parseKeyring(MASTER_KEY);
  const job = { sql, keyring, source: 'x', botTypes: new Map(), keysFromWallets: false, dryRun: false };
  const run = runImport({ ...job, claimed: new Map() }, tables, {}, KEYS);
  await expect(run.next()).rejects.toMatchObject({ code: 'CONNECTION_ENDED' });
  expect(held).toContain(bytesToHex(key.secret));
});
