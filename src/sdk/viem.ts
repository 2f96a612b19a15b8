/**
 * `trading-keys/viem`: an account that signs through the API, where `privateKeyToAccount` stood.
 *
 *     const account = toTradingKeysAccount({ client, botId, address });
 *     const wallet = createWalletClient({ account, chain, transport });
 */
import {
  type Address,
  getAddress,
  getTypesForEIP712Domain,
  type Hash,
  type Hex,
  hashMessage,
  hashTypedData,
  keccak256,
  type LocalAccount,
  type NonceManager,
  parseSignature,
  recoverAddress,
  type SerializeTransactionFn,
  type SignableMessage,
  type Signature,
  serializeSignature,
  serializeTransaction,
  serializeTypedData,
  type TypedDataDefinition,
  toHex,
} from 'viem';
import { toAccount } from 'viem/accounts';
import type { SigningClient } from './api.ts';
import { SigningError } from './errors.ts';
import { describePayload } from './evm-payload.ts';
import type { SignRequest } from './types.ts';

export interface TradingKeysAccountOptions {
  readonly client: SigningClient;
  readonly botId: string;
  /** The wallet's address. After a rotation the address is another one: create the account again. */
  readonly address: string;
  /** The wallet's id; if not given, the wallet is found by its address. */
  readonly wallet?: string | undefined;
  readonly nonceManager?: NonceManager | undefined;
}

/**
 * An account of viem whose key stays in the API. It hands on a signature only after recovering its own address
 * from it and from the request: what the API reports as signed is not trusted.
 *
 * Its methods reject with ApiProblem, NoAnswer or SigningError; inside viem's errors, `findProblem` finds the first.
 */
export function toTradingKeysAccount(options: TradingKeysAccountOptions): LocalAccount<'custom'> {
  const { client, botId, nonceManager } = options;
  const address = getAddress(options.address);
  const wallet = options.wallet ?? address;

  /** @throws {SigningError} the response is not a signature of this hash by this address */
  async function sign(hash: Hash, request: SignRequest): Promise<Signature> {
    const answer = await client.bots.sign(botId, { ...request, wallet });
    if (answer.address !== address) {
      throw new SigningError(
        'The wallet has another address. client.runner.bot(id) returns it: create the account again.',
        'address_changed',
      );
    }
    const signature = readSignature(answer.signature);
    if (!signature || (await signerOf(hash, signature)) !== address) {
      throw new SigningError('The response does not sign the request.', 'signature_mismatch');
    }
    return signature;
  }

  const signTransaction = async (
    transaction: Parameters<SerializeTransactionFn>[0],
    { serializer = serializeTransaction }: { serializer?: SerializeTransactionFn | undefined } = {},
  ): Promise<Hex> => {
    // EIP-4844: what is signed comes without the sidecars, what is sent with them.
    const unsigned =
      transaction.type === 'eip4844' ? { ...transaction, sidecars: false as const } : transaction;
    const payload = await serializer(unsigned);
    const request = { type: 'evm.transaction', transaction: describePayload(payload) } as const;
    return serializer(transaction, await sign(keccak256(payload), request));
  };

  const account = toAccount({
    address,
    nonceManager,
    signTransaction: signTransaction as LocalAccount['signTransaction'],
    async signMessage({ message }) {
      const request = { type: 'evm.message', message: plainMessage(message) } as const;
      return serializeSignature(await sign(hashMessage(message), request));
    },
    async signTypedData(parameters) {
      const typedData = parameters as TypedDataDefinition;
      const request = { type: 'evm.typed_data', typed_data: plainTypedData(typedData) } as const;
      return serializeSignature(await sign(hashTypedData(typedData), request));
    },
  });
  return account as LocalAccount<'custom'>;
}

function plainMessage(message: SignableMessage): string | { raw: string } {
  if (typeof message === 'string') return message;
  return { raw: typeof message.raw === 'string' ? message.raw : toHex(message.raw) };
}

/** As `eth_signTypedData_v4` takes it: the domain's own type spelled out, large numbers as text. */
function plainTypedData(typedData: TypedDataDefinition): Record<string, unknown> {
  const { domain = {}, types, primaryType, message } = typedData;
  const complete = { EIP712Domain: getTypesForEIP712Domain({ domain }), ...types };
  const text = serializeTypedData({ domain, types: complete, primaryType, message } as TypedDataDefinition);
  return { message: {}, ...JSON.parse(text) };
}

/** With `v` and `yParity` both: serializers of chains read one or the other. */
function readSignature(text: unknown): Signature | undefined {
  if (typeof text !== 'string' || !/^0x[0-9a-f]{130}$/i.test(text)) return undefined;
  try {
    const { r, s, yParity } = parseSignature(text as Hex);
    return { r, s, yParity, v: BigInt(27 + yParity) };
  } catch {
    return undefined;
  }
}

async function signerOf(hash: Hash, signature: Signature): Promise<Address | undefined> {
  return recoverAddress({ hash, signature }).catch(() => undefined);
}
