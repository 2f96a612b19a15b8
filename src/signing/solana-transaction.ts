import { base58, base64 } from '@scure/base';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { evaluateInstructions } from './solana-instructions.ts';
import { MAX_TRANSACTION_BYTES, readSolanaMessage } from './solana-message.ts';

/**
 * A Solana transaction message, legacy or version 0, in base64. It is parsed completely, so that only a transaction is ever
 * signed.
 *
 * @throws {SigningInputError} `transaction_malformed`
 */
export function readSolanaTransaction(text: string): Signing {
  const bytes = decode(text);
  const message = readSolanaMessage(bytes);
  const signers = message.keys.slice(0, message.signers);
  const { created, ...effects } = evaluateInstructions(message);
  return {
    kind: 'solana.transaction',
    chain: 'solana',
    ...effects,
    // A wallet never signs as an account that is created, because that would give its account to a program.
    signers: signers.filter((key) => !created.includes(key)),
    payload: bytes,
    finish: (signature) => ({
      signature: base58.encode(signature),
      // With several signers, the other signatures are still missing.
      ...(signers.length === 1 && {
        signed_transaction: base64.encode(new Uint8Array([1, ...signature, ...bytes])),
      }),
    }),
  };
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  if (text.length <= Math.ceil(MAX_TRANSACTION_BYTES / 3) * 4) {
    try {
      return new Uint8Array(base64.decode(text));
    } catch {
      // The error below has no `cause`, because the message of the decoder quotes the text.
    }
  }
  throw new SigningInputError('transaction_malformed', '', 'must be a message in base64');
}
