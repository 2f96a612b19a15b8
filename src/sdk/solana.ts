/**
 * `trading-keys/solana`: a signer of Solana Kit that signs through the API, where `createKeyPairSignerFromBytes` stood.
 *
 *     const signer = createTradingKeysSigner({ client, botId, address });
 *     const message = pipe(createTransactionMessage({ version: 0 }), (m) => setTransactionMessageFeePayerSigner(signer, m), ...);
 */
import {
  getAddressEncoder,
  getBase58Encoder,
  getBase64Decoder,
  isSignature,
  address as parseAddress,
  type ReadonlyUint8Array,
  type SignatureBytes,
  type Transaction,
  type TransactionPartialSigner,
} from '@solana/kit';
import type { SigningClient } from './api.ts';
import { SigningError } from './errors.ts';

export interface TradingKeysSignerOptions {
  readonly client: SigningClient;
  readonly botId: string;
  /** The wallet's address. After a rotation the address is another one: create the signer again. */
  readonly address: string;
  /** The wallet's id; if not given, the wallet is found by its address. */
  readonly wallet?: string | undefined;
}

/**
 * A partial signer of Kit whose key stays in the API: it signs transactions of every version that Kit builds, next to
 * other signers. A signature is handed on only after it was verified against the message. Rejects with ApiProblem, NoAnswer or SigningError.
 */
export function createTradingKeysSigner(options: TradingKeysSignerOptions): TransactionPartialSigner {
  const { client, botId } = options;
  const address = parseAddress(options.address);
  const wallet = options.wallet ?? address;

  async function sign(
    { messageBytes }: Transaction,
    signal: AbortSignal | undefined,
  ): Promise<SignatureBytes> {
    const message = getBase64Decoder().decode(messageBytes);
    const answer = await client.bots.sign(botId, { type: 'solana.transaction', message, wallet }, { signal });
    if (answer.address !== address) {
      throw new SigningError('The wallet has another address by now.', 'address_changed');
    }
    const signature = readSignature(answer.signature);
    if (!signature || !(await verify(signature, messageBytes))) {
      throw new SigningError('The response does not sign the request.', 'signature_mismatch');
    }
    return signature;
  }

  /** By Web Crypto itself: Kit's own check refuses to run where it takes the runtime for an insecure page. */
  async function verify(signature: SignatureBytes, message: ReadonlyUint8Array): Promise<boolean> {
    const publicKey = Uint8Array.from(getAddressEncoder().encode(address));
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify']);
    return crypto.subtle.verify('Ed25519', key, Uint8Array.from(signature), Uint8Array.from(message));
  }

  return {
    address,
    async signTransactions(transactions, { abortSignal } = {}) {
      // In order: after a rejected one, the later ones are not requested.
      const dictionaries: Record<string, SignatureBytes>[] = [];
      for (const transaction of transactions) {
        dictionaries.push({ [address]: await sign(transaction, abortSignal) });
      }
      return dictionaries;
    },
  };
}

function readSignature(text: unknown): SignatureBytes | undefined {
  return typeof text === 'string' && isSignature(text)
    ? (getBase58Encoder().encode(text) as SignatureBytes)
    : undefined;
}
