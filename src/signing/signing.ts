import type { Chain } from '../keys/index.ts';

/** The kinds of requests to sign. The part before the dot is the chain family of the wallet. */
export const SIGNING_KINDS = [
  'evm.transaction',
  'evm.typed_data',
  'evm.message',
  'solana.transaction',
  'solana.message',
] as const;
export type SigningKind = (typeof SIGNING_KINDS)[number];

/** Replaces a recipient that cannot be read. It is not an address, so no policy allows it. */
export const UNKNOWN_RECIPIENT = 'unknown';

/** A parsed request to sign: the facts that a policy checks, and the bytes to sign. */
export interface Signing {
  readonly kind: SigningKind;
  readonly chain: Chain;
  /** Decimal. Absent if the signature is valid on any chain. */
  readonly chainId?: string;
  /** Canonical addresses of accounts and programs that are paid or called. */
  readonly recipients: readonly string[];
  /** In wei or lamports. Fees are not counted. */
  readonly value: bigint;
  /** The highest fee that the network takes, in lamports. No policy limits it yet. */
  readonly fee?: bigint;
  /** Whether a called program can move more of the wallet's coins than `value` says. */
  readonly opaque?: boolean;
  /** The addresses that can sign it. Absent if any wallet can. */
  readonly signers?: readonly string[];
  /** The argument of `signAs`. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** `address` is the one that signed. */
  finish(signature: Uint8Array, address: string): Signed | Promise<Signed>;
}

export interface Signed {
  readonly signature: string;
  /** The transaction with its signature, in the encoding that nodes accept. */
  readonly signed_transaction?: string;
}
