/** The formats of keys, through each of the four routes that accept a key. */

import { base58 } from '@scure/base';
import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../src/problem.ts';
import { addWallet, newClientWithBot, opened, stored } from '../support/bots.ts';
import { newAdmin, newClient } from '../support/people.ts';
import { newEvmKey, newSolanaKey, type TestKey } from '../support/private-keys.ts';
import { expectProblem } from '../support/problems.ts';
import { WAYS_IN } from '../support/ways-in.ts';

const admin = await newAdmin();

const [evm, solana] = [newEvmKey, newSolanaKey];
const bare = (key: TestKey) => key.privateKey.slice(2);

type Body = (key: ReturnType<typeof newSolanaKey>) => object;
const GOOD: [string, () => TestKey, Body][] = [
  ['EVM, 0x and hex', evm, (key) => ({ private_key: key.privateKey })],
  ['EVM, hex', evm, (key) => ({ private_key: bare(key) })],
  ['EVM, hex in capitals', evm, (key) => ({ private_key: bare(key).toUpperCase() })],
  ['EVM with its address', evm, (key) => ({ private_key: key.privateKey, address: key.address })],
  [
    'EVM with its address in lower case',
    evm,
    (key) => ({ private_key: key.privateKey, address: key.address.toLowerCase() }),
  ],
  ['EVM with its chain', evm, (key) => ({ private_key: key.privateKey, chain: 'evm' })],
  ['Solana, base58 of 64 bytes', solana, (key) => ({ private_key: key.privateKey })],
  [
    'Solana, base58 of the seed with its address',
    solana,
    (key) => ({ private_key: key.seed, address: key.address }),
  ],
  ['EVM with white space around it', evm, (key) => ({ private_key: ` ${key.privateKey}\n` })],
  ['Solana, the array of solana-keygen', solana, (key) => ({ private_key: key.array })],
  ['Solana, that array as text', solana, (key) => ({ private_key: JSON.stringify(key.array) })],
  [
    'Solana with its address and chain',
    solana,
    (key) => ({ private_key: key.seed, address: key.address, chain: 'solana' }),
  ],
];

/** A well-known address with one wrong capital letter. */
const MISSPELT = '0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const BAD: [string, () => TestKey, Body, ProblemCode, string][] = [
  ['a word', evm, () => ({ private_key: 'correct horse!' }), 'private_key_malformed', '/private_key'],
  ['nothing', evm, () => ({ private_key: '' }), 'private_key_malformed', '/private_key'],
  [
    'white space inside it',
    evm,
    (key) => ({ private_key: `${key.privateKey.slice(0, 9)} ${key.privateKey.slice(9)}` }),
    'private_key_malformed',
    '/private_key',
  ],
  [
    'an address as key',
    evm,
    (key) => ({ private_key: key.address }),
    'private_key_wrong_length',
    '/private_key',
  ],
  [
    'a seed without its address',
    solana,
    (key) => ({ private_key: key.seed }),
    'address_required',
    '/address',
  ],
  ['an address as key', solana, (key) => ({ private_key: key.address }), 'address_required', '/address'],
  ['a number', evm, () => ({ private_key: 12345 }), 'validation_failed', '/private_key'],
  [
    'a keystore',
    evm,
    () => ({ private_key: { version: 3, crypto: { cipher: 'aes-128-ctr' } } }),
    'validation_failed',
    '/private_key',
  ],
  [
    'a missing digit',
    evm,
    (key) => ({ private_key: key.privateKey.slice(0, -1) }),
    'private_key_wrong_length',
    '/private_key',
  ],
  [
    'an additional digit',
    evm,
    (key) => ({ private_key: `${key.privateKey}0` }),
    'private_key_wrong_length',
    '/private_key',
  ],
  ['zero', evm, () => ({ private_key: '0'.repeat(64) }), 'private_key_out_of_range', '/private_key'],
  [
    'beyond the curve',
    evm,
    () => ({ private_key: `0x${'f'.repeat(64)}` }),
    'private_key_out_of_range',
    '/private_key',
  ],
  [
    '63 numbers',
    solana,
    (key) => ({ private_key: key.array.slice(1) }),
    'private_key_wrong_length',
    '/private_key',
  ],
  [
    'a key pair whose parts do not match',
    solana,
    (key) => ({
      private_key: base58.encode(Uint8Array.from(key.array, (byte, i) => (i === 63 ? byte ^ 1 : byte))),
    }),
    'private_key_halves_mismatch',
    '/private_key',
  ],
  [
    'another address',
    evm,
    (key) => ({ private_key: key.privateKey, address: newEvmKey().address }),
    'address_mismatch',
    '/address',
  ],
  [
    'an address with a wrong checksum',
    evm,
    (key) => ({ private_key: key.privateKey, address: MISSPELT }),
    'address_checksum_invalid',
    '/address',
  ],
  [
    'an address cut off',
    evm,
    (key) => ({ private_key: key.privateKey, address: key.address.slice(0, -1) }),
    'address_malformed',
    '/address',
  ],
  [
    'an address of the other chain',
    evm,
    (key) => ({ private_key: key.privateKey, address: newSolanaKey().address }),
    'address_mismatch',
    '/address',
  ],
  [
    'the other chain',
    evm,
    (key) => ({ private_key: key.privateKey, chain: 'solana' }),
    'chain_mismatch',
    '/chain',
  ],
  [
    'the other chain',
    solana,
    (key) => ({ private_key: key.privateKey, chain: 'evm' }),
    'chain_mismatch',
    '/chain',
  ],
];

describe.each(Object.entries(WAYS_IN))('%s', (line, { at, send }) => {
  it.each(GOOD)(`${line} with %s -> 2xx, and stores that key`, async (_, newKey, body) => {
    const [client, key] = [await newClient(), newKey()];
    const answer = await send(client, body(key as never), key.chain);
    expect([200, 201]).toContain(answer.status);
    const { trading, wallets } = await stored(client);
    expect(trading).toMatchObject({ address: key.address, chain: key.chain });
    expect(await opened(client, trading)).toEqual(key.secret);
    expect(await opened(client, wallets[0])).toEqual(key.secret);
  });

  it.each(BAD)(`${line} with %s -> 422 with its pointer`, async (_, newKey, body, code, place) => {
    const [client, key] = [await newClient(), newKey()];
    const answer = await send(client, body(key as never), key.chain);
    expectProblem(answer, 422, code);
    expect(answer.json.errors).toMatchObject([
      { pointer: `${at}${place}`, ...(code !== 'validation_failed' && { code }) },
    ]);
    // Every cause comes with what to send.
    expect(answer.json.errors[0].detail).not.toMatch(/^Invalid/);
    expect((await stored(client)).trading?.address).not.toBe(key.address);
  });

  it(`${line} with a key that another client holds, as trading key or as own -> 409`, async () => {
    const [holder, own] = [await newClientWithBot(), newEvmKey()];
    await addWallet(admin, holder.botId, { private_key: own.privateKey });
    for (const { privateKey } of [holder.key, own]) {
      const client = await newClient();
      expectProblem(await send(client, { private_key: privateKey }, 'evm'), 409, 'address_taken');
    }
  });
});
