/** What the formats of a transaction message have in common. */

export const SIGNATURE_BYTES = 64;
export const VERSION_0 = 0x80;
export const VERSION_1 = 0x81;

/** The largest transaction with its signatures: a packet of the network, and 4096 bytes for version 1 (SIMD-0385). */
export const MAX_PACKET_BYTES = 1232;
export const MAX_TRANSACTION_BYTES = 4096;

/** What a message of version 1 requests, in place of instructions of the Compute Budget program. */
export interface TransactionConfig {
  /** In lamports, for the whole transaction. */
  readonly priorityFee?: bigint;
  readonly computeUnitLimit?: number;
  readonly loadedAccountsSize?: number;
  readonly heapSize?: number;
}

/** The parts of a message before it is known whether they belong together. */
export interface MessageParts {
  readonly header: readonly [signers: number, readonlySigners: number, readonlyOthers: number];
  readonly keys: readonly string[];
  readonly config: TransactionConfig;
  readonly instructions: readonly {
    readonly program: number;
    readonly accounts: readonly number[];
    readonly data: Uint8Array;
  }[];
  /** The number of accounts from lookup tables. */
  readonly lookedUp: number;
}
