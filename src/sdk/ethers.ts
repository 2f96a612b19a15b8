/**
 * `trading-keys/ethers`: a signer of ethers 6 that signs through the API, where `new Wallet(key, provider)` stood.
 *
 *     const signer = new TradingKeysSigner({ client, botId, address }, provider);
 *     await signer.sendTransaction({ to, value });
 */
import {
  AbstractSigner,
  type Authorization,
  type AuthorizationRequest,
  assert,
  assertArgument,
  copyRequest,
  getAddress,
  hashMessage,
  hexlify,
  type Provider,
  recoverAddress,
  resolveAddress,
  Signature,
  Transaction,
  type TransactionLike,
  type TransactionRequest,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
} from 'ethers';
import { SigningError } from './errors.ts';
import { describeTransaction } from './ethers-transaction.ts';
import type { SignRequest } from './types.ts';
import { requestSignature, type SigningWallet } from './wallet.ts';

export type TradingKeysSignerOptions = SigningWallet;

/**
 * A signer of ethers whose key stays in the API. It hands on a signature only after recovering its own address from it and
 * from the request.
 *
 * Its methods reject with ApiProblem, NoAnswer or SigningError, or with the error that a `Wallet` of ethers throws.
 */
export class TradingKeysSigner<P extends Provider | null = Provider | null> extends AbstractSigner<P> {
  readonly address: string;
  readonly #wallet: SigningWallet;

  constructor(options: TradingKeysSignerOptions, provider?: P) {
    super(provider);
    this.address = getAddress(options.address);
    this.#wallet = { ...options, address: this.address };
  }

  async getAddress(): Promise<string> {
    return this.address;
  }

  connect<Other extends Provider | null>(provider: Other): TradingKeysSigner<Other> {
    return new TradingKeysSigner(this.#wallet, provider);
  }

  async signTransaction(request: TransactionRequest): Promise<string> {
    const { from, to, ...fields } = copyRequest(request);
    if (from != null) {
      const sender = getAddress(await resolveAddress(from, this));
      assertArgument(sender === this.address, 'transaction from address mismatch', 'tx.from', from);
    }
    const transaction = Transaction.from({
      ...fields,
      ...(to != null && { to: await resolveAddress(to, this) }),
    } as TransactionLike<string>);
    transaction.signature = await this.#sign(transaction.unsignedHash, {
      type: 'evm.transaction',
      transaction: describeTransaction(transaction.unsignedSerialized),
    });
    return transaction.serialized;
  }

  async signMessage(message: string | Uint8Array): Promise<string> {
    const plain = typeof message === 'string' ? message : { raw: hexlify(message) };
    return (await this.#sign(hashMessage(message), { type: 'evm.message', message: plain })).serialized;
  }

  // Libraries recognize a signer of ethers 6 by the number of these parameters.
  async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const named = await TypedDataEncoder.resolveNames(domain, types, value, async (name) => {
      const address = await this.resolveName(name);
      assert(address !== null, 'unconfigured ENS name', 'UNCONFIGURED_NAME', { value: name });
      return address;
    });
    const signature = await this.#sign(TypedDataEncoder.hash(named.domain, types, named.value), {
      type: 'evm.typed_data',
      typed_data: TypedDataEncoder.getPayload(named.domain, types, named.value),
    });
    return signature.serialized;
  }

  /** The name that `signTypedData` has in ethers 5, for libraries that know only that one. */
  async _signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    return this.signTypedData(domain, types, value);
  }

  override async authorize(_authorization: AuthorizationRequest): Promise<Authorization> {
    throw new SigningError('The API signs no EIP-7702 authorizations.', 'unsupported_authorization');
  }

  #sign(digest: string, request: SignRequest): Promise<Signature> {
    return requestSignature(this.#wallet, request, async (text) => {
      const signature = readSignature(text);
      return signature && signerOf(digest, signature) === this.address ? signature : undefined;
    });
  }
}

function readSignature(text: string): Signature | undefined {
  if (!/^0x[0-9a-f]{130}$/i.test(text)) return undefined;
  try {
    return Signature.from(text);
  } catch {
    return undefined;
  }
}

function signerOf(digest: string, signature: Signature): string | undefined {
  try {
    return recoverAddress(digest, signature);
  } catch {
    return undefined;
  }
}
