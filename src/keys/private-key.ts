import { canonicalAddress } from './address.ts';
import type { Chain } from './chain.ts';
import { evmAddressOf, readEvmSecret } from './evm.ts';
import { KeyInputError } from './input-error.ts';
import { namedCause } from './named-causes.ts';
import { readSolanaSecret, solanaAddressOf } from './solana.ts';
import { wipe } from './wipe.ts';

/** A private key of a request: a text, or the array of 64 numbers that `solana-keygen` writes. */
export type PrivateKeyInput = string | readonly number[];

/**
 * A parsed private key. `secret` is 32 bytes: the big-endian scalar (EVM) or the Ed25519 seed (Solana). `address` is the
 * canonical address that was derived from it.
 */
export interface PrivateKey {
  readonly chain: Chain;
  readonly address: string;
  readonly secret: Uint8Array;
}

/**
 * Parses a private key. Its form determines the chain family. EVM: 64 hex digits, with or without `0x`. Solana: base58 of 64
 * or 32 bytes, or 64 bytes as an array or as the JSON text of an array. White space around a text is ignored. Nothing else is
 * repaired, because a wrong guess would store another key. Base58 of 32 bytes is a seed or an address, so it needs `address`.
 * If `chain` or `address` is given, it must be that of the key.
 *
 * The caller wipes `secret`. If this function throws, it has wiped the bytes.
 *
 * @throws {KeyInputError} with a reason of the private key, or else of `chain`, or else of `address`
 */
export function parsePrivateKey(input: {
  privateKey: PrivateKeyInput;
  address?: string | undefined;
  chain?: Chain | undefined;
}): PrivateKey {
  const given = typeof input.privateKey === 'string' ? input.privateKey.trim() : input.privateKey;
  const { chain, secret } = readSecret(given);
  try {
    if (input.chain !== undefined && input.chain !== chain)
      throw new KeyInputError('chain_mismatch', WRONG_CHAIN[chain]);
    if (chain === 'solana' && input.address === undefined && isBareSeed(given))
      throw new KeyInputError('address_required');
    const address = chain === 'evm' ? evmAddressOf(secret) : solanaAddressOf(secret);
    if (input.address !== undefined && canonicalAddress(input.address).address !== address) {
      throw new KeyInputError('address_mismatch');
    }
    return { chain, address, secret };
  } catch (error) {
    wipe(secret);
    throw error;
  }
}

/**
 * No text has both forms. Base58 of 64 bytes has 64 characters only if all of them are `1`, which is a zero seed with a
 * wrong public key. Base58 of 32 bytes has at most 44 characters.
 */
function readSecret(input: PrivateKeyInput): { chain: Chain; secret: Uint8Array } {
  if (typeof input === 'string') {
    const secret = readEvmSecret(input);
    if (secret) return { chain: 'evm', secret };
  }
  const secret = readSolanaSecret(input);
  if (secret) return { chain: 'solana', secret };
  const reason = lacksOnlyLength(input) ? 'private_key_wrong_length' : 'private_key_malformed';
  throw new KeyInputError(reason, typeof input === 'string' ? namedCause(input) : undefined);
}

const WRONG_CHAIN = {
  evm: 'the private key has the form of EVM: send chain evm or leave it out, or send a key of Solana',
  solana: 'the private key has the form of Solana: send chain solana or leave it out, or send a key of EVM',
} as const satisfies Record<Chain, string>;

/** Whether all characters are hex or all are base58, so that only the length is wrong. */
function lacksOnlyLength(input: PrivateKeyInput): boolean {
  return typeof input === 'string' && /^(?:(?:0x)?[0-9a-fA-F]+|[1-9A-HJ-NP-Za-km-z]+)$/.test(input);
}

/** Base58 of a key pair has at least 64 characters, and an array begins with a bracket. */
function isBareSeed(input: PrivateKeyInput): boolean {
  return typeof input === 'string' && /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(input);
}
