import { canonicalAddress } from './address.ts';
import type { Chain } from './chain.ts';
import { evmAddressOf, readEvmSecret } from './evm.ts';
import { KeyInputError } from './input-error.ts';
import { readSolanaSecret, solanaAddressOf } from './solana.ts';
import { wipe } from './wipe.ts';

/** A private key as it is sent: text, or the array of 64 numbers that `solana-keygen` writes. */
export type PrivateKeyInput = string | readonly number[];

/**
 * A private key ready to be sealed. `secret` is 32 bytes: the big-endian scalar (EVM) or the Ed25519 seed
 * (Solana). `address` is the canonical address derived from it.
 */
export interface PrivateKey {
  readonly chain: Chain;
  readonly address: string;
  readonly secret: Uint8Array;
}

/**
 * Reads a private key; the chain follows from its form. EVM: 64 hex digits, with or without `0x`. Solana: base58
 * of 64 or 32 bytes, or 64 bytes as an array or as its JSON text. Nothing is trimmed or repaired: a key that had
 * to be guessed at is a key lost. A given `chain` must be the key's and a given `address` must be its address.
 *
 * The caller wipes `secret`; on failure what was read has been wiped.
 *
 * @throws {KeyInputError} any reason; that of the private key comes before those of chain and address
 */
export function parsePrivateKey(input: {
  privateKey: PrivateKeyInput;
  address?: string | undefined;
  chain?: Chain | undefined;
}): PrivateKey {
  const { chain, secret } = readSecret(input.privateKey);
  try {
    if (input.chain !== undefined && input.chain !== chain) throw new KeyInputError('chain_mismatch');
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
 * No text has both forms: base58 of 64 bytes has 64 characters only when they are all `1`, which is a zero seed
 * with a public half that is not its own; base58 of 32 bytes has 44 at most.
 */
function readSecret(input: PrivateKeyInput): { chain: Chain; secret: Uint8Array } {
  if (typeof input === 'string') {
    const secret = readEvmSecret(input);
    if (secret) return { chain: 'evm', secret };
  }
  const secret = readSolanaSecret(input);
  if (secret) return { chain: 'solana', secret };
  throw new KeyInputError(lacksOnlyLength(input) ? 'private_key_wrong_length' : 'private_key_malformed');
}

/** Whether the characters are all of hex or all of base58, so that only the number of them is wrong. */
function lacksOnlyLength(input: PrivateKeyInput): boolean {
  return typeof input === 'string' && /^(?:(?:0x)?[0-9a-fA-F]+|[1-9A-HJ-NP-Za-km-z]+)$/.test(input);
}
