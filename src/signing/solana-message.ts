import { utf8ToBytes } from '@noble/hashes/utils.js';
import { base58 } from '@scure/base';
import { MAX_MESSAGE_BYTES } from './evm-message.ts';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { base64Length, decodeBase64, otherFormOf } from './solana-base64.ts';
import { signersOfOffchain } from './solana-offchain.ts';
import {
  afterSignatures,
  couldBeTransactionMessage,
  isOffchain,
  isOffchainEnvelope,
} from './solana-shape.ts';

/**
 * A message for `signMessage` of wallets: a text, which is encoded in UTF-8, or bytes in base64. The bytes are signed as they
 * are, in the off-chain format or in any other. They have no prefix, so bytes that could be a transaction, now or in a future
 * version, are rejected: their signature would be valid for it.
 *
 * @throws {SigningInputError}
 */
export function readSolanaMessage(message: string | { readonly base64: string }): Signing {
  const field = typeof message === 'string' ? '' : 'base64';
  const bytes = bytesOf(message);
  if (bytes.length === 0) throw new SigningInputError('message_malformed', field, 'is empty');
  if (bytes.length > MAX_MESSAGE_BYTES) throw new SigningInputError('message_too_long', field);
  if (!isOffchain(bytes)) rejectOtherThings(bytes, field);
  return {
    kind: 'solana.message',
    chain: 'solana',
    recipients: [],
    value: 0n,
    // Nobody can say what a signature of any bytes allows.
    opaque: true,
    ...(isOffchain(bytes) && { signers: signersOfOffchain(bytes) }),
    payload: bytes,
    finish: (signature) => ({ signature: base58.encode(signature) }),
  };
}

function bytesOf(message: string | { readonly base64: string }): Uint8Array<ArrayBuffer> {
  if (typeof message === 'string') {
    // UTF-8 cannot encode half of a surrogate pair. The encoder would replace it, and another text would be signed.
    if (!message.isWellFormed())
      throw new SigningInputError('message_malformed', '', 'a text with half of a surrogate pair');
    return new Uint8Array(utf8ToBytes(message));
  }
  if (message.base64.length > base64Length(MAX_MESSAGE_BYTES))
    throw new SigningInputError('message_too_long', 'base64');
  // Hex with 0x can be read as base64 too, of bytes that are never signed.
  const bytes = message.base64.startsWith('0x') ? undefined : decodeBase64(message.base64);
  if (bytes) return bytes;
  const form = otherFormOf(message.base64) ?? 'is malformed';
  throw new SigningInputError('message_malformed', 'base64', `${form}: send bytes in base64`);
}

/** What is not an off-chain message is signed as it is, unless the signature would be valid for more, or for nothing. */
function rejectOtherThings(bytes: Uint8Array<ArrayBuffer>, field: string): void {
  if (couldBeTransactionMessage(bytes))
    throw new SigningInputError(
      'message_is_transaction',
      field,
      'begins like a message of a transaction, or with a byte of 0x80 or more, which is a version of transactions',
    );
  if (afterSignatures(bytes))
    throw new SigningInputError('message_is_transaction', field, 'is a whole transaction');
  if (isOffchainEnvelope(bytes))
    throw new SigningInputError(
      'message_malformed',
      field,
      'is an off-chain message with its signatures: send it without them',
    );
}
