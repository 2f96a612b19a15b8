/** Fresh private keys: an address belongs to one client, so every test uses its own. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { parsePrivateKey } from '../../src/keys/index.ts';
import { formsOf } from './key-forms.ts';

export interface TestKey {
  readonly chain: 'evm' | 'solana';
  /** In the usual format: 0x and hex digits, or base58 of 64 bytes. */
  readonly privateKey: string;
  readonly address: string;
  readonly secret: Uint8Array;
}

export interface SolanaTestKey extends TestKey {
  /** Base58 of the 32-byte seed. */
  readonly seed: string;
  /** In the format that solana-keygen writes. */
  readonly array: number[];
}

function testKey(chain: TestKey['chain'], privateKey: string, secret: Uint8Array): TestKey {
  return { chain, privateKey, secret, address: parsePrivateKey({ privateKey }).address };
}

export function newEvmKey(): TestKey {
  const secret = secp256k1.utils.randomSecretKey();
  return testKey('evm', `0x${bytesToHex(secret)}`, secret);
}

export function newSolanaKey(): SolanaTestKey {
  const secret = ed25519.utils.randomSecretKey();
  const pair = concatBytes(secret, ed25519.getPublicKey(secret));
  return {
    ...testKey('solana', base58.encode(pair), secret),
    seed: base58.encode(secret),
    array: [...pair],
  };
}

/** Every text in which a caller might write this key. */
export const textsOf = ({ secret, privateKey }: TestKey) => [privateKey, ...formsOf(secret)];

/** Whether any 8 consecutive characters of `text` are in `answer`. */
export function repeats(answer: string, text: string): boolean {
  return Array.from({ length: text.length - 7 }, (_, at) => text.slice(at, at + 8)).some((run) =>
    answer.includes(run),
  );
}
