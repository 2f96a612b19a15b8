/** Envelopes that the database accepts and that no key opens. Does not import vitest, because benchmarks use it too. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { base64url } from 'jose';

export interface SealedWallet {
  readonly address: string;
  readonly chain: 'evm' | 'solana';
  readonly key_id: string;
  readonly encrypted_key: string;
}

const randomBytes = (size: number) => crypto.getRandomValues(new Uint8Array(size));

/** An envelope that is bound as the database requires. */
export function sealedWallet(
  clientId: string,
  address = `0x${bytesToHex(randomBytes(20))}`,
  {
    chain = 'evm',
    key_id = crypto.randomUUID() as string,
  }: Partial<Pick<SealedWallet, 'chain' | 'key_id'>> = {},
): SealedWallet {
  const header = {
    alg: 'A256GCMKW',
    enc: 'A256GCM',
    typ: 'trading-key+jwe',
    kid: 'nobody',
    sub: clientId,
    chain,
    address,
    jti: key_id,
    iv: base64url.encode(randomBytes(12)),
    tag: base64url.encode(randomBytes(16)),
  };
  const parts = [JSON.stringify(header), ...[32, 12, 32, 16].map(randomBytes)];
  return { address, chain, key_id, encrypted_key: parts.map((part) => base64url.encode(part)).join('.') };
}

/** The same as positional arguments of the functions that take an envelope. */
export const sealedArguments = (clientId: string): readonly string[] => {
  const { address, chain, key_id, encrypted_key } = sealedWallet(clientId);
  return [address, chain, key_id, encrypted_key];
};
