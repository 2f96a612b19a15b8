/** Version 1 of the transaction message (SIMD-0385): its limits, its config and its fee. */
import { base64 } from '@scure/base';
import type { Instruction } from '@solana/kit';
import { describe, expect, it } from 'vitest';
import { newSolanaKey } from '../support/private-keys.ts';
import {
  type Config,
  compiled,
  messageOf,
  newAddress,
  readonly,
  readonlySigner,
  signedByKit,
  transfer,
} from '../support/solana.ts';
import { refusalOf, signedBy } from './signed.ts';

const key = newSolanaKey();
const request = (message: string) => ({ type: 'solana.transaction', message }) as const;
const full: Config = {
  priorityFeeLamports: 77n,
  computeUnitLimit: 300_000,
  loadedAccountsDataSizeLimit: 65_536,
  heapSize: 65_536,
};
const bytesOf = (list: readonly Instruction[], config: Config = {}) =>
  Uint8Array.from(compiled(key.address, list, { version: 1, config }).messageBytes);
const outcome = (bytes: Uint8Array) => refusalOf(request(base64.encode(bytes)));

const plain = bytesOf([transfer(key.address, newAddress(), 7)]);
const configured = bytesOf([transfer(key.address, newAddress(), 7)], full);
/** Offsets: version, header, mask, blockhash, number of instructions, number of accounts, accounts, values. */
const [HEADER, MASK, INSTRUCTIONS, ACCOUNTS] = [1, 4, 40, 41];
const VALUES = 42 + (configured[ACCOUNTS] ?? 0) * 32;
const HEAP = VALUES + 16;
const INSTRUCTION = VALUES;

const changed = (bytes: Uint8Array, at: number, ...values: number[]) => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};
const program = (options: Partial<Instruction> = {}): Instruction => ({
  programAddress: newAddress(),
  ...options,
});

describe('the limits', () => {
  const many = <Item>(length: number, make: () => Item): Item[] => Array.from({ length }, make);

  it('a transaction of 4096 bytes -> as Kit signs it', async () => {
    // One account of the payer, one program, and one header of an instruction.
    const data = new Uint8Array(4096 - 64 - 42 - 2 * 32 - 4);
    const made = compiled(key.address, [program({ data })], { version: 1 });
    const { signing, ...signed } = await signedBy(key, request(messageOf(made)));
    expect(base64.decode(signed.signed_transaction ?? '')).toHaveLength(4096);
    expect(signed).toEqual(await signedByKit(made, key));
  });

  it.each<[string, Instruction[]]>([
    ['64 accounts', [program({ accounts: many(62, () => readonly(newAddress())) })]],
    ['12 signers', [program({ accounts: many(11, () => readonlySigner(newAddress())) })]],
    ['64 instructions', many(64, () => transfer(key.address, key.address, 1))],
    ['255 accounts of an instruction', [program({ accounts: many(255, () => readonly(key.address)) })]],
  ])('%s -> accepted', (_, list) => {
    expect(outcome(bytesOf(list))).toHaveProperty('payload');
  });

  it.each<[string, Uint8Array]>([
    [
      'a transaction of 4097 bytes',
      bytesOf([program({ data: new Uint8Array(4097 - 64 - 42 - 2 * 32 - 4) })]),
    ],
    ['65 accounts', oneMore(bytesOf([program({ accounts: many(62, () => readonly(newAddress())) })]))],
    ['13 signers', changed(bytesOf([program({ accounts: many(62, () => readonly(newAddress())) })]), 1, 13)],
    ['65 instructions', tooManyInstructions()],
  ])('%s -> rejected', (_, bytes) => {
    expect(outcome(bytes)).toBe('transaction_malformed');
  });

  function oneMore(bytes: Uint8Array): Uint8Array {
    const end = 42 + 64 * 32;
    const account = crypto.getRandomValues(new Uint8Array(32));
    return changed(new Uint8Array([...bytes.slice(0, end), ...account, ...bytes.slice(end)]), ACCOUNTS, 65);
  }

  function tooManyInstructions(): Uint8Array {
    const none = bytesOf([program()]);
    const end = 42 + 2 * 32;
    const heads = many(65, () => [1, 0, 0, 0]).flat();
    return changed(new Uint8Array([...none.slice(0, end), ...heads]), INSTRUCTIONS, 65);
  }
});

describe('what is rejected', () => {
  it.each<[string, Uint8Array]>([
    ['one byte less', configured.slice(0, -1)],
    ['one byte more', new Uint8Array([...configured, 0])],
    ['one signature too many', new Uint8Array([...configured, ...new Uint8Array(128)])],
    ['half a signature', new Uint8Array([...configured, ...new Uint8Array(32)])],
    ['no signers', changed(configured, HEADER, 0)],
    ['no account that can pay', changed(configured, HEADER + 1, 1)],
    ['more readonly accounts than there are', changed(configured, HEADER + 2, 9)],
    ['an account twice', changed(configured, 42 + 32, ...configured.slice(42, 42 + 32))],
    ['one bit of the priority fee', changed(configured, MASK, 0b11110)],
    ['the other bit of the priority fee', changed(configured, MASK, 0b11101)],
    ['an unknown bit', changed(configured, MASK, 0b111111)],
    ['the highest bit', changed(configured, MASK + 3, 0x80)],
    [
      'an unknown bit, with its value',
      changed(
        new Uint8Array([...configured.slice(0, HEAP), 0, 0, 0, 0, ...configured.slice(HEAP)]),
        MASK,
        0b111111,
      ),
    ],
    ['a heap of 31 KiB', changed(configured, HEAP, 0, 31 * 4, 0, 0)],
    ['a heap of 257 KiB', changed(configured, HEAP, 0, 4, 4, 0)],
    ['a heap that is not a multiple of 1024', changed(configured, HEAP, 1, 0, 1, 0)],
    ['a program that pays', changed(plain, INSTRUCTION, 0)],
    ['a program index without an account', changed(plain, INSTRUCTION, 3)],
    ['an account index that is too high', changed(plain, INSTRUCTION + 4, 3)],
    ['signatures first', new Uint8Array([1, ...new Uint8Array(64), ...configured])],
  ])('%s', (_, bytes) => {
    expect(outcome(bytes)).toBe('transaction_malformed');
  });

  it('and the same message without the change is accepted', () => {
    for (const bytes of [plain, configured, changed(configured, HEAP, 0, 32 * 4, 0, 0)])
      expect(outcome(bytes)).toHaveProperty('payload', bytes);
  });
});

it('the priority fee is a fact of its own, and no part of the value', () => {
  expect(outcome(configured)).toMatchObject({ value: 7n, fee: 5_077n, opaque: false });
  expect(outcome(plain)).toMatchObject({ value: 7n, fee: 5_000n });
  const most = bytesOf([], { priorityFeeLamports: 2n ** 64n - 1n });
  expect(outcome(most)).toMatchObject({ value: 0n, fee: 2n ** 64n + 4_999n });
});
