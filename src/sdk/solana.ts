/**
 * `trading-keys/solana`: a signer of Solana Kit that signs through the API, where `createKeyPairSignerFromBytes` stood.
 *
 *     const signer = createTradingKeysSigner({ client, botId, address });
 *     const message = pipe(createTransactionMessage({ version: 0 }), (m) => setTransactionMessageFeePayerSigner(signer, m), ...);
 */
import {
  getAddressEncoder,
  address as parseAddress,
  type SignatureBytes,
  type TransactionPartialSigner,
} from '@solana/kit';
import { signTransactionMessage } from './solana-signature.ts';
import { isAvailable, type RunnerClient, type SigningWallet } from './wallet.ts';

export type TradingKeysSignerOptions = SigningWallet<RunnerClient>;

/** A signer for transactions. It also has the interface `SolanaSigner` of `@solana/keychain-core`. */
export interface TradingKeysSolanaSigner extends TransactionPartialSigner {
  /** Whether the API accepts the token, the bot runs, and the wallet still has this address. */
  isAvailable(): Promise<boolean>;
}

/**
 * A partial signer of Kit whose key stays in the API: it signs transactions of every version that Kit builds, next to
 * other signers. A signature is handed on only after it was verified against the message. Rejects with ApiProblem, NoAnswer or SigningError.
 */
export function createTradingKeysSigner(options: TradingKeysSignerOptions): TradingKeysSolanaSigner {
  const address = parseAddress(options.address);
  const publicKey = getAddressEncoder().encode(address);
  return {
    address,
    isAvailable: () => isAvailable(options),
    async signTransactions(transactions, { abortSignal: signal } = {}) {
      // In order: after a rejected one, the later ones are not requested.
      const dictionaries: Record<string, SignatureBytes>[] = [];
      for (const { messageBytes } of transactions) {
        const signature = await signTransactionMessage(options, publicKey, messageBytes, { signal });
        dictionaries.push({ [address]: signature as Uint8Array as SignatureBytes });
      }
      return dictionaries;
    },
  };
}
