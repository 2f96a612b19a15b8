import { readEvmAuthorization } from './evm-authorization.ts';
import { readEvmMessage } from './evm-message.ts';
import { readEvmTransaction } from './evm-transaction.ts';
import { SigningInputError } from './input-error.ts';
import type { Signing } from './signing.ts';
import { readSolanaMessage } from './solana-message.ts';
import { readSolanaTransaction } from './solana-transaction.ts';
import { readTypedData } from './typed-data.ts';
import { readTypedDataHash } from './typed-data-hash.ts';

export { describeSignedTransaction, transactionHash } from './evm-signed-transaction.ts';
export { transactionType } from './evm-transaction-names.ts';
export { SigningInputError, type SigningInputReason } from './input-error.ts';
export { SIGNING_KINDS, type Signed, type Signing, type SigningKind } from './signing.ts';
export { readQuantity } from './values.ts';

/** The body of `POST /bots/{id}/sign`. */
export type SigningRequest =
  | { readonly type: 'evm.transaction'; readonly transaction: Readonly<Record<string, unknown>> }
  | { readonly type: 'evm.typed_data'; readonly typed_data: Readonly<Record<string, unknown>> }
  | { readonly type: 'evm.typed_data_hash'; readonly typed_data_hash: Readonly<Record<string, unknown>> }
  | { readonly type: 'evm.authorization'; readonly authorization: Readonly<Record<string, unknown>> }
  | { readonly type: 'evm.message'; readonly message: string | { readonly raw: string } }
  | { readonly type: 'solana.transaction'; readonly message: string }
  | { readonly type: 'solana.message'; readonly message: string | { readonly base64: string } };

/**
 * Parses a request to sign. This needs no key, so a malformed request never causes a key to be decrypted.
 *
 * @throws {SigningInputError}
 */
export function readSigning(request: SigningRequest): Signing {
  switch (request.type) {
    case 'evm.transaction':
      return readEvmTransaction(request.transaction);
    case 'evm.typed_data':
      return readTypedData(request.typed_data);
    // No policy can allow the next two yet, so they are rejected before a key is requested.
    case 'evm.typed_data_hash':
      readTypedDataHash(request.typed_data_hash);
      throw new SigningInputError('typed_data_hash_not_allowed');
    case 'evm.authorization':
      readEvmAuthorization(request.authorization);
      throw new SigningInputError('authorization_not_allowed');
    case 'evm.message':
      return readEvmMessage(request.message);
    case 'solana.transaction':
      return readSolanaTransaction(request.message);
    case 'solana.message':
      return readSolanaMessage(request.message);
  }
}
