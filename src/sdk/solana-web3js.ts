/**
 * `trading-keys/solana-web3js`: a wallet for `@solana/web3.js` 1 and Anchor that signs through the API, where a `Keypair`
 * or Anchor's `NodeWallet` stood.
 *
 *     const wallet = new TradingKeysWallet({ client, botId, address });
 *     const provider = new AnchorProvider(connection, wallet, {});
 */
import { PublicKey, type Transaction, type VersionedTransaction } from '@solana/web3.js';
import { signMessage } from './solana-signature.ts';
import type { SigningWallet } from './wallet.ts';

export type TradingKeysWalletOptions = SigningWallet;

/**
 * A wallet with Anchor's interface, whose key stays in the API. It has no `payer`, because that is a secret key. It adds
 * its signature to a transaction after it was verified, and leaves other signatures as they are.
 *
 * Its methods reject with ApiProblem, NoAnswer or SigningError.
 */
export class TradingKeysWallet {
  readonly publicKey: PublicKey;
  readonly #wallet: SigningWallet;

  constructor(options: TradingKeysWalletOptions) {
    this.publicKey = new PublicKey(options.address);
    this.#wallet = options;
  }

  async signTransaction<T extends Transaction | VersionedTransaction>(transaction: T): Promise<T> {
    if (isVersioned(transaction)) {
      const message = transaction.message.serialize();
      transaction.addSignature(this.publicKey, await this.#sign('solana.transaction', message));
    } else {
      const signature = await this.#sign('solana.transaction', transaction.serializeMessage());
      // It is declared as a Buffer, and every Uint8Array is copied into one.
      transaction.addSignature(this.publicKey, signature as Parameters<Transaction['addSignature']>[1]);
    }
    return transaction;
  }

  /** In order: after a rejected one, the later ones are not requested. */
  async signAllTransactions<T extends Transaction | VersionedTransaction>(transactions: T[]): Promise<T[]> {
    for (const transaction of transactions) await this.signTransaction(transaction);
    return transactions;
  }

  /** As wallet adapters do: the signature of these bytes. The API rejects bytes that could be a transaction. */
  signMessage(message: Uint8Array): Promise<Uint8Array> {
    return this.#sign('solana.message', message);
  }

  #sign(type: Parameters<typeof signMessage>[0], message: Uint8Array): Promise<Uint8Array> {
    return signMessage(type, this.#wallet, this.publicKey.toBytes(), message);
  }
}

function isVersioned(transaction: Transaction | VersionedTransaction): transaction is VersionedTransaction {
  return 'version' in transaction;
}
