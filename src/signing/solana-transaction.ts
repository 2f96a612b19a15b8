import { base58, base64 } from '@scure/base';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { evaluateInstructions } from './solana-instructions.ts';
import { MAX_TRANSACTION_BYTES, readSolanaMessage } from './solana-message.ts';

/**
 * A Solana transaction message, legacy or version 0, in base64. It is read in full before it is signed, so that
 * nothing but a transaction is ever signed here.
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
    // A wallet is never signed for as an account that is made: that would give it to a program.
    signers: signers.filter((key) => !created.includes(key)),
    payload: bytes,
    finish: (signature) => ({
      signature: base58.encode(signature),
      // Where others sign too, theirs are still to come.
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
      // without the cause, which quotes the text
    }
  }
  throw new SigningInputError('transaction_malformed', '', 'not base64 of a message');
}
