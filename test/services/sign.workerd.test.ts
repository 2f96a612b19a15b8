/** How signing handles a key: the order of steps, the buffers, and what remains of them. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SignRequest } from '../../src/contract/signing.ts';
import { seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import type { RunnerDatabase } from '../../src/database/as-runner.ts';
import { Problem } from '../../src/problem.ts';
import { sign } from '../../src/services/sign.ts';
import { MASTER_KEY } from '../support/api.ts';
import { formsOf } from '../support/key-forms.ts';
import { newEvmKey, newSolanaKey, type TestKey } from '../support/private-keys.ts';
import { compiled, messageOf, newAddress, transfer } from '../support/solana.ts';

const keyring = await parseKeyring(MASTER_KEY);
const evm = newEvmKey();
const solana = newSolanaKey();
const message = { type: 'evm.message', message: 'hello' } as const;
const REQUESTS: [string, TestKey, SignRequest][] = [
  ['evm.message', evm, message],
  [
    'evm.transaction',
    evm,
    {
      type: 'evm.transaction',
      transaction: { chainId: 1, nonce: 0, gas: 21_000, to: evm.address, maxFeePerGas: 1 },
    },
  ],
  [
    'evm.typed_data',
    evm,
    {
      type: 'evm.typed_data',
      typed_data: {
        domain: {},
        types: { Note: [{ name: 'text', type: 'string' }] },
        primaryType: 'Note',
        message: { text: 'hello' },
      },
    },
  ],
  [
    'solana.transaction',
    solana,
    {
      type: 'solana.transaction',
      message: messageOf(compiled(solana.address, [transfer(solana.address, newAddress(), 1)])),
    },
  ],
  ['solana.message', solana, { type: 'solana.message', message: 'hello' }],
];

/** A database that returns this key, sealed as it is stored; under another address if one is given. */
async function databaseWith(key: TestKey, { address = key.address, binding = {} } = {}) {
  const row = { client_id: crypto.randomUUID(), chain: key.chain, address, key_id: crypto.randomUUID() };
  const bound = { clientId: row.client_id, chain: row.chain, address, keyId: row.key_id, ...binding };
  const encrypted_key = await seal(key.secret, bound, keyring);
  const checkOutKey = vi.fn(async () => ({ ...row, encrypted_key }));
  return { checkOutKey, database: { checkOutKey } as unknown as RunnerDatabase };
}

/** Records every buffer with a secret, and every conversion of bytes to a text or a number. */
function watch(secret: Uint8Array) {
  const forms = [...formsOf(secret), BigInt(`0x${bytesToHex(secret)}`).toString()];
  const copy = secret.slice();
  const pkcs8: Uint8Array[] = [];
  const opened: Uint8Array[] = [];
  const made: string[] = [];
  const texts = new Set<string>();
  // Converted by hand, because every function that could do it is watched.
  const holds = (value: unknown) => {
    if (!(value instanceof Uint8Array)) return false;
    for (let at = 0; at + 32 <= value.length; at++) {
      let same = 0;
      while (same < 32 && value[at + same] === copy[same]) same += 1;
      if (same === 32) return true;
    }
    return false;
  };
  const { decrypt, importKey } = crypto.subtle;
  vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...parameters) => {
    const plain = await decrypt.apply(crypto.subtle, parameters);
    const bytes = new Uint8Array(plain);
    if (holds(bytes)) opened.push(bytes);
    return plain;
  });
  vi.spyOn(crypto.subtle, 'importKey').mockImplementation(async (...parameters: unknown[]) => {
    const [format, bytes] = parameters;
    if (format === 'pkcs8') pkcs8.push(bytes as Uint8Array);
    if (format === 'jwk') made.push('jwk');
    return importKey.apply(crypto.subtle, parameters as never);
  });
  const prototype = Uint8Array.prototype as unknown as Record<string, (...parameters: unknown[]) => unknown>;
  for (const name of ['toString', 'join', 'toHex', 'toBase64', 'toLocaleString'].filter(
    (known) => known in prototype,
  )) {
    const original = prototype[name];
    vi.spyOn(prototype, name).mockImplementation(function (this: unknown, ...parameters) {
      if (holds(this)) made.push(name);
      return original?.apply(this, parameters);
    });
  }
  const decode = TextDecoder.prototype.decode;
  vi.spyOn(TextDecoder.prototype, 'decode').mockImplementation(function (this: TextDecoder, ...parameters) {
    if (holds(parameters[0])) made.push('TextDecoder');
    return decode.apply(this, parameters);
  });
  const number = BigInt;
  vi.stubGlobal(
    'BigInt',
    Object.assign(
      (value: string | number | bigint | boolean) => {
        texts.add(String(value));
        return number(value);
      },
      { asUintN: number.asUintN, asIntN: number.asIntN, prototype: number.prototype },
    ),
  );
  const stop = () => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    for (const text of texts) if (forms.some((form) => text.includes(form))) made.push('BigInt');
    return { opened, pkcs8, made };
  };
  return stop;
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

describe('the key', () => {
  it.each(REQUESTS)(
    '%s: is overwritten with zeros after signing, and was not converted to a text',
    async (_, key, request) => {
      const { database } = await databaseWith(key);
      const stop = watch(key.secret);
      const answer = await sign({ database, keyring: async () => keyring }, 'a bot', request);
      const { opened, pkcs8, made } = stop();
      expect(answer.address).toBe(key.address);
      expect(opened).toHaveLength(1);
      expect(pkcs8).toHaveLength(key.chain === 'solana' ? 1 : 0);
      expect([...opened, ...pkcs8].every(isZero)).toBe(true);
      expect(made).toEqual([]);
    },
  );

  it.each(REQUESTS)('%s: is overwritten with zeros if signing throws', async (_, key, request) => {
    const { database } = await databaseWith(key, {
      address: key.chain === 'evm' ? newEvmKey().address : newSolanaKey().address,
    });
    const stop = watch(key.secret);
    const signing = sign({ database, keyring: async () => keyring }, 'a bot', request);
    await expect(signing).rejects.toMatchObject({ code: 'key_decryption_failed' });
    const { opened, pkcs8, made } = stop();
    expect(opened).toHaveLength(1);
    expect([...opened, ...pkcs8].every(isZero)).toBe(true);
    expect(made).toEqual([]);
  });

  it('is overwritten with zeros if Web Crypto throws', async () => {
    const { database } = await databaseWith(solana);
    const stop = watch(solana.secret);
    vi.spyOn(crypto.subtle, 'sign').mockRejectedValue(new Error('broken'));
    const request = REQUESTS[3]?.[2] ?? message;
    await expect(sign({ database, keyring: async () => keyring }, 'a bot', request)).rejects.toThrow(
      'broken',
    );
    const { opened, pkcs8 } = stop();
    expect([opened.length, pkcs8.length]).toEqual([1, 1]);
    expect([...opened, ...pkcs8].every(isZero)).toBe(true);
  });

  it('is detected by this test if it is converted to a text', () => {
    const stop = watch(evm.secret);
    BigInt(`0x${bytesToHex(evm.secret)}`);
    evm.secret.join(',');
    new TextDecoder().decode(evm.secret);
    const { made } = stop();
    expect(made).toEqual(expect.arrayContaining(['BigInt', 'join', 'TextDecoder']));
  });
});

describe('an envelope that cannot be used gives no signature', () => {
  it.each([
    ['another client', { clientId: crypto.randomUUID() }],
    ['another key', { keyId: crypto.randomUUID() }],
    ['another address', { address: newEvmKey().address }],
    ['another chain', { chain: 'solana' }],
  ])('%s', async (_, binding) => {
    const { database } = await databaseWith(evm, { binding });
    const signing = sign({ database, keyring: async () => keyring }, 'a bot', message);
    await expect(signing).rejects.toMatchObject({ code: 'key_decryption_failed' });
  });

  it('a missing master key', async () => {
    const { database } = await databaseWith(evm);
    const other = await parseKeyring(
      btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))),
    );
    const signing = sign({ database, keyring: async () => other }, 'a bot', message);
    await expect(signing).rejects.toMatchObject({ code: 'key_decryption_failed' });
  });
});

describe('no key is checked out', () => {
  it.each<[string, SignRequest, string]>([
    ['for a malformed transaction', { type: 'evm.transaction', transaction: {} }, 'transaction_malformed'],
    ['for malformed typed data', { type: 'evm.typed_data', typed_data: {} }, 'typed_data_malformed'],
    ['for a malformed message', { type: 'evm.message', message: { raw: '0x1' } }, 'message_malformed'],
    [
      'for a message that is too long',
      { type: 'evm.message', message: 'x'.repeat(32_769) },
      'message_too_long',
    ],
    [
      'for a malformed Solana message',
      { type: 'solana.transaction', message: 'AA==' },
      'transaction_malformed',
    ],
    [
      'for bytes that could be a transaction',
      { type: 'solana.message', message: 'é' },
      'message_is_transaction',
    ],
    ['for a malformed wallet', { ...message, wallet: 'mine' }, 'address_malformed'],
  ])('%s', async (_, request, code) => {
    const { database, checkOutKey } = await databaseWith(evm);
    const signing = sign({ database, keyring: async () => keyring }, 'a bot', request);
    await expect(signing).rejects.toMatchObject({ code });
    expect(checkOutKey).not.toHaveBeenCalled();
  });

  it('without a master key', async () => {
    const { database, checkOutKey } = await databaseWith(evm);
    const none = () => Promise.reject(new Problem('master_key_missing'));
    await expect(sign({ database, keyring: none }, 'a bot', message)).rejects.toMatchObject({
      code: 'master_key_missing',
    });
    expect(checkOutKey).not.toHaveBeenCalled();
  });
});
