import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { beforeEach, expect, it, vi } from 'vitest';
import { KeyInputError, parsePrivateKey, wipe } from '../../src/keys/index.ts';
import * as wiping from '../../src/keys/wipe.ts';
import { ED25519_KEYS, EVM_ACCOUNTS } from '../support/published-keys.ts';

// In Node because modules cannot be mocked inside workerd.
vi.mock('../../src/keys/wipe.ts', { spy: true });

type Input = Parameters<typeof parsePrivateKey>[0];

const [, evm, otherEvm] = EVM_ACCOUNTS;
const [first, second] = ED25519_KEYS;
const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const keypair = first.seed + first.publicKey;
const mismatched = first.seed + second.publicKey;
const base58Of = (hex: string) => base58.encode(hexToBytes(hex));

/** The contents of each buffer at the time it was passed to `wipe`, in hex. */
const held: string[] = [];
const buffers: Uint8Array[] = [];

beforeEach(() => {
  held.length = buffers.length = 0;
  vi.mocked(wiping.wipe).mockImplementation((...given) => {
    held.push(...given.map(bytesToHex));
    buffers.push(...given);
    for (const buffer of given) buffer.fill(0);
  });
});

it('wipe overwrites every given buffer with zeros, and no byte outside a view', () => {
  vi.mocked(wiping.wipe).mockRestore();
  const given = [new Uint8Array([1, 2, 3]), new Uint8Array([4])];
  const whole = new Uint8Array([5, 6, 7]);
  wipe(...given, whole.subarray(1, 2));
  expect([...given, whole].map((buffer) => [...buffer])).toEqual([[0, 0, 0], [0], [5, 0, 7]]);
});

it.each<[string, Input, string[]]>([
  ['an EVM key out of range', { privateKey: order }, [order]],
  [
    'an EVM key and another address',
    { privateKey: evm.privateKey, address: otherEvm.address },
    [evm.privateKey],
  ],
  ['an EVM key and a malformed address', { privateKey: evm.privateKey, address: 'x' }, [evm.privateKey]],
  ['an EVM key and another chain', { privateKey: evm.privateKey, chain: 'solana' }, [evm.privateKey]],
  ['a Solana seed and another chain', { privateKey: base58Of(first.seed), chain: 'evm' }, [first.seed]],
  ['a key pair with another public key', { privateKey: base58Of(mismatched) }, [mismatched, first.seed]],
  [
    'a key pair and another address',
    { privateKey: base58Of(keypair), address: base58Of(second.publicKey) },
    [keypair, first.seed],
  ],
  ['base58 longer than any key, which is not even decoded', { privateKey: '2'.repeat(100) }, []],
  ['base58 of a wrong length', { privateKey: base58Of(first.seed.slice(2)) }, [first.seed.slice(2)]],
  [
    'an array whose last number is not a byte',
    { privateKey: [...hexToBytes(keypair)].with(63, 256) },
    [`${keypair.slice(0, -2)}00`],
  ],
])('wipes the secret bytes of %s', (_, input, expected) => {
  expect(() => parsePrivateKey(input)).toThrow(KeyInputError);
  expect(held).toEqual(expected);
});

it('wipes the bytes of an accepted key pair and leaves the seed for the caller to wipe', () => {
  const key = parsePrivateKey({ privateKey: base58Of(keypair) });
  expect(held).toEqual([keypair]);
  expect(buffers).not.toContain(key.secret);
  expect(bytesToHex(key.secret)).toBe(first.seed);
});
