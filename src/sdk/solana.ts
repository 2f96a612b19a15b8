/**
 * `trading-keys/solana`: a signer of Solana Kit that signs through the API, where `createKeyPairSignerFromBytes` stood.
 *
 *     const signer = createTradingKeysSigner({ client, botId, address });
 *     const message = pipe(createTransactionMessage({ version: 0 }), (m) => setTransactionMessageFeePayerSigner(signer, m), ...);
 */
import {
  getAddressEncoder,
  type MessagePartialSigner,
  address as parseAddress,
  type SignatureBytes,
  type TransactionPartialSigner,
} from '@solana/kit';
import { signMessage } from './solana-signature.ts';
import { isAvailable, type RunnerClient, type SigningWallet } from './wallet.ts';

export type TradingKeysSignerOptions = SigningWallet<RunnerClient>;

/** A signer for transactions and messages, with the interface `SolanaSigner` of `@solana/keychain-core`. */
export interface TradingKeysSolanaSigner extends TransactionPartialSigner, MessagePartialSigner {
  /** Whether the API accepts the token, the bot runs, and the wallet still has this address. */
  isAvailable(): Promise<boolean>;
}

/**
 * A partial signer of Kit whose key stays in the API: it signs transactions of every version that Kit builds, next to other
 * signers, and messages that could not be a transaction. A signature is handed on only after it was verified. Rejects with
 * ApiProblem, NoAnswer or SigningError.
 */
export function createTradingKeysSigner(options: TradingKeysSignerOptions): TradingKeysSolanaSigner {
  const address = parseAddress(options.address);
  const publicKey = getAddressEncoder().encode(address);

  /** In order: after a rejected one, the later ones are not requested. */
  async function sign(
    type: Parameters<typeof signMessage>[0],
    messages: readonly ArrayLike<number>[],
    signal: AbortSignal | undefined,
  ) {
    const dictionaries: Record<string, SignatureBytes>[] = [];
    for (const message of messages) {
      const signature = await signMessage(type, options, publicKey, message, { signal });
      dictionaries.push({ [address]: signature as Uint8Array as SignatureBytes });
    }
    return dictionaries;
  }

  return {
    address,
    isAvailable: () => isAvailable(options),
    signTransactions: (transactions, { abortSignal } = {}) =>
      sign(
        'solana.transaction',
        transactions.map(({ messageBytes }) => messageBytes),
        abortSignal,
      ),
    signMessages: (messages, { abortSignal } = {}) =>
      sign(
        'solana.message',
        messages.map(({ content }) => content),
        abortSignal,
      ),
  };
}
