import type { ProblemTexts } from './problem-text.ts';

/** Private keys and addresses of a request, and the keys that the service holds. */
export const KEY_PROBLEMS = {
  trading_key_missing: [
    404,
    'The client has no trading key',
    'Revocation: there is nothing to revoke. Rotation: there is no key to replace; set up a bot with a private_key.',
  ],
  address_taken: [
    409,
    'The address belongs to another client',
    'Use another private key: an address belongs to one client.',
  ],
  key_id_ended: [
    409,
    'The key with this key id was rotated or revoked',
    'A key id that has ended cannot be stored again. Submit the private key as a new key: it gets a new key id.',
  ],
  private_key_required: [
    409,
    'The request has no private key, and the client has no trading key to copy',
    'Send private_key. The first private key of a client becomes its trading key.',
  ],
  address_checksum_invalid: [
    422,
    'The address has an invalid checksum',
    'Check the address for a wrong character. Its upper and lower case letters must match EIP-55, or all letters must be lower case.',
  ],
  address_malformed: [
    422,
    'The address is malformed',
    'Send 0x and 40 hex digits (EVM), or base58 of 32 bytes (Solana).',
  ],
  address_required: [
    422,
    'The private key is base58 of 32 bytes, which is a seed or an address',
    'Send the address of the key in the field address, or send base58 of 64 bytes.',
  ],
  address_mismatch: [
    422,
    'The address is not the address of the private key',
    'Leave address out, or send the address of this private key.',
  ],
  chain_mismatch: [
    422,
    'The key, wallet or address is not of the chain family that the request needs',
    'Use a key, wallet or address of the right chain family, evm or solana. To start a bot, its wallets must be of the chain family of its bot type.',
  ],
  private_key_halves_mismatch: [
    422,
    'The two halves of the Solana private key do not match',
    'Check that the key is complete. Its second half must be the public key of its first half.',
  ],
  private_key_malformed: [
    422,
    'The private key is malformed',
    'EVM: send 64 hex digits. Solana: send base58 of 64 or 32 bytes, or the JSON array of 64 numbers that solana-keygen writes.',
  ],
  private_key_out_of_range: [
    422,
    'The private key is out of range',
    'Use another private key: no EVM account has this one. It must be at least 1 and less than the order of secp256k1.',
  ],
  private_key_wrong_length: [
    422,
    'The private key has the wrong length',
    'Check that the key is complete. EVM: 64 hex digits. Solana: base58 of 64 or 32 bytes, or a JSON array of 64 numbers.',
  ],
} as const satisfies ProblemTexts;
