import type { Chain } from './chain.ts';
import { canonicalEvmAddress } from './evm.ts';
import { KeyInputError } from './input-error.ts';
import { canonicalSolanaAddress } from './solana.ts';

/**
 * The chain family of an address and its canonical form: EIP-55 for EVM, base58 of 32 bytes for Solana. Two addresses are
 * the same account exactly if their canonical forms are equal.
 *
 * @param evmChainId decimal, if the EVM chain is known: some chains have a checksum of their own
 * @throws {KeyInputError} `address_malformed` or `address_checksum_invalid`
 */
export function canonicalAddress(text: string, evmChainId?: string): { chain: Chain; address: string } {
  const evm = canonicalEvmAddress(text, evmChainId);
  if (evm !== undefined) return { chain: 'evm', address: evm };
  const solana = canonicalSolanaAddress(text);
  if (solana !== undefined) return { chain: 'solana', address: solana };
  throw new KeyInputError('address_malformed');
}
