import type { Chain } from '../keys/index.ts';

/** What can be signed; the part before the dot is the chain family of the wallet that signs it. */
export const SIGNING_KINDS = [
  'evm.transaction',
  'evm.typed_data',
  'evm.message',
  'solana.transaction',
] as const;
export type SigningKind = (typeof SIGNING_KINDS)[number];

/** Replaces a recipient that cannot be read. It is not an address, so no policy allows it. */
export const UNKNOWN_RECIPIENT = 'unknown';

/** Something to sign, read in full before any key is requested: what a policy judges, and the bytes to sign. */
export interface Signing {
  readonly kind: SigningKind;
  readonly chain: Chain;
  /** Decimal; absent where the thing is of no chain in particular. */
  readonly chainId?: string;
  /** Canonical addresses of accounts and programs that are paid or called. */
  readonly recipients: readonly string[];
  /** In wei or lamports. Fees are not counted. */
  readonly value: bigint;
  /** Whether a called program can move more of the wallet's coins than `value` says. */
  readonly opaque?: boolean;
  /** Who may sign it, where that stands in it. */
  readonly signers?: readonly string[];
  /** As `signAs` takes it. */
  readonly payload: Uint8Array<ArrayBuffer>;
  finish(signature: Uint8Array): Signed;
}

export interface Signed {
  readonly signature: string;
  /** The whole transaction with its signature, in the encoding that nodes take. */
  readonly signed_transaction?: string;
}
