/** The supported chain families: EVM (secp256k1) and Solana (Ed25519). */
export const CHAINS = ['evm', 'solana'] as const;

export type Chain = (typeof CHAINS)[number];
