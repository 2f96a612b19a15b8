const REASONS = {
  private_key_malformed: {
    field: 'private_key',
    message:
      'not a private key: send 64 hex digits (EVM), or base58 of 64 or 32 bytes or a JSON array of 64 numbers (Solana)',
  },
  private_key_wrong_length: {
    field: 'private_key',
    message:
      'the private key is too short or too long: it must have 64 hex digits (EVM), or be base58 of 64 or 32 bytes or a JSON array of 64 numbers (Solana)',
  },
  private_key_out_of_range: {
    field: 'private_key',
    message: 'the private key must be at least 1 and less than the order of secp256k1',
  },
  private_key_halves_mismatch: {
    field: 'private_key',
    message: 'the second half of the Solana private key must be the public key of its first half',
  },
  address_required: {
    field: 'address',
    message:
      'base58 of 32 bytes is a seed or an address of Solana: send the address of the key too, or send base58 of 64 bytes',
  },
  address_malformed: {
    field: 'address',
    message: 'not an address: send 0x and 40 hex digits (EVM), or base58 of 32 bytes (Solana)',
  },
  address_checksum_invalid: {
    field: 'address',
    message: 'the upper and lower case letters must match EIP-55, or all letters must be lower case',
  },
  address_mismatch: {
    field: 'address',
    message: 'not the address of the private key: leave the field out, or send the address of this key',
  },
  chain_mismatch: {
    field: 'chain',
    message: 'the private key belongs to another chain family: evm or solana',
  },
} as const;

/** Every reason why a private key, an address or a chain is rejected. */
export type KeyInputReason = keyof typeof REASONS;

/**
 * The reason why a key is rejected. The message is one of a few fixed texts without any part of the input, and there is no
 * `cause`. So the error may be logged and returned to the caller.
 */
export class KeyInputError extends Error {
  override readonly name = 'KeyInputError';
  readonly reason: KeyInputReason;
  readonly field: 'private_key' | 'address' | 'chain';

  constructor(reason: KeyInputReason, message: string = REASONS[reason].message) {
    super(message);
    this.reason = reason;
    this.field = REASONS[reason].field;
  }
}
