const REASONS = {
  private_key_malformed: {
    field: 'private_key',
    message:
      'not a private key: give 64 hex digits (EVM), or base58 of 64 or 32 bytes or a JSON array of 64 bytes (Solana)',
  },
  private_key_wrong_length: {
    field: 'private_key',
    message: 'the private key is too short or too long: a part may be missing',
  },
  private_key_out_of_range: {
    field: 'private_key',
    message: 'the number is zero or not below the order of secp256k1: no EVM account has this private key',
  },
  private_key_halves_mismatch: {
    field: 'private_key',
    message: 'the second half of the Solana private key is not the public key of its first half',
  },
  address_malformed: {
    field: 'address',
    message: 'not an address: give 0x and 40 hex digits (EVM) or base58 of 32 bytes (Solana)',
  },
  address_checksum_invalid: {
    field: 'address',
    message: 'the capital letters of the address do not fit its EIP-55 checksum: a character may be wrong',
  },
  address_mismatch: {
    field: 'address',
    message: 'the address is not the address of the private key',
  },
  chain_mismatch: {
    field: 'chain',
    message: 'the private key is not of this chain',
  },
} as const;

/** The closed set of what can be wrong with a key, an address or a chain that somebody sent. */
export type KeyInputReason = keyof typeof REASONS;

/**
 * What is wrong with a sent key, in words for whoever sent it. The message is fixed by the reason, there is no
 * cause, and no character of the input is repeated: it may be logged and answered.
 */
export class KeyInputError extends Error {
  override readonly name = 'KeyInputError';
  readonly reason: KeyInputReason;
  readonly field: 'private_key' | 'address' | 'chain';

  constructor(reason: KeyInputReason) {
    super(REASONS[reason].message);
    this.reason = reason;
    this.field = REASONS[reason].field;
  }
}
