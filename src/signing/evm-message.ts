import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as PersonalMessage from 'ox/PersonalMessage';
import { signatureHex } from './evm-signature.ts';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { readHex } from './values.ts';

export const MAX_MESSAGE_BYTES = 32 * 1024;

/**
 * A personal message (EIP-191, version 0x45): a text, which is encoded in UTF-8, or raw bytes in hex. Its prefix begins with
 * 0x19. No transaction begins with this byte, so the signature of a message is never valid for a transaction.
 *
 * @throws {SigningInputError}
 */
export function readEvmMessage(message: string | { readonly raw: string }): Signing {
  const bytes = bytesOf(message);
  if (bytes.length > MAX_MESSAGE_BYTES) throw new SigningInputError('message_too_long');
  return {
    kind: 'evm.message',
    chain: 'evm',
    recipients: [],
    value: 0n,
    payload: hexToBytes(PersonalMessage.getSignPayload(bytes).slice(2)),
    finish: (signature) => ({ signature: signatureHex(signature) }),
  };
}

function bytesOf(message: string | { readonly raw: string }): Uint8Array {
  if (typeof message === 'string') {
    // UTF-8 cannot encode half of a surrogate pair. The encoder would replace it, and another text would be signed.
    if (!message.isWellFormed())
      throw new SigningInputError('message_malformed', '', 'a text with half of a surrogate pair');
    return utf8ToBytes(message);
  }
  const hex = readHex(message.raw);
  if (hex === undefined)
    throw new SigningInputError('message_malformed', 'raw', 'must be 0x and an even number of hex digits');
  return hexToBytes(hex.slice(2));
}
