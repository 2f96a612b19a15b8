/**
 * Signing leaves no trace of the private key in the memory of the process, the linear memory of WebAssembly included: no bytes,
 * no text, no number. For EVM it leaves no trace of the nonce either, because the nonce of a signature reveals the key.
 * The whole memory is searched from outside, before any garbage collection: the young generation is larger than all
 * allocations of the test. So a copy of the key that was not overwritten can still be found.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { bytesToHex } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { parseTransaction } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, it } from 'vitest';
import { seal } from '../../src/crypto/envelope.ts';
import { parseKeyring } from '../../src/crypto/keyring.ts';
import { readSigning } from '../../src/signing/index.ts';
import { nonceOf } from '../keys/nonce.ts';
import { newEvmKey, newSolanaKey, type TestKey } from '../support/private-keys.ts';
import { compiled, messageOf, newAddress, signedByKit, transfer } from '../support/solana.ts';
import type { Task } from './sign-in-child.ts';

const MASTER_KEY = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64');
const CLIENT_ID = '01a20567-9c9d-712c-b393-fbd8562d7591';
const KEY_ID = '0192f0c1-2b7a-7cc3-98c4-dc0c0c07398f';
const ROUNDS = 20;

let child: ChildProcess | undefined;
afterEach(() => child?.kill('SIGKILL'));

/** Starts a process that signs with the key, and searches the memory of that process for the key and the nonce in every format. */
async function traces(key: TestKey, task: Pick<Task, 'request' | 'how'>, address = key.address) {
  const { chain } = key;
  const nonce = chain === 'evm' ? nonceOf(readSigning(task.request).payload, key.secret) : undefined;
  const binding = { clientId: CLIENT_ID, chain, address, keyId: KEY_ID };
  const encrypted_key = await seal(key.secret, binding, await parseKeyring(MASTER_KEY));
  const whole: Task = {
    ...task,
    masterKey: MASTER_KEY,
    key: { client_id: CLIENT_ID, chain, address, key_id: KEY_ID, encrypted_key },
  };
  const options = ['--max-semi-space-size=512', '--min-semi-space-size=512', '--no-warnings'];
  child = spawn(process.execPath, [...options, new URL('sign-in-child.ts', import.meta.url).pathname], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new TypeError('piped');
  stdin.write(`${JSON.stringify(whole)}\n`.repeat(ROUNDS));
  const signatures: string[] = [];
  for await (const line of createInterface({ input: stdout })) {
    if (signatures.push(line) === ROUNDS) break;
  }
  const forms = [...formsOf(key.secret)];
  if (nonce) for (const [name, form] of formsOf(nonce)) forms.push([`nonce: ${name}`, form]);
  const found = search(child.pid ?? 0, new Map(forms));
  return { signature: new Set(signatures), found };
}

/** Each format by name: 16 of its bytes, from two places, are enough to recognise it. */
function formsOf(secret: Uint8Array): ReadonlyMap<string, Buffer> {
  const hex = bytesToHex(secret);
  const reversed = Buffer.from(secret).reverse();
  const texts = {
    hex,
    'capital hex': hex.toUpperCase(),
    decimal: BigInt(`0x${hex}`).toString(),
    base58: base58.encode(secret),
    base64: Buffer.from(secret).toString('base64'),
    base64url: Buffer.from(secret).toString('base64url'),
    list: secret.join(','),
  };
  return new Map<string, Buffer>([
    ...Object.entries(texts).flatMap(([name, text]): [string, Buffer][] => [
      [name, Buffer.from(text.slice(2, 26))],
      [`${name}, its end`, Buffer.from(text.slice(-26, -2))],
      [`${name}, two bytes a character`, Buffer.from(text.slice(2, 26), 'utf16le')],
    ]),
    ['bytes', Buffer.from(secret.subarray(0, 16))],
    ['bytes, their end', Buffer.from(secret.subarray(16))],
    // As V8 stores a bigint: its lowest 64 bits first.
    ['bigint', reversed.subarray(0, 16)],
    ['bigint, its end', reversed.subarray(16)],
  ]);
}

function search(pid: number, forms: ReadonlyMap<string, Buffer>): string[] {
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const chunk = Buffer.alloc(16 << 20);
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    if (from === undefined || to === undefined) continue;
    const end = Number.parseInt(to, 16);
    // The parts overlap by more than the longest format.
    for (let at = Number.parseInt(from, 16); at < end; at += chunk.length - 64) {
      let read = 0;
      try {
        read = readSync(memory, chunk, 0, Math.min(chunk.length, end - at), at);
      } catch {
        continue; // pages that were never used
      }
      const bytes = chunk.subarray(0, read);
      for (const [name, form] of forms) if (bytes.includes(form)) found.add(name);
    }
  }
  closeSync(memory);
  return [...found].sort();
}

const evm = newEvmKey();
const transaction = { chainId: 1, nonce: 1, gas: 21_000, to: evm.address, value: 5, maxFeePerGas: 9 };
const evmRequest = { type: 'evm.transaction', transaction } as const;

describe.runIf(existsSync('/proc/self/mem'))('after signing, traces of the key in memory', () => {
  it('evm: none', async () => {
    const { signature, found } = await traces(evm, { request: evmRequest, how: 'product' });
    const account = privateKeyToAccount(evm.privateKey as `0x${string}`);
    const signed = await account.signTransaction({
      ...transaction,
      to: evm.address as `0x${string}`,
      gas: 21_000n,
      value: 5n,
      maxFeePerGas: 9n,
    });
    const { r = '0x', s = '0x' } = parseTransaction(signed);
    expect([...signature].map((text) => text.slice(0, -2))).toEqual([`${r}${s.slice(2)}`]);
    expect(found).toEqual([]);
  });

  it.each(['evm.message', 'evm.typed_data'] as const)('%s: nothing', async (type) => {
    const key = newEvmKey();
    const types = { Note: [{ name: 'text', type: 'string' }] };
    const typed_data = { domain: {}, types, primaryType: 'Note', message: { text: 'hello' } };
    const request = type === 'evm.message' ? { type, message: 'hello' } : { type, typed_data };
    expect((await traces(key, { request, how: 'product' })).found).toEqual([]);
  });

  it('evm, if signing throws: none', async () => {
    const { signature, found } = await traces(
      newEvmKey(),
      { request: evmRequest, how: 'product' },
      evm.address,
    );
    expect(signature).toEqual(new Set(['key_decryption_failed']));
    expect(found).toEqual([]);
  });

  it('solana: none outside Web Crypto', async () => {
    const key = newSolanaKey();
    const message = compiled(key.address, [transfer(key.address, newAddress(), 5)]);
    const request = { type: 'solana.transaction', message: messageOf(message) } as const;
    const { signature, found } = await traces(key, { request, how: 'product' });
    expect(signature).toEqual(new Set([(await signedByKit(message, key)).signature]));
    // Node's crypto library keeps the key of a CryptoKey until the CryptoKey is garbage-collected.
    expect(found.filter((name) => !name.startsWith('bytes'))).toEqual([]);
  });

  // These show that the search would find a trace.
  it('evm by noble’s own sign: its hex and a bigint', async () => {
    const { signature, found } = await traces(newEvmKey(), { request: evmRequest, how: 'noble' });
    expect([...signature][0]).toMatch(/^0x[0-9a-f]{130}$/);
    expect(found).toEqual(expect.arrayContaining(['hex', 'hex, its end', 'bigint', 'bigint, its end']));
  });

  it('in the linear memory of libsecp256k1 without wiping: its bytes', async () => {
    const { found } = await traces(newEvmKey(), { request: evmRequest, how: 'unwiped library' });
    expect(found).toEqual(['bytes', 'bytes, their end']);
  });

  it('without wiping: its bytes', async () => {
    const { found } = await traces(newEvmKey(), { request: evmRequest, how: 'unwiped' });
    expect(found).toEqual(['bytes', 'bytes, their end']);
  });
});
